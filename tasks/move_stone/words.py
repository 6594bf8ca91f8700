"""The words of ``move_stone``."""

from core.goals import Intersection
from core.task import Instruction
from core.words import COLOR, DIGIT, Phrasing, read_back, say

PHRASINGS: tuple[Phrasing, ...] = (
    Phrasing(
        name="canonical",
        template="move the {color} stone from row {from_row}, column {from_column} "
        "to row {row}, column {column}",
    ),
    Phrasing(
        name="position",
        template="move the {color} stone at ({from_row},{from_column}) to ({row},{column})",
    ),
    Phrasing(
        name="pick_up",
        template="pick up the {color} stone at row {from_row}, column {from_column} of the board "
        "and set it down at row {row}, column {column}",
    ),
)
_PATTERNS = {"color": COLOR, "from_row": DIGIT, "from_column": DIGIT, "row": DIGIT, "column": DIGIT}


def instruct(goal: Intersection, phrasing: Phrasing) -> Instruction:
    """Says ``goal``, which has a source."""
    row, column = goal.source
    values = {
        "color": goal.color,
        "from_row": row,
        "from_column": column,
        "row": goal.row,
        "column": goal.column,
    }
    return say(phrasing, values)


def parse(text: str) -> Intersection:
    """Reads a goal back.

    Raises:
        OptionError: if the words fit no phrasing.
    """
    _, field = read_back(PHRASINGS, text, _PATTERNS)
    return Intersection(
        color=field["color"],
        row=int(field["row"]),
        column=int(field["column"]),
        source=(int(field["from_row"]), int(field["from_column"])),
    )
