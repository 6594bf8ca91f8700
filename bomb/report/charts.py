"""Charts of rates: over severity, by reason, as differences, one simulator against the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bomb.report.drawing import (
    BLUE,
    GREEN,
    INK,
    SOFT,
    VERMILLION,
    WIDTH,
    Chart,
    figure,
    percent,
    series_style,
    svg,
)
from core.checker import REASONS

SUCCESS = "success"

# One colour a reason, the same in every chart: greys for a stone that was never held, violets for one that was
# let go of badly, browns for where it lies, reds for the wrong thing, yellows for not exactly enough.
_REASON_COLORS = {
    SUCCESS: GREEN,
    "never_reached": "#4d4d4d",
    "never_touched": "#7f7f7f",
    "never_grasped": "#b8b8b8",
    "dropped": "#332288",
    "still_held": "#6f63b6",
    "still_moving": "#b3aae0",
    "off_board": "#8c510a",
    "stacked_or_tilted": "#c8935a",
    "wrong_color": "#882255",
    "wrong_stone": "#CC6677",
    "wrong_intersection": VERMILLION,
    "beyond_tolerance": "#E69F00",
    "outside_region": "#f5cf7a",
    "knocked_another_stone": "#56B4E9",
    "unfinished": BLUE,
}


@dataclass(frozen=True, kw_only=True)
class Point:
    """A number with its interval. ``value``, ``low`` and ``high`` may be None where undefined."""

    at: float
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points of one policy in one simulator."""

    label: str
    points: Sequence[Point]


def severity_chart(title: str, series: Sequence[Series], caption: str) -> Chart:
    """Success against severity with intervals; severity 0 is the clean world."""
    with figure(height=2.9) as (drawn, axes):
        shift = 0.07
        for k, line in enumerate(series):
            points = [p for p in line.points if p.value is not None]
            # Side by side, so that intervals do not hide one another.
            at = [p.at + shift * (k - (len(series) - 1) / 2) for p in points]
            bars = [
                [0.0 if p.low is None else max(0.0, p.value - p.low) for p in points],
                [0.0 if p.high is None else max(0.0, p.high - p.value) for p in points],
            ]
            style = series_style(k)
            axes.errorbar(
                at, [p.value for p in points], yerr=bars, label=line.label, capsize=2.5, elinewidth=1, **style
            )
        _rate_axis(axes.yaxis, axes.set_ylim)
        levels = sorted({int(p.at) for line in series for p in line.points})
        axes.set_xticks(levels, ["clean" if level == 0 else str(level) for level in levels])
        axes.set_xlim(min(levels, default=0) - 0.4, max(levels, default=1) + 0.4)
        axes.set_xlabel("severity")
        axes.set_ylabel("success")
        axes.set_title(title)
        axes.grid(visible=False, axis="x")
        if len(series) > 1:
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1 if len(series) > 4 else 2)
        alt = f"{title}: " + "; ".join(
            f"{line.label}: "
            + ", ".join(
                f"{'clean' if p.at == 0 else f'severity {p.at:g}'} {percent(p.value)}" for p in line.points
            )
            for line in series
        )
        return svg(drawn, alt=alt, caption=caption)


def reasons_chart(rows: Mapping[str, Mapping[str, int]], caption: str) -> Chart:
    """How episodes ended, one stacked bar a row.

    Args:
        rows: label to counts by reason; ``SUCCESS`` counts those without one.
        caption: how to read it.
    """
    order = [SUCCESS, *(name for name in REASONS if name != "none")]
    present = [name for name in order if any(counts.get(name) for counts in rows.values())]
    legend = 0.21 * -(-len(present) // 2)
    with figure(height=0.95 + 0.3 * len(rows) + legend) as (drawn, axes):
        for y, (_, counts) in enumerate(rows.items()):
            total, left = sum(counts.values()), 0.0
            for name in present:
                share = counts.get(name, 0) / total if total else 0.0
                color = _REASON_COLORS.get(name, SOFT)
                axes.barh(y, share, left=left, color=color, height=0.72, edgecolor="white", linewidth=0.6)
                if share >= 0.075:
                    axes.text(left + share / 2, y, counts[name], ha="center", va="center", fontsize=8,
                              color="white" if _dark(color) else INK)  # fmt: skip
                left += share
        axes.set_yticks(range(len(rows)), [_short(label, 30) for label in rows], fontsize=8.5)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        _rate_axis(axes.xaxis, axes.set_xlim)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of episodes (the numbers count them)")
        axes.grid(visible=False, axis="y")
        patches = [axes.barh(0, 0, color=_REASON_COLORS.get(name, SOFT)) for name in present]
        drawn.legend(patches, [words(name) for name in present], loc="outside lower center", ncols=2)
        alt = "How episodes ended. " + "; ".join(
            f"{label}: " + ", ".join(f"{counts[name]} {words(name)}" for name in present if counts.get(name))
            for label, counts in rows.items()
        )
        return svg(drawn, alt=alt, caption=caption)


def differences_chart(title: str, rows: Sequence[tuple[str, Point]], axis: str, caption: str) -> Chart:
    """Differences with intervals, one a row; the line at zero is "no difference"."""
    with figure(height=0.9 + 0.27 * len(rows)) as (drawn, axes):
        axes.axvline(0, color=SOFT, linewidth=1)
        for y, (_, p) in enumerate(rows):
            if p.value is None:
                axes.text(0, y, " undefined", va="center", fontsize=8, color=SOFT)
                continue
            if p.low is not None and p.high is not None:
                axes.plot([p.low, p.high], [y, y], color=BLUE, linewidth=1.4, solid_capstyle="butt")
            excludes = p.low is not None and p.high is not None and not p.low <= 0 <= p.high
            # Filled where the interval excludes zero: told apart without colour.
            axes.plot(p.value, y, "o", color=BLUE, markerfacecolor=BLUE if excludes else "white", markersize=6)
        axes.set_yticks(range(len(rows)), [_short(label, 30) for label, _ in rows], fontsize=8.5)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(-1.05, 1.05)
        axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["−100", "−50", "0", "+50", "+100"])
        axes.set_xlabel(axis)
        axes.set_title(title)
        axes.grid(visible=False, axis="y")
        alt = f"{title}: " + "; ".join(
            f"{label} {'undefined' if p.value is None else f'{100 * p.value:+.0f} points'}"
            + ("" if p.low is None or p.high is None else f" [{100 * p.low:+.0f}, {100 * p.high:+.0f}]")
            for label, p in rows
        )
        return svg(drawn, alt=alt, caption=caption)


def agreement_chart(
    title: str, names: tuple[str, str], points: Sequence[tuple[str, Point, Point]], caption: str
) -> Chart:
    """Success in one simulator against the other, a point per condition, with both intervals.

    Args:
        title: of the chart.
        names: the simulators, across and up.
        points: (condition, in the first, in the second).
        caption: how to read it.
    """
    defined = [(c, a, b) for c, a, b in points if a.value is not None and b.value is not None]
    with figure(width=WIDTH * 0.86, height=WIDTH * 0.86) as (drawn, axes):
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=":")
        for _, a, b in defined:
            clean = a.at == 0
            color = VERMILLION if clean else BLUE
            if None not in (a.low, a.high):
                axes.plot([a.low, a.high], [b.value] * 2, color=color, linewidth=0.8, alpha=0.45)
            if None not in (b.low, b.high):
                axes.plot([a.value] * 2, [b.low, b.high], color=color, linewidth=0.8, alpha=0.45)
            axes.plot(a.value, b.value, "s" if clean else "o", color=color, markersize=6, zorder=3)
        for marker, color, label in (("s", VERMILLION, "clean"), ("o", BLUE, "perturbed")):
            axes.plot([], [], marker, color=color, label=label)
        axes.legend(loc="upper left")
        _rate_axis(axes.xaxis, axes.set_xlim)
        _rate_axis(axes.yaxis, axes.set_ylim)
        axes.set_aspect("equal")
        axes.set_xlabel(f"success in {names[0]}")
        axes.set_ylabel(f"success in {names[1]}")
        axes.set_title(title)
        alt = f"{title}: " + "; ".join(
            f"{condition}: {names[0]} {percent(a.value)}, {names[1]} {percent(b.value)}"
            for condition, a, b in defined
        )
        return svg(drawn, alt=alt, caption=caption)


def words(name: str) -> str:
    """A name out of the checker's lists, as it is read."""
    return name.replace("_", " ")


def _rate_axis(axis, set_limits) -> None:
    set_limits(-0.04, 1.04)
    axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])


def _short(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"


def _dark(color: str) -> bool:
    r, g, b = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return 0.299 * r + 0.587 * g + 0.114 * b < 140


