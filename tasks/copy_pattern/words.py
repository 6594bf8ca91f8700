"""The words of ``copy_pattern``: the stones in a list."""

import re

from core.errors import OptionError
from core.goals import Intersection, Pattern
from core.task import Instruction
from core.words import COLOR, Phrasing, read_back, say

PHRASINGS: tuple[Phrasing, ...] = (
    Phrasing(name="canonical", template="set up this pattern on the board: {stones}"),
    Phrasing(name="place", template="place these stones on the board, in any order: {stones}"),
    Phrasing(name="copy", template="make the board show {stones}"),
)
PICTURE = Phrasing(name="picture", template="set up the pattern of the goal picture on the board")
_STONE = re.compile(rf"({COLOR}) at \((\d+), (\d+)\)")
_PATTERNS = {"stones": r"[^:]+"}


def instruct(pattern: Pattern, phrasing: Phrasing) -> Instruction:
    """Says the pattern; the span ``stones`` is the list."""
    listed = ", ".join(f"{stone.color} at ({stone.row}, {stone.column})" for stone in pattern.stones)
    return say(phrasing, {"stones": listed})


def parse(text: str) -> Pattern:
    """Reads a pattern back.

    Raises:
        OptionError: if the words fit no phrasing, or are no list of stones.
    """
    _, field = read_back(PHRASINGS, text, _PATTERNS)
    parts = re.split(r"(?<=\)), ", field["stones"])
    found = [_STONE.fullmatch(part) for part in parts]
    if not all(found):
        raise OptionError(
            f"no list of stones: {field['stones']!r}; valid: 'black at (0, 1), white at (2, 3)'"
        )
    return Pattern(stones=tuple(Intersection(color=m[1], row=int(m[2]), column=int(m[3])) for m in found))
