"""The words of ``go_sequence``: one move at a time, or all at once; each capture is named when it is due."""

from typing import Any

from core.board.boards import Cell
from core.board.goals import Intersection
from core.language.sentences import Phrasing, phrasings, read_cells, reword_cells, say, say_cells, say_list
from core.task import Instruction, Wording

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

# Sentences of the knob `words`, by set: for a move, a capture, and all moves at once.
_AT = "row {row}, column {column}"
MOVE_SETS: dict[str, tuple[Phrasing, ...]] = {
    "paraphrase_seen": phrasings(
        "move", f"put a {{color}} stone at {_AT}", f"the {{color}} stone goes to {_AT} of the board"
    ),
    "paraphrase_unseen": phrasings(
        "move", f"could you play {{color}} in {_AT}?", f"occupy {_AT} with a {{color}} stone"
    ),
    "letters": phrasings(
        "move", "place the {color} stone on the board at {column}{row}", "play {color} at {column}{row}"
    ),
    "spelled": phrasings("move", f"place the {{color}} stone on the board at {_AT}"),
    "appearance": phrasings("move", f"place the small {{color}} disc on the board at {_AT}"),
}
CAPTURE_SETS: dict[str, tuple[Phrasing, ...]] = {
    "paraphrase_seen": phrasings(
        "capture", f"remove the captured {{color}} stone at {_AT} to the marked area"
    ),
    "paraphrase_unseen": phrasings(
        "capture", f"the {{color}} prisoner at {_AT} belongs in the marked area: take it there"
    ),
    "letters": phrasings(
        "capture", "take the captured {color} stone at {column}{row} off the board to the marked area"
    ),
    "spelled": phrasings(
        "capture", f"take the captured {{color}} stone at {_AT} off the board to the marked area"
    ),
    "appearance": phrasings(
        "capture", f"take the captured {{color}} disc at {_AT} off the board to the marked area"
    ),
}
ALL_SETS: dict[str, tuple[Phrasing, ...]] = {
    **dict.fromkeys(("letters", "spelled", "appearance"), ALL),
    "paraphrase_seen": phrasings("all", "play this sequence on the board: {moves}"),
    "paraphrase_unseen": phrasings("all", "here is the line of play, one move after the other: {moves}"),
}


def name_move(color: str, cell: Cell, phrasing: Phrasing) -> Instruction:
    """Says one move, or one capture."""
    return say_cells(phrasing, color, {"": cell})


def name_all(moves: list[tuple[str, Cell]]) -> Instruction:
    """Says all moves at once."""
    return say(ALL[0], {"moves": say_list(moves)})


def reword(text: str, wording: Wording, size: int) -> Instruction:
    """Says a move, a capture or all moves, in the sentences of a set."""
    kind, stones = _read(text, {"": MOVES}, {"": CAPTURES}, {"": ALL}, size)
    if kind == "all":
        return say(wording.pick(ALL_SETS[wording.words]), {"moves": say_list(stones, wording.words)})
    groups = CAPTURE_SETS if kind == "capture" else MOVE_SETS
    ((color, cell),) = stones
    return reword_cells(groups, wording, color, {"": cell}, size=size)


def parse(text: str, size: int = 5) -> tuple[str, list[Intersection]]:
    """Reads back ``move``, ``capture`` or ``all``, and the stones that are named, in their order.

    Raises:
        OptionError: if the words fit no phrasing.
    """
    groups = ({"": MOVES, **MOVE_SETS}, {"": CAPTURES, **CAPTURE_SETS}, {"": ALL, **ALL_SETS})
    kind, stones = _read(text, *groups, size)
    return kind, [Intersection(color=color, row=row, column=column) for color, (row, column) in stones]


def _read(
    text: str, moves: dict[str, Any], captures: dict[str, Any], together: dict[str, Any], size: int
) -> tuple[str, list[Any]]:
    groups = {words: (*moves[words], *captures[words], *together[words]) for words in moves}
    said = read_cells(groups, text, size=size, lists=["moves"])
    if "moves" in said.lists:
        return "all", said.lists["moves"]
    return ("capture" if said.phrasing.startswith("capture") else "move"), [
        (said.named_color, said.cells[""])
    ]
