"""How colours and intersections are said: digits or letters, numbers in words, places on the board."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.board.boards import COLORS, Cell

SPELLED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
NTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
LETTERS = "ABCDEFGHJ"


@dataclass(frozen=True, kw_only=True)
class Style:
    """One way to say colours, rows and columns.

    Attributes:
        colors: by the name of a colour.
        row, column: from the index, which counts from 0.
    """

    colors: Mapping[str, str] = field(default_factory=lambda: {color: color for color in COLORS})
    row: Callable[[int], str] = str
    column: Callable[[int], str] = str


PLAIN = Style()
STYLES: dict[str, Style] = {
    "letters": Style(row=lambda row: str(row + 1), column=LETTERS.__getitem__),
    "spelled": Style(row=SPELLED.__getitem__, column=SPELLED.__getitem__),
    "ordinal": Style(row=NTH.__getitem__, column=NTH.__getitem__),
    "appearance": Style(colors={"black": "dark", "white": "light"}),
    "common_sense": Style(colors={"black": "coal", "white": "snow"}),
}


def style_of(words: str) -> Style:
    """The style of a set of sentences; digits and the names of colours unless the set has one of its own."""
    return STYLES.get(words, PLAIN)


def say_place(row: int, column: int, size: int) -> str:
    """An intersection by where it is, as the head picture shows the board; exact for each of them."""
    middle = size // 2
    down, right = row - middle, column - middle
    vertical = {-middle: "top", middle: "bottom"}.get(down)
    horizontal = {-middle: "left", middle: "right"}.get(right)
    if down == right == 0:
        return "the middle of the board"
    if vertical and horizontal:
        return f"the {vertical} {horizontal} corner of the grid"
    if vertical and right == 0:
        return f"the middle of the {vertical} edge of the grid"
    if horizontal and down == 0:
        return f"the middle of the {horizontal} edge of the grid"
    steps = [
        f"{SPELLED[abs(count)]} step{'s' if abs(count) > 1 else ''} {words[count > 0]}"
        for count, words in ((down, ("up", "down")), (right, ("left", "right")))
        if count
    ]
    return f"the point {' and '.join(steps)} from the middle of the board"


def say_other(cell: Cell, other: int, size: int) -> str:
    """An intersection that is not ``cell``: ``other`` counts through them from the next one on."""
    row, column = divmod((cell[0] * size + cell[1] + 1 + other) % (size * size), size)
    return f"row {row}, column {column}"
