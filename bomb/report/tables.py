"""Markdown's tables and sections."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; empty without rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def section(title: str, body: str) -> str:
    """A heading with what is below it; empty if there is nothing."""
    return f"## {title}\n\n{body}" if body else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
