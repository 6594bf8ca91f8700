"""One HTML page with everything in it: no other file, no network."""

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fafaf8;
       max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid #ddd; }
p { max-width: 46rem; }
img, video { max-width: 100%; height: auto; display: block; border: 1px solid #ddd; background: #fff; }
figure { margin: 1rem 0; }
figcaption { color: #555; font-size: .9rem; margin-top: .3rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; background: #fff; }
th, td { border: 1px solid #ddd; padding: .3rem .7rem; text-align: left; vertical-align: top; }
th { background: #f0f0ec; font-weight: 600; }
td.number { text-align: right; white-space: nowrap; }
td small { color: #555; display: block; max-width: 24rem; }
.good { color: #176b2c; } .bad { color: #a11a1a; font-weight: 600; } .open { color: #7a5b00; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9rem; }
pre { background: #f0f0ec; padding: .7rem; overflow-x: auto; }
.note { background: #fff6dd; border: 1px solid #e8d9a0; padding: .6rem .8rem; }
"""


class Raw(str):
    """Text that is HTML already; everything else is escaped."""


class Page:
    """Collects parts from top to bottom; ``html()`` is the page."""

    def __init__(self, title: str):
        self._title = title
        self._parts: list[str] = [f"<h1>{escape(title)}</h1>"]

    def heading(self, words: str) -> None:
        """Begins a section."""
        self._parts.append(f"<h2>{escape(words)}</h2>")

    def paragraph(self, words: str, kind: str = "") -> None:
        """Plain words; ``kind="note"`` sets them apart."""
        self._parts.append(f'<p class="{kind}">{_text(words)}</p>' if kind else f"<p>{_text(words)}</p>")

    def code(self, words: str) -> None:
        """Something to type."""
        self._parts.append(f"<pre>{escape(words)}</pre>")

    def picture(self, file: Path, caption: str) -> None:
        """A PNG, embedded."""
        source = _data("image/png", file)
        self._figure(f'<img alt="{escape(caption)}" src="{source}">', caption)

    def video(self, file: Path, caption: str) -> None:
        """An MP4, embedded."""
        source = _data("video/mp4", file)
        self._figure(
            f'<video controls loop muted playsinline preload="auto" src="{source}"></video>', caption
        )

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Cells that look like numbers are set to the right; ``Raw`` cells are not escaped."""
        lines = ["<table>", "<tr>" + "".join(f"<th>{_text(cell)}</th>" for cell in header) + "</tr>"]
        for row in rows:
            cells = (
                f'<td class="number">{_text(c)}</td>' if _is_number(c) else f"<td>{_text(c)}</td>"
                for c in row
            )
            lines.append("<tr>" + "".join(cells) + "</tr>")
        self._parts.append("\n".join([*lines, "</table>"]))

    def html(self) -> str:
        """The whole page."""
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self._title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            + "\n".join(self._parts)
            + "\n</body>\n</html>\n"
        )

    def _figure(self, inner: str, caption: str) -> None:
        self._parts.append(f"<figure>{inner}<figcaption>{_text(caption)}</figcaption></figure>")


def _text(words: str) -> str:
    """HTML of plain words; what stands between backticks is set as code."""
    return words if isinstance(words, Raw) else re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words))


def _is_number(cell: str) -> bool:
    return not isinstance(cell, Raw) and re.match(r"[\[≤≥-]? ?[\d?]", cell) is not None


def _data(kind: str, file: Path) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
