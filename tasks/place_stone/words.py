"""The words of ``place_stone``: phrasings, their spans, and how to read them back."""

import re
from dataclasses import dataclass

from core.errors import OptionError
from core.task import Instruction, Intersection, Span


@dataclass(frozen=True, kw_only=True)
class Phrasing:
    """One way to say it.

    Attributes:
        name: identifies it in results.
        template: fields ``{color}``, ``{board}``, ``{row}``, ``{column}``; row and column phrases are
            themselves templates around the digits.
        row, column: the phrases that name the row and the column, with ``{row_digit}`` and
            ``{column_digit}``.
    """

    name: str
    template: str
    row: str = "{row_digit}"
    column: str = "{column_digit}"


# The first is the canonical one. In all of them (row, column) comes in that order.
PHRASINGS: tuple[Phrasing, ...] = (
    Phrasing(
        name="canonical",
        template="place the {color} stone on {board} at {row}, {column}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
    Phrasing(name="position", template="place the {color} stone at position ({row},{column})"),
    Phrasing(
        name="put",
        template="put the {color} stone on {board} at {row}, {column}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
    Phrasing(
        name="set_down",
        template="set the {color} stone down in {row} and {column} of {board}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
    Phrasing(
        name="intersection",
        template="pick up the {color} stone and place it on {board} at intersection ({row}, {column})",
    ),
    Phrasing(
        name="crossing",
        template="move the {color} stone to where {row} and {column} cross on {board}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
)

_FIELD = re.compile(r"\{(\w+)\}")


def instruct(goal: Intersection, phrasing: Phrasing) -> Instruction:
    """Says ``goal`` in the words of ``phrasing``, with the spans of its parts."""
    text, spans = "", {}

    def write(template: str, values: dict[str, str]) -> None:
        nonlocal text
        last = 0
        for match in _FIELD.finditer(template):
            text += template[last : match.start()]
            name, start = match.group(1), len(text)
            if name in values:
                text += values[name]
            else:
                digit = {"row": goal.row, "column": goal.column}[name]
                write(getattr(phrasing, name), {f"{name}_digit": str(digit)})
            spans[name] = Span(start=start, end=len(text))
            last = match.end()
        text += template[last:]

    write(phrasing.template, {"color": goal.color, "board": "the board"})
    return Instruction(text=text, spans=spans)


def parse(text: str) -> Intersection:
    """Reads a goal back from any of the phrasings.

    Raises:
        OptionError: if the words fit none of them.
    """
    for phrasing in PHRASINGS:
        pattern = re.escape(phrasing.template)
        for name in ("row", "column"):
            phrase = re.escape(getattr(phrasing, name)).replace(rf"\{{{name}_digit\}}", rf"(?P<{name}>\d+)")
            pattern = pattern.replace(rf"\{{{name}\}}", phrase)
        pattern = pattern.replace(r"\{color\}", r"(?P<color>black|white)").replace(r"\{board\}", "the board")
        match = re.fullmatch(pattern, text)
        if match:
            return Intersection(color=match["color"], row=int(match["row"]), column=int(match["column"]))
    raise OptionError(f"not an instruction of place_stone: {text!r}")
