"""The words of ``remove_stone``."""

from core.board.boards import Cell
from core.board.goals import Region
from core.errors import OptionError
from core.language.sentences import Phrasing, phrasings, read_cells, reword_cells, say_cells
from core.task import Instruction, Wording
from core.world.stage import TRAY

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
_FROM, _AREA = "row {from_row}, column {from_column}", "the marked area"

# Sentences of the knob `words`, by set.
WORD_SETS: dict[str, tuple[Phrasing, ...]] = {
    "paraphrase_seen": phrasings(
        "paraphrase_seen",
        f"clear the {{color}} stone at {_FROM} away to {_AREA}",
        f"the {{color}} stone at {_FROM} goes into {_AREA}",
        f"bring the {{color}} stone at {_FROM} of the board to {_AREA}",
        f"set the {{color}} stone of {_FROM} down in {_AREA}",
    ),
    "paraphrase_unseen": phrasings(
        "paraphrase_unseen",
        f"could you park the {{color}} stone of {_FROM} in {_AREA}?",
        f"I want the {{color}} piece at {_FROM} off the board and inside {_AREA}",
        f"free {_FROM}: its {{color}} stone belongs in {_AREA}",
        f"inside {_AREA} there should be the {{color}} stone that now stands at {_FROM}",
    ),
    "letters": phrasings(
        "letters",
        f"take the {{color}} stone at {{from_column}}{{from_row}} off the board and put it into {_AREA}",
        f"remove the {{color}} stone of {{from_column}}{{from_row}} to {_AREA}",
    ),
    "spelled": phrasings(
        "spelled",
        f"take the {{color}} stone at {_FROM} off the board and put it into {_AREA}",
        f"remove the {{color}} stone in {_FROM} to {_AREA}",
    ),
    "ordinal": phrasings(
        "ordinal",
        "take the {color} stone in the {from_row} row from the top and the {from_column} column "
        f"from the left off the board and put it into {_AREA}",
    ),
    "action": phrasings(
        "action",
        f"pick up the {{color}} stone at {_FROM} and drop it off in {_AREA}",
        f"grab the {{color}} stone at {_FROM}, carry it to {_AREA} and let go of it there",
    ),
    "negation": phrasings(
        "negation",
        f"take the {{color}} stone at {_FROM}, not at {{other}}, off the board and put it into {_AREA}",
        f"not {{other}}: remove the {{color}} stone at {_FROM} to {_AREA}",
    ),
    "appearance": phrasings(
        "appearance",
        f"take the {{color}} round piece at {_FROM} off the board and put it into {_AREA}",
        f"put the small {{color}} disc at {_FROM} into {_AREA}",
    ),
    "common_sense": phrasings(
        "common_sense",
        f"take the stone the color of {{color}} from {{from_place}} and put it into {_AREA}",
        f"put the stone the color of {{color}} that stands on {{from_place}} into {_AREA}",
    ),
}


def removal(color: str, source: tuple[int, int]) -> Region:
    """The goal of taking the stone on ``source`` to the tray."""
    return Region(color=color, center=TRAY.center, half_size=TRAY.half_size, source=source)


def instruct(goal: Region, phrasing: Phrasing) -> Instruction:
    """Says ``goal``, which has a source."""
    return say_cells(phrasing, goal.color, {"from_": _source(goal)})


def reword(goal: Region, wording: Wording, size: int) -> Instruction:
    """Says ``goal`` in the sentences of a set."""
    return reword_cells(WORD_SETS, wording, goal.color, {"from_": _source(goal)}, size=size, target="from_")


def _source(goal: Region) -> Cell:
    if goal.source is None:
        raise OptionError(f"the goal must name the stone that is taken away, got {goal!r}")
    return goal.source


def parse(text: str, size: int = 5) -> Region:
    """Reads a goal back.

    Raises:
        OptionError: if the words fit no phrasing.
    """
    said = read_cells({"": PHRASINGS, **WORD_SETS}, text, size=size)
    return removal(said.named_color, said.cells["from_"])
