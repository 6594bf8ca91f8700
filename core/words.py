"""Saying a goal and reading it back: templates with named fields, and where the fields stand in the text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.errors import OptionError
from core.task import Instruction, Span

_FIELD = re.compile(r"\{(\w+)\}")
COLOR = "black|white"
DIGIT = r"\d+"


@dataclass(frozen=True, kw_only=True)
class Phrasing:
    """One way to say it. ``template`` has fields in braces; ``name`` identifies it in results."""

    name: str
    template: str


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
        pattern = _FIELD.sub(
            lambda field: f"(?P<{field[1]}>{patterns[field[1]]})", _escape(phrasing.template)
        )
        match = re.fullmatch(pattern, text)
        if match:
            return phrasing.name, match.groupdict()
    raise OptionError(f"these words say nothing that this task knows: {text!r}")


def _escape(template: str) -> str:
    return re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
