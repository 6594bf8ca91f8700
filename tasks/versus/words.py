"""The words of games against an opponent: the move by name, or only what it is for."""

from core.boards import Cell
from core.errors import OptionError
from core.goals import Intersection
from core.task import Instruction
from core.words import COLOR, DIGIT, Phrasing, read_back, say

NAMED: tuple[Phrasing, ...] = (
    Phrasing(name="canonical", template="you play {color}: place a stone at row {row}, column {column}"),
    Phrasing(name="position", template="place a {color} stone at position ({row},{column})"),
)
INTENTS: tuple[Phrasing, ...] = (
    Phrasing(name="win", template="you play {color}: play the winning move"),
    Phrasing(name="block", template="you play {color}: block your opponent's winning move"),
)
_PATTERNS = {"color": COLOR, "row": DIGIT, "column": DIGIT}


def name_move(color: str, cell: Cell, phrasing: Phrasing) -> Instruction:
    """Says which move."""
    return say(phrasing, {"color": color, "row": cell[0], "column": cell[1]})


def name_intent(color: str, intent: str) -> Instruction:
    """Says what the move is for: ``win`` or ``block``."""
    return say(next(phrasing for phrasing in INTENTS if phrasing.name == intent), {"color": color})


def parse(text: str, answers: dict[str, list[Cell]]) -> Intersection:
    """Reads a move back.

    Args:
        text: the words.
        answers: the moves that serve each intent in the present position.

    Raises:
        OptionError: if the words fit no phrasing, or the intent has not exactly one answer.
    """
    name, field = read_back((*NAMED, *INTENTS), text, _PATTERNS)
    if name in answers:
        if len(answers[name]) != 1:
            raise OptionError(f"{text!r} has {len(answers[name])} answers here: {answers[name]}")
        row, column = answers[name][0]
    else:
        row, column = int(field["row"]), int(field["column"])
    return Intersection(color=field["color"], row=row, column=column)
