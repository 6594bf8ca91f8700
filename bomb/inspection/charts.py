"""Charts of a dataset."""

import numpy as np

from bomb.inspection.findings import Findings
from bomb.pages.drawing import BLUE, INK, VERMILLION, Chart, figure, svg
from bomb.statistics.formats import fixed
from core.board.boards import Cell
from core.perturbations.heldout import INTERSECTIONS

DIMENSIONS = ("x (forward)", "y (left)", "z (up)", "gripper")


def coverage_chart(goals: dict[Cell, int], size: int) -> Chart:
    """How often each intersection was asked for, as the head picture shows the board."""
    counts = np.zeros((size, size), dtype=int)
    for cell, count in goals.items():
        counts[cell] = count
    with figure(height=4.2) as (drawn, axes):
        shown = axes.imshow(counts, cmap="cividis", vmin=0)
        middle = counts.max() / 2
        for (row, column), count in np.ndenumerate(counts):
            held = (row, column) in INTERSECTIONS
            color = "white" if count <= middle else INK
            axes.text(column, row, f"{count}{'*' if held else ''}", ha="center", va="center", color=color)
        axes.set_xticks(range(size))
        axes.set_yticks(range(size))
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.set_xlabel("column")
        axes.xaxis.set_label_position("top")
        axes.set_ylabel("row")
        axes.grid(visible=False)
        axes.set_title("Goals by intersection", pad=28)
        drawn.colorbar(shown, ax=axes, fraction=0.045, label="times asked for")
        alt = "Goals by row and column: " + "; ".join(
            f"({row}, {column}) {count}" for (row, column), count in np.ndenumerate(counts)
        )
        caption = (
            f"{int((counts > 0).sum())} of {counts.size} intersections were asked for. "
            "A star marks those that can be held out for evaluation."
        )
        return svg(drawn, alt=alt, caption=caption)


def lengths_chart(lengths: list[int], control_hz: int) -> Chart:
    """How long episodes are."""
    with figure() as (drawn, axes):
        axes.hist(lengths, bins=min(30, max(5, len(set(lengths)))), color=BLUE)
        axes.set_xlabel("frames")
        axes.set_ylabel("episodes")
        axes.set_title("Lengths of episodes")
        median = float(np.median(lengths))
        axes.axvline(median, color=VERMILLION, linewidth=1.2)
        alt = (
            f"Lengths of {len(lengths)} episodes: {min(lengths)} to {max(lengths)} frames, median {median:g}"
        )
        return svg(drawn, alt=alt, caption=f"The line is the median, {fixed(median / control_hz, unit='s')}.")


def action_chart(found: Findings, k: int, mode: str) -> Chart:
    """One dimension of the actions."""
    edges, counts = found.action_edges[k], found.action_counts[k]
    with figure(height=2.4) as (drawn, axes):
        axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=BLUE)
        axes.set_yscale("symlog", linthresh=1)
        axes.set_xlim(edges[0], edges[-1])
        unit = "m" if mode == "absolute" and k < 3 else "opening" if k == 3 else "share of full speed"
        axes.set_xlabel(unit)
        axes.set_ylabel("frames")
        axes.set_title(DIMENSIONS[k])
        middle = (edges[:-1] + edges[1:]) / 2
        mean = float(counts @ middle / max(counts.sum(), 1))
        alt = (
            f"Histogram of action dimension {DIMENSIONS[k]}: {counts.sum()} frames, "
            f"mean {fixed(mean, 3, unit)}"
        )
        return svg(drawn, alt=alt, caption="Logarithmic above 1.")
