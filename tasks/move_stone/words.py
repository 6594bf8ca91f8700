"""The words of ``move_stone``."""

from typing import Any

from core.board.goals import Intersection
from core.language.sentences import Phrasing, phrasings, read_cells, reword_cells, say_cells
from core.task import Instruction, Wording

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
_FROM, _TO = "row {from_row}, column {from_column}", "row {row}, column {column}"

# Sentences of the knob `words`, by set.
WORD_SETS: dict[str, tuple[Phrasing, ...]] = {
    "paraphrase_seen": phrasings(
        "paraphrase_seen",
        f"shift the {{color}} stone at {_FROM} to {_TO}",
        f"take the {{color}} stone from {_FROM} and put it at {_TO}",
        f"the {{color}} stone at {_FROM} goes to {_TO}",
        f"bring the {{color}} stone from {_FROM} of the board to {_TO}",
    ),
    "paraphrase_unseen": phrasings(
        "paraphrase_unseen",
        f"could you relocate the {{color}} stone from {_FROM} to {_TO}?",
        f"I want the {{color}} piece of {_FROM} in {_TO}",
        f"at {_TO} there should be the {{color}} stone that now stands at {_FROM}",
        f"clear {_FROM}: its {{color}} stone belongs at {_TO}",
    ),
    "letters": phrasings(
        "letters",
        "move the {color} stone from {from_column}{from_row} to {column}{row}",
        "put the {color} stone of {from_column}{from_row} on {column}{row}",
    ),
    "spelled": phrasings(
        "spelled",
        f"move the {{color}} stone from {_FROM} to {_TO}",
        f"pick up the {{color}} stone in {_FROM} and set it down in {_TO}",
    ),
    "ordinal": phrasings(
        "ordinal",
        "move the {color} stone from the {from_row} row from the top and the {from_column} column "
        "from the left to the {row} row from the top and the {column} column from the left",
    ),
    "action": phrasings(
        "action",
        f"pick up the {{color}} stone at {_FROM} and drop it off at {_TO}",
        f"grab the {{color}} stone at {_FROM}, carry it to {_TO} and let go of it there",
    ),
    "negation": phrasings(
        "negation",
        f"move the {{color}} stone from {_FROM} to {_TO}, not to {{other}}",
        f"move the {{color}} stone at {_FROM} not to {{other}} but to {_TO}",
    ),
    "appearance": phrasings(
        "appearance",
        f"move the {{color}} round piece from {_FROM} to {_TO}",
        f"move the small {{color}} disc at {_FROM} to {_TO}",
    ),
    "common_sense": phrasings(
        "common_sense",
        "move the stone the color of {color} from {from_place} to {place}",
        "put the stone the color of {color} that stands on {from_place} onto {place}",
    ),
}


def instruct(goal: Intersection, phrasing: Phrasing) -> Instruction:
    """Says ``goal``, which has a source."""
    return say_cells(phrasing, goal.color, _cells(goal))


def reword(goal: Intersection, wording: Wording, size: int) -> Instruction:
    """Says ``goal`` in the sentences of a set."""
    return reword_cells(WORD_SETS, wording, goal.color, _cells(goal), size=size)


def parse(text: str, size: int = 5) -> Intersection:
    """Reads a goal back.

    Raises:
        OptionError: if the words fit no phrasing.
    """
    said = read_cells({"": PHRASINGS, **WORD_SETS}, text, size=size)
    row, column = said.cells[""]
    return Intersection(color=said.named_color, row=row, column=column, source=said.cells["from_"])


def _cells(goal: Intersection) -> dict[str, Any]:
    return {"": (goal.row, goal.column), "from_": goal.source}
