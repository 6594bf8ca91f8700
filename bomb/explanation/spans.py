"""Which characters of an instruction name what: colour, board, row, column, digits, the place as a whole."""

import re
from functools import lru_cache

from core.board.goals import Intersection
from core.errors import OptionError, check_choice
from core.language.styles import STYLES, say_other
from core.task import Instruction, Span
from tasks.place_stone.words import PHRASINGS, WORD_SETS, CellPhrasing, instruct, parse

# The seven masks of the study's rollouts, in its order; see docs/explanation.md.
STUDY = ("place", "color", "row", "board", "row_digit", "column_digit", "column")

_COLORS = "|".join(
    sorted({c for style in STYLES.values() for c in style.colors.values()} | {"black", "white"})
)
_PLACES = re.compile(r"row (?P<row>\d+), column (?P<column>\d+)|\((?P<row_2>\d+), ?(?P<column_2>\d+)\)")
_SIZE = 5


@lru_cache(maxsize=1024)
def spans_of(text: str) -> dict[str, Span]:
    """The spans of an instruction by name; those that the words do not have are left out.

    ``place`` is where row and column stand, with what is between them. The sentences of ``place_stone`` are
    known exactly, in every set of words; of other tasks' the colour, rows and columns are found, the last
    place being the goal and one before it where the stone comes from (``from_row``, ``from_column``).
    """
    instruction = _of_place_stone(text)
    spans = dict(instruction.spans) if instruction is not None else _found(text)
    if "row" in spans and "column" in spans:
        both = (spans["row"], spans["column"])
        spans["place"] = Span(start=min(s.start for s in both), end=max(s.end for s in both))
    return spans


def span_named(text: str, name: str) -> Span:
    """One of ``spans_of``.

    Raises:
        UnknownNameError: listing those that the words have.
    """
    spans = spans_of(text)
    return spans[check_choice("span", name, spans)]


def without(text: str, span: Span) -> str:
    """The words without a span, spaces tidied; never empty."""
    left = re.sub(r"\s+", " ", f"{text[: span.start]} {text[span.end :]}")
    return re.sub(r" ([,.)])", r"\1", left).strip() or "."


def reworded(text: str, goal: Intersection) -> str:
    """The same sentence of ``place_stone`` about another goal, in the same style of words.

    Raises:
        OptionError: for a sentence of another task.
    """
    said = parse(text, _SIZE)
    phrasing, words, other = _sentence(text, said)
    if other == f"row {goal.row}, column {goal.column}":  # ruled out before, asked for now
        other = f"row {said.row}, column {said.column}"
    return instruct(goal, phrasing, words=words, other=other, size=_SIZE).text


def _of_place_stone(text: str) -> Instruction | None:
    try:
        goal = parse(text, _SIZE)
    except OptionError:
        return None
    phrasing, words, other = _sentence(text, goal)
    return instruct(goal, phrasing, words=words, other=other, size=_SIZE)


def _sentence(text: str, goal: Intersection) -> tuple[CellPhrasing, str, str]:
    """How ``text`` says ``goal``: the phrasing, its set of words, and what it rules out."""
    for words, phrasings in (("", PHRASINGS), *WORD_SETS.items()):
        for phrasing in phrasings:
            ruled_out = range(_SIZE**2) if "{other}" in phrasing.template else (0,)
            for other in (say_other((goal.row, goal.column), k, _SIZE) for k in ruled_out):
                if instruct(goal, phrasing, words=words, other=other, size=_SIZE).text == text:
                    return phrasing, words, other
    raise OptionError(f"not an instruction of place_stone: {text!r}")


def _found(text: str) -> dict[str, Span]:
    spans: dict[str, Span] = {}
    if color := re.search(rf"\b(?:{_COLORS})\b", text):
        spans["color"] = Span(start=color.start(), end=color.end())
    if board := re.search(r"\bthe board\b", text):
        spans["board"] = Span(start=board.start(), end=board.end())
    places = list(_PLACES.finditer(text))
    if len(places) > 2:
        return spans  # a list of stones
    for prefix, match in zip(("", "from_"), reversed(places), strict=False):
        for name in ("row", "column"):
            group = name if match[name] is not None else f"{name}_2"
            spans[f"{prefix}{name}"] = Span(start=match.start(group), end=match.end(group))
    return spans
