"""One HTML page with everything in it: no other file, no network."""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path

from bomb.pages.style import STYLE

PNG, SVG, MP4 = "image/png", "image/svg+xml", "video/mp4"


class Raw(str):
    """Text that is HTML already; everything else is escaped."""


class Page:
    """Collects parts from top to bottom; ``html()`` is the page.

    Args:
        title: of the page and the window.
        contents: whether a list of the sections stands under the title.
    """

    def __init__(self, title: str, *, contents: bool = False):
        self._title, self._contents = title, contents
        self._parts: list[str] = []
        self._sections: list[tuple[str, str]] = []

    def heading(self, words: str) -> None:
        """Begins a section."""
        name = self._name(words)
        self._sections.append((name, words))
        self._parts.append(f'<h2 id="{name}">{escape(words)}</h2>')

    def subheading(self, words: str) -> None:
        """Begins a part of a section."""
        self._parts.append(f"<h3>{escape(words)}</h3>")

    def paragraph(self, words: str, kind: str = "") -> None:
        """Plain words; ``kind="note"`` sets them apart."""
        self._parts.append(f'<p class="{kind}">{_text(words)}</p>' if kind else f"<p>{_text(words)}</p>")

    def code(self, words: str) -> None:
        """Something to type."""
        self._parts.append(f'<pre tabindex="0">{escape(words)}</pre>')

    def picture(
        self, picture: Path | bytes, caption: str, *, alt: str | None = None, kind: str = PNG
    ) -> None:
        """A picture, embedded.

        Args:
            picture: the file, or what would be in it.
            caption: stands under it.
            alt: says what there is to see, for those who cannot; the caption if left out.
            kind: its media type, ``PNG`` or ``SVG``.
        """
        words = escape(caption if alt is None else alt)
        self._figure(f'<img alt="{words}" src="{_data(kind, picture)}">', caption)

    def video(self, video: Path | bytes, caption: str) -> None:
        """An MP4, embedded."""
        self._figure(
            f'<video controls loop muted playsinline preload="auto" aria-label="{escape(caption)}" '
            f'src="{_data(MP4, video)}"></video>',
            caption,
        )

    def table(
        self, header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", *, numbers: bool = True
    ) -> None:
        """A table; with ``numbers``, cells that look like some are set to the right. ``Raw`` is not escaped.

        Where the page is narrower than the table, the table is scrolled sideways and not the page.
        """
        label = f' aria-label="{escape(caption)}"' if caption else ' aria-label="table"'
        lines = [f'<div class="table" role="region" tabindex="0"{label}><table>']
        if caption:
            lines.append(f"<caption>{_text(caption)}</caption>")
        lines.append("<tr>" + "".join(f'<th scope="col">{_text(cell)}</th>' for cell in header) + "</tr>")
        for row in rows:
            cells = (
                f'<td class="number">{_text(c)}</td>' if numbers and _is_number(c) else f"<td>{_text(c)}</td>"
                for c in row
            )
            lines.append("<tr>" + "".join(cells) + "</tr>")
        self._parts.append("\n".join([*lines, "</table></div>"]))

    def cards(self, cards: Iterable[tuple[str, str, str]]) -> None:
        """Numbers that are read first, each as (what it is of, the number, what to know about it)."""
        inner = "".join(
            f'<div class="card"><dt>{_text(name)}</dt><dd class="big">{_text(value)}</dd>'
            f"<dd>{_text(words)}</dd></div>"
            for name, value, words in cards
        )
        self._parts.append(f'<dl class="cards">{inner}</dl>')

    @contextmanager
    def columns(self, width: str = "26rem") -> Iterator[None]:
        """What is added inside stands in columns at least ``width`` wide, one below the other on a phone."""
        self._parts.append(f'<div class="columns" style="--least: {width}">')
        yield
        self._parts.append("</div>")

    @contextmanager
    def row(self) -> Iterator[None]:
        """What is added inside stands side by side, each as wide as it is, as far as there is room."""
        self._parts.append('<div class="row">')
        yield
        self._parts.append("</div>")

    @contextmanager
    def details(self, words: str) -> Iterator[None]:
        """What is added inside is folded away until the reader opens it."""
        self._parts.append(f"<details><summary>{_text(words)}</summary>")
        yield
        self._parts.append("</details>")

    def html(self) -> str:
        """The whole page."""
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            # Without an icon of its own, a browser would ask the server for one.
            '<link rel="icon" href="data:,">\n'
            f"<title>{escape(self._title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
            + "\n".join([f"<h1>{escape(self._title)}</h1>", *self._list_of_sections(), *self._parts])
            + "\n</main>\n</body>\n</html>\n"
        )

    def _list_of_sections(self) -> list[str]:
        if not self._contents or not self._sections:
            return []
        items = "".join(f'<li><a href="#{name}">{escape(words)}</a></li>' for name, words in self._sections)
        return [f'<nav aria-label="Contents"><ul>{items}</ul></nav>']

    def _name(self, words: str) -> str:
        name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "section"
        taken = {known for known, _ in self._sections}
        return name if name not in taken else f"{name}-{len(taken)}"

    def _figure(self, inner: str, caption: str) -> None:
        self._parts.append(f"<figure>{inner}<figcaption>{_text(caption)}</figcaption></figure>")


def _text(words: str) -> str:
    """HTML of plain words; what stands between backticks is set as code."""
    return words if isinstance(words, Raw) else re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words))


def _is_number(cell: str) -> bool:
    return not isinstance(cell, Raw) and re.match(r"[\[≤≥+−-]? ?[\d?]", cell) is not None


def _data(kind: str, content: Path | bytes) -> str:
    content = content.read_bytes() if isinstance(content, Path) else content
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
