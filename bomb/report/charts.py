"""Charts of rates: over severity, by reason and stage, as differences, one simulator against the other."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from bomb.pages.drawing import (
    BLUE,
    GREEN,
    INK,
    SOFT,
    VERMILLION,
    WIDTH,
    Chart,
    figure,
    series_style,
    svg,
)
from bomb.statistics import Estimate, formats
from core.judge.checker import REASONS

if TYPE_CHECKING:
    from matplotlib.axis import Axis

SUCCESS = "success"

# One colour a reason, the same in every chart: greys for a stone that was never held, violets for one that
# was let go of badly, browns for where it lies, reds for the wrong thing, yellows for not exactly enough.
_REASON_COLORS = {
    SUCCESS: GREEN,
    "never_reached": "#4d4d4d",
    "never_touched": "#7f7f7f",
    "never_grasped": "#b8b8b8",
    "lost_before_lift": "#1b1147",
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
    "not_clear": "#d9d4f0",
    "knocked_another_stone": "#56B4E9",
    "unfinished": BLUE,
}


# Label, (series, variant) as ``series_style`` takes them, and (severity, success) each.
Series = tuple[str, tuple[int, int], Sequence[tuple[int, Estimate]]]


def severity_chart(title: str, series: Sequence[Series], caption: str) -> Chart:
    """Success against severity with intervals; severity 0 is the clean world."""
    with figure(height=2.75 + 0.2 * len(series)) as (drawn, axes):
        for k, (label, style, points) in enumerate(series):
            shown = [(level, rate.drawn) for level, rate in points]
            known = [(level, drawn) for level, drawn in shown if drawn is not None]
            # Side by side, so that intervals do not hide one another.
            at = [level + 0.07 * (k - (len(series) - 1) / 2) for level, _ in known]
            values = [value for _, (_, value, _) in known]
            # Rounding may not make them negative.
            below = [max(0.0, value - low) for _, (low, value, _) in known]
            above = [max(0.0, high - value) for _, (_, value, high) in known]
            axes.errorbar(
                at,
                values,
                yerr=[below, above],
                label=label,
                capsize=2.5,
                elinewidth=1,
                **series_style(*style),
            )
        _rate_axis(axes.yaxis, axes.set_ylim)
        levels = sorted({level for _, _, points in series for level, _ in points})
        axes.set_xticks(levels, ["clean" if level == 0 else str(level) for level in levels])
        axes.set_xlim(min(levels, default=0) - 0.4, max(levels, default=1) + 0.4)
        axes.set_xlabel("severity")
        axes.set_ylabel("success")
        axes.set_title(title)
        axes.grid(visible=False, axis="x")
        if len(series) > 1:
            drawn.legend(loc="outside lower center", ncols=1)
        alt = f"{title}: " + "; ".join(
            f"{label}: "
            + ", ".join(
                f"{'clean' if level == 0 else f'severity {level}'} {formats.share(rate.value)}"
                for level, rate in points
            )
            for label, _, points in series
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
                    axes.text(left + share / 2, y, str(counts[name]), ha="center", va="center", fontsize=8,
                              color="white" if _dark(color) else INK)  # fmt: skip
                left += share
        axes.set_yticks(range(len(rows)), [_short(label, 30) for label in rows], fontsize=8.5)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        _rate_axis(axes.xaxis, axes.set_xlim)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of episodes")
        axes.grid(visible=False, axis="y")
        for name in present:
            axes.barh(0, 0, color=_REASON_COLORS.get(name, SOFT), label=formats.words(name))
        drawn.legend(loc="outside lower center", ncols=2)
        alt = "How episodes ended. " + "; ".join(
            f"{label}: " + ", ".join(f"{counts[n]} {formats.words(n)}" for n in present if counts.get(n))
            for label, counts in rows.items()
        )
        return svg(drawn, alt=alt, caption=caption)


def differences_chart(title: str, rows: Sequence[tuple[str, Estimate]], axis: str, caption: str) -> Chart:
    """Differences with intervals, one a row; the line at zero is "no difference"."""
    with figure(height=0.95 + 0.25 * len(rows)) as (drawn, axes):
        axes.axvline(0, color=SOFT, linewidth=1)
        for y, (_, d) in enumerate(rows):
            if d.value is None:
                axes.text(0, y, " undefined", va="center", fontsize=8, color=SOFT)
                continue
            excludes = False
            if d.low is not None and d.high is not None:
                axes.plot([d.low, d.high], [y, y], color=BLUE, linewidth=1.4, solid_capstyle="butt")
                excludes = not d.low <= 0 <= d.high
            # Filled where the interval excludes zero: told apart without colour.
            axes.plot(
                d.value, y, "o", color=BLUE, markerfacecolor=BLUE if excludes else "white", markersize=6
            )
        axes.set_yticks(range(len(rows)), [_short(label, 30) for label, _ in rows], fontsize=8.5)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(-1.05, 1.05)
        axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["−100", "−50", "0", "+50", "+100"])
        axes.set_xlabel(axis)
        axes.set_title(title)
        axes.grid(visible=False, axis="y")
        alt = f"{title}: " + "; ".join(f"{label} {points(d)}" for label, d in rows)
        return svg(drawn, alt=alt, caption=caption)


def agreement_chart(
    title: str, names: tuple[str, str], points: Sequence[tuple[str, float, float]], caption: str
) -> Chart:
    """Success in one simulator against the other, a point per condition.

    Args:
        title: of the chart.
        names: the simulators, across and up.
        points: (condition or policy, rate in the first, in the second).
        caption: how to read it.
    """
    with figure(width=WIDTH * 0.86, height=WIDTH * 0.86) as (drawn, axes):
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=":")
        for label, first, second in points:
            clean = label == "clean"
            axes.plot(first, second, "s" if clean else "o", color=VERMILLION if clean else BLUE,
                      markersize=7 if clean else 6, alpha=0.85, zorder=3)  # fmt: skip
        if any(label == "clean" for label, _, _ in points):
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
            f"{label}: {names[0]} {formats.share(first)}, {names[1]} {formats.share(second)}"
            for label, first, second in points
        )
        return svg(drawn, alt=alt, caption=caption)


def stages_chart(
    title: str, rows: Sequence[tuple[str, tuple[int, int], Sequence[tuple[str, float]]]], caption: str
) -> Chart:
    """How far episodes got.

    Args:
        title: of the chart.
        rows: label, (series, variant) as ``series_style`` takes them, and (stage, share of episodes) in the
            order of a placement; at least one.
        caption: how to read it.
    """
    stages = [name for name, _ in rows[0][2]]
    with figure(height=2.4 + 0.2 * len(rows)) as (drawn, axes):
        width = 0.8 / max(1, len(rows))
        for k, (label, (series, variant), shares) in enumerate(rows):
            at = [x + width * (k - (len(rows) - 1) / 2) for x in range(len(stages))]
            axes.bar(at, [share for _, share in shares], width=width * 0.94, label=label,
                     color=series_style(series)["color"], edgecolor="white", linewidth=0.6,
                     hatch=("", "////", "....", "xxxx")[variant % 4])  # fmt: skip
        axes.set_xticks(range(len(stages)), [formats.words(name) for name in stages], fontsize=8.5)
        _rate_axis(axes.yaxis, axes.set_ylim)
        axes.set_ylim(0, 1.04)
        axes.set_ylabel("share of episodes")
        axes.set_title(title)
        axes.grid(visible=False, axis="x")
        if len(rows) > 1:
            drawn.legend(loc="outside lower center", ncols=1)
        alt = f"{title}: " + "; ".join(
            f"{label}: " + ", ".join(f"{formats.words(n)} {formats.share(share)}" for n, share in shares)
            for label, _, shares in rows
        )
        return svg(drawn, alt=alt, caption=caption)


def points(difference: Estimate) -> str:
    """A difference of two rates in percentage points, with its interval."""
    if difference.value is None:
        return f"undefined ({difference.reason})"
    whole = partial(formats.in_points, digits=0)
    known = None not in difference.interval
    interval = f" {formats.interval(difference.interval, whole)}" if known else ""
    return f"{whole(difference.value)}{interval}".replace("-", "−")


def _rate_axis(axis: "Axis", set_limits: Callable[[float, float], object]) -> None:
    set_limits(-0.04, 1.04)
    axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])


def _short(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"


def _dark(color: str) -> bool:
    r, g, b = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return 0.299 * r + 0.587 * g + 0.114 * b < 140
