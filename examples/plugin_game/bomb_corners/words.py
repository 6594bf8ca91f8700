"""The words of the game."""

from bomb_corners.rules import CORNERS, cell_of
from core import COLOR, Instruction, Intersection, Phrasing, read_back, say

PHRASINGS = (
    Phrasing(name="canonical", template="put a {color} stone on the {corner} corner of the board"),
    Phrasing(name="take", template="take the {corner} corner with a {color} stone"),
)
_PATTERNS = {"color": COLOR, "corner": "|".join(CORNERS)}


def instruct(color: str, corner: str, phrasing: Phrasing) -> Instruction:
    """Says a move."""
    return say(phrasing, {"color": color, "corner": corner})


def parse(text: str, size: int) -> Intersection:
    """Reads a move back; raises ``core.OptionError`` if it is none."""
    _, field = read_back(PHRASINGS, text, _PATTERNS)
    row, column = cell_of(field["corner"], size)
    return Intersection(color=field["color"], row=row, column=column)
