"""The words of games against an opponent: the move by name, or only what it is for."""

from core.board.boards import Cell
from core.board.goals import Intersection
from core.errors import OptionError
from core.language.sentences import Phrasing, phrasings, read_cells, reword_cells, say_cells
from core.task import Instruction, Wording

NAMED: tuple[Phrasing, ...] = (
    Phrasing(name="canonical", template="you play {color}: place a stone at row {row}, column {column}"),
    Phrasing(name="position", template="place a {color} stone at position ({row},{column})"),
)
INTENTS: tuple[Phrasing, ...] = (
    Phrasing(name="win", template="you play {color}: play the winning move"),
    Phrasing(name="block", template="you play {color}: block your opponent's winning move"),
)

# Sentences of the knob `words`, by set: the move by name, and what it is for.
_AT = "row {row}, column {column}"
NAMED_SETS: dict[str, tuple[Phrasing, ...]] = {
    "paraphrase_seen": phrasings(
        "named",
        f"you play {{color}}: put a stone on {_AT}",
        f"you have the {{color}} stones: your move is {_AT}",
        f"play {{color}} at {_AT} of the board",
    ),
    "paraphrase_unseen": phrasings(
        "named",
        f"as {{color}}, occupy {_AT}",
        f"could you answer with a {{color}} stone in {_AT}?",
        f"it is the turn of {{color}}: take {_AT}",
    ),
    "letters": phrasings(
        "named",
        "you play {color}: place a stone at {column}{row}",
        "place a {color} stone at {column}{row}",
    ),
    "spelled": phrasings("named", f"you play {{color}}: place a stone at {_AT}"),
    "ordinal": phrasings(
        "named",
        "you play {color}: place a stone in the {row} row from the top and the {column} column from the left",
    ),
    "action": phrasings(
        "named",
        f"you play {{color}}: pick up a stone and drop it off at {_AT}",
        f"grab a {{color}} stone, carry it to {_AT} and let go of it there",
    ),
    "negation": phrasings(
        "named",
        f"you play {{color}}: place a stone at {_AT}, not at {{other}}",
        f"you play {{color}}: place a stone not at {{other}} but at {_AT}",
    ),
    "appearance": phrasings("named", f"you play the {{color}} discs: place one at {_AT}"),
    "common_sense": phrasings("named", "your stones have the color of {color}: place one on {place}"),
}


def _intents(win: str, block: str) -> tuple[Phrasing, ...]:
    return (Phrasing(name="win", template=win), Phrasing(name="block", template=block))


# Letters, spelled numbers and ordinals have nothing to say where no row or column is named.
INTENT_SETS: dict[str, tuple[Phrasing, ...]] = {
    **dict.fromkeys(("letters", "spelled", "ordinal"), INTENTS),
    "paraphrase_seen": _intents(
        "you play {color}: make the move that wins", "you play {color}: stop your opponent from winning"
    ),
    "paraphrase_unseen": _intents(
        "as {color}, finish the game with this move", "as {color}, prevent your opponent's victory"
    ),
    "action": _intents(
        "you play {color}: pick up a stone and drop it off where it wins",
        "you play {color}: pick up a stone and drop it off where it blocks your opponent's winning move",
    ),
    "negation": _intents(
        "you play {color}: play the winning move, not {other}",
        "you play {color}: block your opponent's winning move, do not play {other}",
    ),
    "appearance": _intents(
        "you play the {color} discs: play the winning move",
        "you play the {color} discs: block your opponent's winning move",
    ),
    "common_sense": _intents(
        "your stones have the color of {color}: play the winning move",
        "your stones have the color of {color}: block your opponent's winning move",
    ),
}


def name_move(color: str, cell: Cell, phrasing: Phrasing) -> Instruction:
    """Says which move."""
    return say_cells(phrasing, color, {"": cell})


def name_intent(color: str, intent: str) -> Instruction:
    """Says what the move is for: ``win`` or ``block``."""
    return say_cells(next(phrasing for phrasing in INTENTS if phrasing.name == intent), color, {})


def reword(text: str, goal: Intersection, wording: Wording, size: int) -> Instruction:
    """Says a move, which ``text`` names or says the purpose of, in the sentences of a set."""
    groups = NAMED_SETS
    intent = read_cells({"": (*NAMED, *INTENTS)}, text, size=size).phrasing
    if intent in ("win", "block"):
        phrasing = next(p for p in INTENT_SETS[wording.words] if p.name == intent)
        groups = {wording.words: (phrasing,)}
    return reword_cells(groups, wording, goal.color, {"": (goal.row, goal.column)}, size=size)


def parse(text: str, answers: dict[str, list[Cell]], size: int = 5) -> Intersection:
    """Reads a move back.

    Args:
        text: the words.
        answers: the moves that serve each intent in the present position.
        size: lines of the board.

    Raises:
        OptionError: if the words fit no phrasing, or the intent has not exactly one answer.
    """
    groups = {words: (*NAMED_SETS[words], *INTENT_SETS[words]) for words in NAMED_SETS}
    said = read_cells({"": (*NAMED, *INTENTS), **groups}, text, size=size)
    if said.phrasing in answers:
        found = answers[said.phrasing]
        if len(found) != 1:
            raise OptionError(f"{text!r} has {len(found)} answers here: {found}")
        ((row, column),) = found
    else:
        row, column = said.cells[""]
    return Intersection(color=said.named_color, row=row, column=column)
