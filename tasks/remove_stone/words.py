"""The words of ``remove_stone``."""

from core.goals import Region
from core.stage import TRAY
from core.task import Instruction
from core.words import COLOR, DIGIT, Phrasing, read_back, say

PHRASINGS: tuple[Phrasing, ...] = (
    Phrasing(
        name="canonical",
        template="take the {color} stone at row {from_row}, column {from_column} off the board "
        "and put it into the marked area",
    ),
    Phrasing(
        name="remove",
        template="remove the {color} stone at ({from_row},{from_column}) from the board to the marked area",
    ),
    Phrasing(
        name="move",
        template="move the {color} stone from row {from_row}, column {from_column} "
        "to the marked area of the table",
    ),
)
_PATTERNS = {"color": COLOR, "from_row": DIGIT, "from_column": DIGIT}


def removal(color: str, source: tuple[int, int]) -> Region:
    """The goal of taking the stone on ``source`` to the tray."""
    return Region(color=color, center=TRAY.center, half_size=TRAY.half_size, source=source)


def instruct(goal: Region, phrasing: Phrasing) -> Instruction:
    """Says ``goal``, which has a source."""
    row, column = goal.source
    return say(phrasing, {"color": goal.color, "from_row": row, "from_column": column})


def parse(text: str) -> Region:
    """Reads a goal back.

    Raises:
        OptionError: if the words fit no phrasing.
    """
    _, field = read_back(PHRASINGS, text, _PATTERNS)
    return removal(field["color"], (int(field["from_row"]), int(field["from_column"])))
