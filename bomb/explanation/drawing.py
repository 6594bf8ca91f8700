"""Maps over pictures, and restoration by layer, head and position, as pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bomb.explanation.grids import Grid
from bomb.pages.drawing import Chart, figure, svg
from bomb.statistics.formats import fixed

Picture: TypeAlias = npt.NDArray[np.uint8]  # [H, W, 3]

# In the order of ``bomb.explanation.regions.REGIONS``; of Okabe and Ito's colours where it matters.
REGION_COLORS = np.array(
    [
        *((225, 225, 222), (239, 220, 184), (120, 120, 120), (86, 180, 233)),
        *((0, 158, 115), (213, 94, 0), (0, 114, 178)),
    ],
    dtype=np.uint8,
)
POSITIVE, NEGATIVE = np.array((213.0, 40.0, 0.0)), np.array((0.0, 114.0, 178.0))
STRONG = 0.75  # how much of its colour the strongest patch gets


def patch_map(picture: Picture, effects: npt.NDArray[np.floating], grid: Grid) -> Picture:
    """Patches over a picture, uint8[H, W, 3]: red where hiding took away, blue where it added.

    The strongest patch of this map has the full colour: shades of different maps are not to be compared.
    """
    numbers = grid.numbers(*picture.shape[:2])
    scale = float(np.abs(effects).max()) or 1.0
    share = np.append(np.asarray(effects) / scale, 0.0)[numbers]  # -1, outside: the appended 0
    drawn = _tinted(picture, share)
    edges = np.zeros(picture.shape[:2], dtype=bool)
    edges[1:] |= numbers[1:] != numbers[:-1]
    edges[:, 1:] |= numbers[:, 1:] != numbers[:, :-1]
    drawn[edges] = drawn[edges] // 2 + 110
    return drawn


def heat_map(picture: Picture, effects: npt.NDArray[np.floating], grid: Grid) -> Picture:
    """The same, interpolated between the patches' middles."""
    from PIL import Image

    height, width = picture.shape[:2]
    top, left, bottom, right = grid.box
    scale = float(np.abs(effects).max()) or 1.0
    values = Image.fromarray((np.asarray(effects) / scale).reshape(grid.rows, grid.cols).astype(np.float32))
    rows, cols = (round(top * height), round(bottom * height)), (round(left * width), round(right * width))
    share = np.zeros((height, width))
    made = values.resize((cols[1] - cols[0], rows[1] - rows[0]), Image.Resampling.BICUBIC)
    share[rows[0] : rows[1], cols[0] : cols[1]] = np.clip(np.asarray(made), -1, 1)
    return _tinted(picture, share)


def _tinted(picture: Picture, share: npt.NDArray[np.float64]) -> Picture:
    grey = picture.mean(-1, keepdims=True) * 0.6 + 90
    color = np.where((share > 0)[..., None], POSITIVE, NEGATIVE)
    weight = STRONG * np.abs(share)[..., None]
    tinted: Picture = np.clip(np.rint(grey * (1 - weight) + color * weight), 0, 255).astype(np.uint8)
    return tinted


def restoration_chart(title: str, entries: Sequence[Mapping[str, Any]], across: str, caption: str) -> Chart:
    """R by layer (down) and head or group of positions (across); estimates are marked with a dot.

    Args:
        title: of the chart.
        entries: with ``stream``, ``layer``, ``part``, ``R``, ``exact``, and ``head`` or ``positions``.
        across: ``"head"`` or ``"positions"``.
        caption: how to read it.
    """
    rows = list(dict.fromkeys(_row(entry, across) for entry in entries))
    cols = list(dict.fromkeys(str(entry[across]) for entry in entries))
    if across == "head":
        cols.sort(key=int)
    table = np.full((len(rows), len(cols)), np.nan)
    estimated = np.zeros(table.shape, dtype=bool)
    for entry in entries:
        at = rows.index(_row(entry, across)), cols.index(str(entry[across]))
        table[at], estimated[at] = entry["R"], not entry["exact"]
    width = min(9.0, 1.6 + 0.42 * len(cols))
    with figure(width=max(width, 3.2), height=1.3 + 0.22 * len(rows)) as (drawn, axes):
        axes.grid(visible=False)
        shown = axes.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        for row, col in np.argwhere(estimated):
            axes.plot(col, row, ".", color="#444444", markersize=2)
        axes.set_yticks(range(len(rows)), rows, fontsize=7)
        axes.set_xticks(range(len(cols)), cols, rotation=0 if across == "head" else 60, fontsize=7)
        if across != "head":
            for label in axes.get_xticklabels():
                label.set_horizontalalignment("right")
        axes.set_title(title)
        drawn.colorbar(shown, ax=axes, fraction=0.04, pad=0.02).set_label("R", fontsize=8)
        known = [(abs(e["R"]), e) for e in entries if e["R"] is not None]
        best = max(known, key=lambda pair: pair[0])[1] if known else None
        most = (
            f"; the largest is {fixed(best['R'], 2)} at {_row(best, across)}, {best[across]}" if best else ""
        )
        return svg(drawn, alt=f"{title}: {len(rows)} rows by {len(cols)}{most}", caption=caption)


def _row(entry: Mapping[str, Any], across: str) -> str:
    part = "" if across == "head" else f" {entry['part']}"
    return f"{entry['stream']} {entry['layer']}{part}"
