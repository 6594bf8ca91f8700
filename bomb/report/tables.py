"""Markdown's tables and sections."""

import re
from collections.abc import Sequence

from bomb.disk.text import harmless

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
UNDEFINED = "undefined: "


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, with the reasons of what is undefined in it below, each once; empty without rows."""
    if not rows:
        return ""
    notes: dict[str, int] = {}
    lines = [head, ["---"] * len(head), *([_noted(cell, notes) for cell in row] for row in rows)]
    text = "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)
    return text + "".join(f"\n({number}) {reason}\n" for reason, number in notes.items())


def section(title: str, body: str) -> str:
    """A heading with what is below it; empty if there is nothing."""
    return f"## {title}\n\n{body}" if body else ""


def escaped(text: str) -> str:
    """Words of others without HTML, which Markdown lets through: what could open a tag is a plain sign.

    Nor do they move the cursor of a terminal that shows the file.
    """
    return _TAG.sub("&lt;", harmless(text))


def _noted(cell: str, notes: dict[str, int]) -> str:
    if not cell.startswith(UNDEFINED):
        return cell
    return f"undefined ({notes.setdefault(cell.removeprefix(UNDEFINED), len(notes) + 1)})"


def _cell(text: str) -> str:
    return escaped(text).replace("|", "\\|").replace("\n", " ")
