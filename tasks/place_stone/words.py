"""The words of ``place_stone``: phrasings, their spans, and how to read them back."""

import re
from dataclasses import dataclass

from core.errors import OptionError
from core.language.styles import say_place, style_of
from core.task import Instruction, Intersection, Span


@dataclass(frozen=True, kw_only=True)
class CellPhrasing:
    """One way to say it, with phrases of its own for the row and the column.

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
PHRASINGS: tuple[CellPhrasing, ...] = (
    CellPhrasing(
        name="canonical",
        template="place the {color} stone on {board} at {row}, {column}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
    CellPhrasing(name="position", template="place the {color} stone at position ({row},{column})"),
    CellPhrasing(
        name="put",
        template="put the {color} stone on {board} at {row}, {column}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
    CellPhrasing(
        name="set_down",
        template="set the {color} stone down in {row} and {column} of {board}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
    CellPhrasing(
        name="intersection",
        template="pick up the {color} stone and place it on {board} at intersection ({row}, {column})",
    ),
    CellPhrasing(
        name="crossing",
        template="move the {color} stone to where {row} and {column} cross on {board}",
        row="row {row_digit}",
        column="column {column_digit}",
    ),
)

# Sentences of the knob `words`, by set; core.language.styles has how a set says colours, rows and columns.
_NUMBERS = {"row": "row {row_digit}", "column": "column {column_digit}"}
_ORDINALS = {"row": "the {row_digit} row from the top", "column": "the {column_digit} column from the left"}


def _phrasings(name: str, templates: tuple[str, ...], **phrases: str) -> tuple[CellPhrasing, ...]:
    return tuple(
        CellPhrasing(name=f"{name}_{k}", template=text, **phrases) for k, text in enumerate(templates)
    )


WORD_SETS: dict[str, tuple[CellPhrasing, ...]] = {
    "paraphrase_seen": _phrasings(
        "paraphrase_seen",
        (
            "lay the {color} stone on {board} at {row}, {column}",
            "take the {color} stone and put it at {row}, {column} of {board}",
            "bring the {color} stone to {row} and {column} on {board}",
            "the {color} stone goes to {row}, {column} on {board}",
            "play the {color} stone at {row}, {column}",
            "on {board}, place the {color} stone at {row}, {column}",
        ),
        **_NUMBERS,
    ),
    "paraphrase_unseen": _phrasings(
        "paraphrase_unseen",
        (
            "could you park the {color} stone where {row} meets {column}?",
            "I want the {color} stone on {board}, in {row} and in {column}",
            "at {row}, {column} of {board} there should be the {color} stone",
            "relocate the {color} piece to {row}, {column}",
            "fill {row}, {column} of {board} with the {color} stone",
            "leave the {color} stone standing on {board} in {column} of {row}",
        ),
        **_NUMBERS,
    ),
    "letters": _phrasings(
        "letters",
        ("place the {color} stone on {board} at {column}{row}", "put the {color} stone on {column}{row}"),
    ),
    "spelled": _phrasings(
        "spelled",
        (
            "place the {color} stone on {board} at {row}, {column}",
            "put the {color} stone on {board} in {row}, {column}",
        ),
        **_NUMBERS,
    ),
    "ordinal": _phrasings(
        "ordinal",
        (
            "place the {color} stone on {board} in {row} and {column}",
            "put the {color} stone where {row} and {column} cross",
        ),
        **_ORDINALS,
    ),
    "action": _phrasings(
        "action",
        (
            "pick up the {color} stone and drop it off at {row}, {column} of {board}",
            "grab the {color} stone, carry it to {row}, {column} and let go of it there",
            "grasp the {color} stone, lift it, and release it on {board} at {row}, {column}",
        ),
        **_NUMBERS,
    ),
    "negation": _phrasings(
        "negation",
        (
            "place the {color} stone on {board} at {row}, {column}, not at {other}",
            "put the {color} stone not at {other} but at {row}, {column} of {board}",
        ),
        **_NUMBERS,
    ),
    "appearance": _phrasings(
        "appearance",
        (
            "place the {color} round piece on {board} at {row}, {column}",
            "put the small {color} disc on {board} at {row}, {column}",
        ),
        **_NUMBERS,
    ),
    "common_sense": _phrasings(
        "common_sense",
        (
            "place the stone the color of {color} on {place}",
            "put the stone the color of {color} onto {place}",
        ),
    ),
}

_FIELD = re.compile(r"\{(\w+)\}")


def instruct(
    goal: Intersection,
    phrasing: CellPhrasing,
    *,
    words: str = "",
    other: str = "",
    size: int = 5,
) -> Instruction:
    """Says ``goal`` in the words of ``phrasing``, with the spans of its parts.

    Args:
        goal: what is asked for.
        phrasing: the sentence.
        words: set that it is from, which says colours and numbers in its own way.
        other: the intersection that a sentence with ``{other}`` rules out, in words.
        size: lines of the board.
    """
    text, spans, style = "", {}, style_of(words)
    say = {"row": style.row(goal.row), "column": style.column(goal.column)}
    values = {
        "color": style.colors[goal.color],
        "board": "the board",
        "place": say_place(goal.row, goal.column, size),
        "other": other,
    }

    def write(template: str, values: dict[str, str]) -> None:
        nonlocal text
        last = 0
        for match in _FIELD.finditer(template):
            text += template[last : match.start()]
            name, start = match.group(1), len(text)
            if name in values:
                text += values[name]
            else:
                write(getattr(phrasing, name), {f"{name}_digit": say[name]})
            spans[name] = Span(start=start, end=len(text))
            last = match.end()
        text += template[last:]

    write(phrasing.template, values)
    if "place" in spans:  # one phrase carries both
        spans["row"] = spans["column"] = spans.pop("place")
    spans.pop("other", None)
    return Instruction(text=text, spans=spans)


def parse(text: str, size: int = 5) -> Intersection:
    """Reads a goal back from any of the phrasings, those of ``WORD_SETS`` included.

    Raises:
        OptionError: if the words fit none of them.
    """
    places = {say_place(row, column, size): (row, column) for row in range(size) for column in range(size)}
    for words, phrasing in [("", p) for p in PHRASINGS] + [
        (w, p) for w, group in WORD_SETS.items() for p in group
    ]:
        style = style_of(words)
        rows = {style.row(k): k for k in range(size)}
        columns = {style.column(k): k for k in range(size)}
        colors = {said: color for color, said in style.colors.items()}
        pattern = re.escape(phrasing.template)
        for name, values in (("row", rows), ("column", columns)):
            phrase = re.escape(getattr(phrasing, name))
            phrase = phrase.replace(rf"\{{{name}_digit\}}", rf"(?P<{name}>{'|'.join(values)})")
            pattern = pattern.replace(rf"\{{{name}\}}", phrase)
        pattern = pattern.replace(r"\{color\}", rf"(?P<color>{'|'.join(colors)})").replace(
            r"\{board\}", "the board"
        )
        pattern = pattern.replace(r"\{place\}", rf"(?P<place>{'|'.join(places)})")
        pattern = pattern.replace(r"\{other\}", r"row \d+, column \d+")
        match = re.fullmatch(pattern, text)
        if match:
            found = match.groupdict()
            row, column = (
                places[found["place"]] if "place" in found else (rows[found["row"]], columns[found["column"]])
            )
            return Intersection(color=colors[found["color"]], row=row, column=column)
    raise OptionError(f"not an instruction of place_stone: {text!r}")
