"""The board seen from above, as the head picture shows it: row 0 on top, column 0 on the left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bomb.pages.drawing import (
    BLUE,
    GRID,
    INK,
    SOFT,
    VERMILLION,
    WIDTH,
    WOOD,
    Chart,
    figure,
    series_style,
    svg,
)
from bomb.statistics.formats import fixed
from core.board.boards import Cell
from core.world.scene import BoardSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Circle

# How much longer than the board an offset is drawn: the tolerance's 10 mm then fill most of a cell of 55 mm.
MAGNIFIED = 2.2
_SIDE = 0.86 * WIDTH  # inches of a board


@dataclass(frozen=True, kw_only=True)
class Path:
    """The way of one tool centre point.

    Attributes:
        points: float[T, 2], x and y in the board frame (m).
        success: how the episode ended.
    """

    points: npt.NDArray[np.floating]
    success: bool


def success_board(title: str, counts: dict[Cell, tuple[int, int]], board: BoardSpec, caption: str) -> Chart:
    """Success by the intersection that was asked for.

    Args:
        title: of the chart.
        counts: (successes, episodes) by intersection.
        board: whose intersections.
        caption: how to read it.
    """
    with figure(width=_SIDE, height=_SIDE + 0.55) as (drawn, axes):
        import matplotlib

        shades = matplotlib.colormaps["cividis"]
        _draw_board(axes, board)
        for (row, column), (good, n) in counts.items():
            x, y = _mm(board, row, column)
            if not n:
                continue
            share = good / n
            axes.add_patch(_circle((x, y), 20, facecolor=shades(share), edgecolor=INK, linewidth=0.8))
            axes.text(x, y, f"{good}/{n}", ha="center", va="center", fontsize=8.5,
                      color="white" if share < 0.55 else INK)  # fmt: skip
        axes.set_title(title)
        scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), shades)
        bar = drawn.colorbar(scale, ax=axes, location="bottom", fraction=0.05, aspect=30, pad=0.02)
        bar.set_ticks([0, 0.5, 1], labels=["0%", "50% placed", "100%"])
        bar.outline.set_visible(False)
        alt = f"{title}, by row and column: " + "; ".join(
            f"({row}, {column}) {good} of {n}" for (row, column), (good, n) in sorted(counts.items()) if n
        )
        return svg(drawn, alt=alt, caption=caption)


def offset_board(
    title: str,
    offsets: Mapping[Cell, npt.NDArray[np.floating]],
    board: BoardSpec,
    tolerance_mm: float,
    caption: str,
) -> Chart:
    """Where stones came to rest around their intersection, and their mean offset as an arrow.

    Args:
        title: of the chart.
        offsets: float[n, 2] by intersection, x and y of B from the intersection (mm).
        board: whose intersections.
        tolerance_mm: radius within which a stone is placed.
        caption: how to read it; the scale is added.
    """
    with figure(width=_SIDE, height=_SIDE + 0.2) as (drawn, axes):
        _draw_board(axes, board)
        for row in range(board.size):
            for column in range(board.size):
                axes.add_patch(
                    _circle(
                        _mm(board, row, column),
                        tolerance_mm * MAGNIFIED,
                        facecolor="#ffffff88",
                        edgecolor=SOFT,
                        linewidth=0.7,
                    )
                )
        for (row, column), cloud in offsets.items():
            x, y = _mm(board, row, column)
            cloud = np.asarray(cloud, dtype=np.float64).reshape(-1, 2)
            if not len(cloud):
                continue
            axes.plot(*(cloud * MAGNIFIED + (x, y)).T, ".", color=BLUE, markersize=5, alpha=0.8,
                      markeredgewidth=0)  # fmt: skip
            dx, dy = cloud.mean(axis=0)
            axes.plot(
                [x, x + dx * MAGNIFIED], [y, y + dy * MAGNIFIED], color=VERMILLION, linewidth=2, zorder=4
            )
            axes.plot(x + dx * MAGNIFIED, y + dy * MAGNIFIED, "o", color=VERMILLION, markersize=3.5, zorder=4)
            axes.text(
                x + 5, y - tolerance_mm * MAGNIFIED + 2, f"{np.hypot(dx, dy):.1f}", fontsize=7.5, zorder=5
            )
        axes.set_title(title)
        means = {cell: np.mean(cloud, axis=0) for cell, cloud in sorted(offsets.items()) if len(cloud)}
        alt = f"{title}, mean offset to the right and up by row and column: " + "; ".join(
            f"({row}, {column}) {x:+.1f} mm, {y:+.1f} mm" for (row, column), (x, y) in means.items()
        )
        words = f"{caption} Offsets are drawn {MAGNIFIED:g} times as long as the board; "
        return svg(drawn, alt=alt, caption=f"{words}the circles are the tolerance of {tolerance_mm:g} mm.")


def path_board(
    title: str, groups: Sequence[tuple[str, Sequence[Path]]], board: BoardSpec, caption: str
) -> Chart:
    """The tool centre point from above, all episodes overlaid.

    Args:
        title: of the chart.
        groups: (label, paths); one colour a group.
        board: under the paths.
        caption: how to read it.
    """
    with figure(width=WIDTH, height=WIDTH * 0.86) as (drawn, axes):
        _draw_board(axes, board, labels=False)
        paths = [(k, path) for k, (_, group) in enumerate(groups) for path in group]
        lengths = [float(np.linalg.norm(np.diff(path.points, axis=0), axis=1).sum()) for _, path in paths]
        width, alpha = (1.2, 0.55) if len(paths) <= 40 else (0.9, 0.4)
        # The longest below, so that straight ways are not buried under those that wander.
        for _, (k, path) in sorted(zip(lengths, paths, strict=True), key=lambda entry: -entry[0]):
            x, y = path.points.T * 1e3
            style = {
                "color": series_style(k)["color"],
                "rasterized": True,
            }  # hundreds of lines as one picture
            axes.plot(x, y, linewidth=width, alpha=alpha, **style)
            axes.plot(x[-1:], y[-1:], "o" if path.success else "x", markersize=3.5, alpha=0.9, **style)
        for k, (label, group) in enumerate(groups):
            good = sum(path.success for path in group)
            axes.plot(
                [], [], color=series_style(k)["color"], label=f"{label} ({good} of {len(group)} placed)"
            )
        drawn.legend(loc="outside lower center")
        axes.autoscale()
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel("x of the board, mm")
        axes.set_ylabel("y of the board, mm")
        axes.set_title(title)
        alt = f"{title}: {len(paths)} paths over the board"
        middle = fixed(float(np.median(lengths)), 2, "m") if lengths else ""
        alt += f", of {middle} in the median, seen from above" if lengths else ""
        return svg(drawn, alt=alt, caption=caption)


def _draw_board(axes: "Axes", board: BoardSpec, labels: bool = True) -> None:
    """Slab and lines in mm of the board frame; with ``labels`` rows and columns are numbered."""
    from matplotlib.patches import Rectangle

    half, reach = board.width * 500, (board.size - 1) / 2 * board.pitch * 1e3
    axes.add_patch(Rectangle((-half, -half), 2 * half, 2 * half, facecolor=WOOD, edgecolor="none", zorder=0))
    for k in range(board.size):
        x, y = _mm(board, k, k)
        axes.plot([x, x], [-reach, reach], color=GRID, linewidth=0.9, zorder=1)
        axes.plot([-reach, reach], [y, y], color=GRID, linewidth=0.9, zorder=1)
    axes.grid(visible=False)
    if labels:
        axes.set_aspect("equal")
        axes.set_xlim(-half, half)
        axes.set_ylim(-half, half)
        numbers = [str(k) for k in range(board.size)]
        axes.set_xticks([_mm(board, 0, k)[0] for k in range(board.size)], numbers)
        axes.set_yticks([_mm(board, k, 0)[1] for k in range(board.size)], numbers)
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("column")
        axes.set_ylabel("row")
        for spine in axes.spines.values():
            spine.set_visible(False)


def _mm(board: BoardSpec, row: int, column: int) -> tuple[float, float]:
    x, y = board.point(row, column)
    return x * 1e3, y * 1e3


def _circle(center: tuple[float, float], radius: float, **style: Any) -> "Circle":
    from matplotlib.patches import Circle

    return Circle(center, radius, zorder=2, **style)
