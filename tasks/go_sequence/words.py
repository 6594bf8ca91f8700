"""The words of ``go_sequence``: one move at a time, or all at once; each capture is named when it is due."""

import re

from core.boards import Cell
from core.errors import OptionError
from core.goals import Intersection
from core.task import Instruction
from core.words import COLOR, DIGIT, Phrasing, read_back, say

MOVES: tuple[Phrasing, ...] = (
    Phrasing(name="canonical", template="place the {color} stone on the board at row {row}, column {column}"),
    Phrasing(name="play", template="play {color} at ({row},{column})"),
)
CAPTURES: tuple[Phrasing, ...] = (
    Phrasing(
        name="capture",
        template="take the captured {color} stone at row {row}, column {column} off the board "
        "to the marked area",
    ),
)
ALL: tuple[Phrasing, ...] = (Phrasing(name="all", template="play these moves on the board in turn: {moves}"),)
_MOVE = re.compile(rf"({COLOR}) at \((\d+), (\d+)\)")
_PATTERNS = {"color": COLOR, "row": DIGIT, "column": DIGIT, "moves": r"[^:]+"}


def name_move(color: str, cell: Cell, phrasing: Phrasing) -> Instruction:
    """Says one move, or one capture."""
    return say(phrasing, {"color": color, "row": cell[0], "column": cell[1]})


def name_all(moves: list[tuple[str, Cell]]) -> Instruction:
    """Says all moves at once."""
    return say(ALL[0], {"moves": ", ".join(f"{color} at ({r}, {c})" for color, (r, c) in moves)})


def parse(text: str) -> tuple[str, list[Intersection]]:
    """Reads back ``move``, ``capture`` or ``all``, and the stones that are named, in their order.

    Raises:
        OptionError: if the words fit no phrasing.
    """
    name, field = read_back((*MOVES, *CAPTURES, *ALL), text, _PATTERNS)
    if name == "all":
        found = [_MOVE.fullmatch(part) for part in re.split(r"(?<=\)), ", field["moves"])]
        if not all(found):
            raise OptionError(
                f"no list of moves: {field['moves']!r}; valid: 'black at (0, 1), white at (2, 3)'"
            )
        return name, [Intersection(color=m[1], row=int(m[2]), column=int(m[3])) for m in found]
    stone = Intersection(color=field["color"], row=int(field["row"]), column=int(field["column"]))
    return ("capture" if name == "capture" else "move"), [stone]
