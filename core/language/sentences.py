"""Saying a goal and reading it back: templates with named fields, and where the fields stand in the text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.board.boards import Cell
from core.errors import OptionError
from core.language.styles import say_other, say_place, style_of
from core.task import Instruction, Span, Wording

_FIELD = re.compile(r"\{(\w+)\}")
COLOR = "black|white"

# An entry of a list of stones, by set of sentences: letters have one of their own.
_ENTRY = "{color} at ({row}, {column})"
_ENTRIES = {"letters": "{color} at {column}{row}"}


@dataclass(frozen=True, kw_only=True)
class Phrasing:
    """One way to say it. ``template`` has fields in braces; ``name`` identifies it in results."""

    name: str
    template: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """What words say.

    Attributes:
        phrasing: name of the phrasing that they are.
        words: set that it is from; empty for the clean one.
        color: ``black`` or ``white``; None if they name none.
        cells: intersections by the prefix of their fields, as ``say_cells`` takes them.
        lists: stones and where they stand, by the name of a field that ``say_list`` filled.
    """

    phrasing: str
    words: str
    color: str | None
    cells: dict[str, Cell] = field(default_factory=dict)
    lists: dict[str, list[tuple[str, Cell]]] = field(default_factory=dict)

    @property
    def named_color(self) -> str:
        """The colour, of words that must name one.

        Raises:
            OptionError: if they name none.
        """
        if self.color is None:
            raise OptionError(f"these words name no colour: {self.phrasing}")
        return self.color


def phrasings(name: str, *templates: str) -> tuple[Phrasing, ...]:
    """Numbered phrasings of a set."""
    return tuple(Phrasing(name=f"{name}_{k}", template=template) for k, template in enumerate(templates))


def say(phrasing: Phrasing, values: Mapping[str, object]) -> Instruction:
    """Fills the template in; each field becomes a span of its name."""
    text, spans, last = "", {}, 0
    for match in _FIELD.finditer(phrasing.template):
        text += phrasing.template[last : match.start()]
        start = len(text)
        text += str(values[match[1]])
        spans[match[1]] = Span(start=start, end=len(text))
        last = match.end()
    return Instruction(text=text + phrasing.template[last:], spans=spans)


def say_cells(
    phrasing: Phrasing,
    color: str,
    cells: Mapping[str, Cell],
    *,
    words: str = "",
    size: int = 5,
    other: str = "",
) -> Instruction:
    """Fills a template in, with colour and intersections said as the set ``words`` says them.

    Args:
        phrasing: its fields are ``{color}``, and for the prefix of each cell ``{row}`` and ``{column}`` or
            ``{place}``; and ``{other}``.
        color: ``black`` or ``white``.
        cells: intersections by prefix: ``""`` for ``{row}``, ``"from_"`` for ``{from_row}``.
        words: set of sentences that the phrasing is from.
        size: lines of the board.
        other: what stands for ``{other}``, an intersection that is ruled out.
    """
    style = style_of(words)
    values = {"color": style.colors[color], "other": other}
    for prefix, (row, column) in cells.items():
        values[f"{prefix}row"], values[f"{prefix}column"] = style.row(row), style.column(column)
        values[f"{prefix}place"] = say_place(row, column, size)
    said = say(phrasing, values)
    spans = {name: span for name, span in said.spans.items() if name != "other"}
    for prefix in cells:
        if place := spans.pop(f"{prefix}place", None):  # one phrase carries both
            spans[f"{prefix}row"] = spans[f"{prefix}column"] = place
    return Instruction(text=said.text, spans=spans)


def reword_cells(
    groups: Mapping[str, Sequence[Phrasing]],
    wording: Wording,
    color: str,
    cells: Mapping[str, Cell],
    *,
    size: int,
    target: str = "",
) -> Instruction:
    """Says the same in the sentences of a set; where one is ruled out, it is not ``cells[target]``."""
    other = say_other(cells[target], wording.other, size)
    return say_cells(
        wording.pick(groups[wording.words]), color, cells, words=wording.words, size=size, other=other
    )


def read_cells(
    groups: Mapping[str, Iterable[Phrasing]], text: str, *, size: int = 5, lists: Iterable[str] = ()
) -> Said:
    """Reads back what ``say_cells`` said.

    Args:
        groups: what may have been said, by set of sentences; the clean ones under the empty name.
        text: the words.
        size: lines of the board.
        lists: names of fields that ``say_list`` filled.

    Raises:
        OptionError: if the words fit none of the phrasings.
    """
    for words, group in groups.items():
        meanings = _meanings(words, size)
        patterns = _Patterns({kind: "|".join(map(re.escape, said)) for kind, said in meanings.items()})
        entry = _filled(_entry(words).template, patterns, "(?:{pattern})")
        patterns |= {"other": r"row \d+, column \d+", **dict.fromkeys(lists, f"{entry}(?:, {entry})*")}
        try:
            phrasing, found = read_back(group, text, patterns)
        except OptionError:
            continue
        values = {
            name: meanings[_kind(name)][said] for name, said in found.items() if _kind(name) in meanings
        }
        cells = {name[:-5]: cell for name, cell in values.items() if _kind(name) == "place"}
        for prefix in (name[:-3] for name in values if _kind(name) == "row"):
            cells[prefix] = (values[f"{prefix}row"], values[f"{prefix}column"])
        listed = {
            name: [
                _read_entry(part[0], words, meanings, patterns) for part in re.finditer(entry, found[name])
            ]
            for name in lists
            if name in found
        }
        return Said(phrasing=phrasing, words=words, color=values.get("color"), cells=cells, lists=listed)
    raise OptionError(f"these words say nothing that this task knows: {text!r}")


def say_list(stones: Iterable[tuple[str, Cell]], words: str = "") -> str:
    """Stones and where they stand, one after the other: ``black at (0, 1), white at (2, 3)``."""
    return ", ".join(say_cells(_entry(words), color, {"": cell}, words=words).text for color, cell in stones)


def _entry(words: str) -> Phrasing:
    return Phrasing(name="entry", template=_ENTRIES.get(words, _ENTRY))


def _read_entry(
    text: str, words: str, meanings: Mapping[str, Any], patterns: Mapping[str, str]
) -> tuple[str, Cell]:
    _, found = read_back([_entry(words)], text, patterns)
    color, row, column = (meanings[kind][found[kind]] for kind in ("color", "row", "column"))
    return color, (row, column)


def _meanings(words: str, size: int) -> dict[str, dict[str, Any]]:
    """What the values of fields mean, by kind of field, as the set ``words`` says them."""
    style, lines = style_of(words), range(size)
    return {
        "color": {said: color for color, said in style.colors.items()},
        "row": {style.row(k): k for k in lines},
        "column": {style.column(k): k for k in lines},
        "place": {say_place(row, column, size): (row, column) for row in lines for column in lines},
    }


def read_back(
    phrasings: Iterable[Phrasing], text: str, patterns: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """Which phrasing ``text`` is, and what stands in its fields.

    Args:
        phrasings: what may have been said.
        text: the words.
        patterns: regular expression of each field.

    Raises:
        OptionError: if the words fit none of the phrasings.
    """
    for phrasing in phrasings:
        match = re.fullmatch(_filled(phrasing.template, patterns, "(?P<{name}>{pattern})"), text)
        if match:
            return phrasing.name, match.groupdict()
    raise OptionError(f"these words say nothing that this task knows: {text!r}")


class _Patterns(dict[str, str]):
    """Fields with a prefix have the pattern of the field without: ``from_row`` that of ``row``."""

    def __missing__(self, name: str) -> str:
        prefix, _, kind = name.rpartition("_")
        if not prefix:
            raise KeyError(name)
        return self[kind]


def _kind(name: str) -> str:
    return name.rpartition("_")[2]


def _filled(template: str, patterns: Mapping[str, str], group: str) -> str:
    """The template as a regular expression, each field as ``group`` wants it."""
    escaped = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    return _FIELD.sub(lambda name: group.format(name=name[1], pattern=patterns[name[1]]), escaped)
