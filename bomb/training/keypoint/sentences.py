"""Sentences to learn reading from: BOMB's that may be trained on, and many more frames around the same parts.

What ``core.perturbations.heldout`` holds out, the set ``paraphrase_unseen``, is not among them.
"""

from collections.abc import Iterator

import numpy as np

from core.board.goals import Intersection
from core.perturbations.heldout import PHRASINGS as HELD_OUT
from tasks.place_stone.words import PHRASINGS, WORD_SETS, CellPhrasing, instruct

# Places have no token of their own to point at, and a place that is ruled out needs logic.
LEFT_OUT = {unseen for unseen, _ in HELD_OUT.values()} | {"common_sense"}

VERBS = (
    "place", "put", "set", "drop", "lay", "move", "bring", "take", "carry", "deliver", "position", "deposit",
    "drag", "transport", "shift", "rest", "stick",
)  # fmt: skip
THINGS = ["stone", "piece", "disc", "counter", "chip", "token", "one", "marker"]
# {s}: the stone; {r}, {c}: row and column phrases, in either order; {p}: both.
FRAMES = (
    "{v} {s} {w} {p}", "{v} {s} on the board {w} {p}", "{p} gets {s}", "{p} is where {s} belongs",
    "please {v} {s} {w} {p}", "can you {v} {s} {w} {p}?", "{s} should end up {w} {p}", "{s}: {p}",
    "{w} {p}, {v} {s}", "{w} {p} on the board, {v} {s}", "your task: {v} {s} {w} {p} of the board",
    "{v} down {s} exactly {w} {p}", "we need {s} {w} {p}", "use {s} and cover {p}", "{s} must stand {w} {p}",
    "go for {s}, then {v} it {w} {p}", "let {s} lie {w} {p} of the grid", "have {s} {w} {p} now",
    "occupy {p} with {s}", "{v} me {s} over to {p}, thanks", "{p} shall be taken by {s}", "{s} , {p}",
)  # fmt: skip
PLACES = (
    "row {r}, column {c}", "row {r} and column {c}", "row {r} column {c}", "column {c}, row {r}",
    "column {c} and row {r}", "column {c} of row {r}", "row {r} of column {c}", "row {r} in column {c}",
    "({r}, {c})", "({r},{c})", "row {r} crossing column {c}", "column {c} crossing row {r}", "{r}, {c}",
    "the crossing of row {r} and column {c}", "the crossing of column {c} with row {r}",
    "the point in row {r} and in column {c}", "row number {r}, column number {c}",
)  # fmt: skip
JOINTS = ["at", "on", "in", "to", "onto", "upon", "where", "by", "into", "over"]

Sentence = tuple[str, tuple[int, int, int]]  # the words; colour (0 black, 1 white), row, column


def sentence(rng: np.random.Generator, meant: tuple[int, int, int] | None = None) -> Sentence:
    """One to learn from, about ``meant`` (colour, row, column), or about anything."""
    if meant is None:
        meant = int(rng.integers(2)), int(rng.integers(5)), int(rng.integers(5))
    color, row, column = meant
    name = ("black", "white")[color]
    if rng.random() < 0.4:
        goal = Intersection(color=name, row=row, column=column)
        words, phrasing = _taught()[int(rng.integers(len(_taught())))]
        other = f"row {rng.integers(5)}, column {rng.integers(5)}"
        return instruct(goal, phrasing, words=words, other=other).text, (color, row, column)
    article = str(rng.choice(["the", "a", "one", "that", "the nearest", "this"]))
    said = {
        "v": str(rng.choice(VERBS)), "s": f"{article} {name} {rng.choice(THINGS)}",
        "w": str(rng.choice(JOINTS)), "p": str(rng.choice(PLACES)).format(r=row, c=column),
    }  # fmt: skip
    return str(rng.choice(FRAMES)).format(**said), (color, row, column)


def _taught() -> list[tuple[str, CellPhrasing]]:
    sets = {"": PHRASINGS, **{name: group for name, group in WORD_SETS.items() if name not in LEFT_OUT}}
    return [(name, phrasing) for name, group in sets.items() for phrasing in group]


def all_of(words: str) -> Iterator[Sentence]:
    """Every sentence of one of BOMB's sets (the clean one: an empty name), for measuring."""
    for phrasing in PHRASINGS if not words else WORD_SETS[words]:
        for color, name in enumerate(("black", "white")):
            for row in range(5):
                for column in range(5):
                    goal = Intersection(color=name, row=row, column=column)
                    other = f"row {(row + 2) % 5}, column {(column + 3) % 5}"
                    yield instruct(goal, phrasing, words=words, other=other).text, (color, row, column)
