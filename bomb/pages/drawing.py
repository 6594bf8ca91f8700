"""How the charts of a report look, and how a figure becomes the bytes of a picture.

Every chart is drawn for a column of about 430 pixels, so that its words can be read on a phone; a page sets
several side by side. Colours are those of Okabe and Ito (2008, "Color Universal Design"), told apart by most
colour-blind readers; series differ by marker and line as well.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, LINE = "#222222", "#595959", "#dcdcd6"
WOOD, GRID = "#efdcb8", "#8d6f3f"  # the board in drawings: light, so that what is drawn on it is seen
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SERIES = (BLUE, VERMILLION, GREEN, "#CC79A7", ORANGE, "#56B4E9", "#000000")
MARKERS = ("o", "^", "P", "s", "v", "X", "D")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))
WIDTH = 4.5  # inches of a chart, at 96 pixels each

_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "figure.constrained_layout.use": True,
    "figure.dpi": 96,
    "savefig.dpi": 192,
    "svg.fonttype": "path",  # the same letters on every machine
    "svg.hashsalt": "bomb",  # the same names of parts in every run
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Chart:
    """A drawn chart.

    Attributes:
        data: the picture.
        kind: its media type.
        alt: what there is to see, in words with the numbers that matter.
        caption: how to read it.
    """

    data: bytes
    kind: str
    alt: str
    caption: str


def series_style(k: int, variant: int = 0) -> dict[str, Any]:
    """Colour of the ``k``-th series; marker and line too, so that it is never told by colour alone.

    Variants of a series (simulators of a run) share its colour and differ by marker and line.
    """
    return {
        "color": SERIES[k % len(SERIES)],
        "marker": MARKERS[(k + 3 * variant) % len(MARKERS)],
        "linestyle": LINES[variant % len(LINES)],
    }


@contextmanager
def figure(width: float = WIDTH, height: float = 3.0) -> Iterator["tuple[Figure, Axes]"]:
    """A figure with one pair of axes in the style of the report; sizes in inches.

    Raises:
        BombError: if matplotlib is not installed, naming the extra that brings it.
    """
    # A notebook's, inherited: a backend of a package that may not be here, and that nothing here needs.
    inherited = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("the page of `bomb report`", "report") from error
    finally:
        if inherited is not None:
            os.environ["MPLBACKEND"] = inherited
    style: dict[Any, Any] = {**matplotlib.rcParamsDefault, **_STYLE, "backend": "agg"}
    with matplotlib.rc_context(style):
        # Not through pyplot, which keeps figures and picks a window system.
        drawn = Figure(figsize=(width, height))
        yield drawn, drawn.add_subplot()


def svg(drawn: "Figure", *, alt: str, caption: str) -> Chart:
    """The figure as an SVG; what was set to ``rasterized`` is a picture in it."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return Chart(data=buffer.getvalue(), kind="image/svg+xml", alt=alt, caption=caption)
