"""One condition of one run in numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from bomb.report.boards import board_map
from bomb.report.ceilings import without_words
from bomb.report.compared import Comparison
from bomb.report.loading import LoadedRun
from bomb.report.model import ConditionSummary
from bomb.runs.rows import Condition, EpisodeRow
from bomb.statistics import Estimate, clustered_rate, moves_in_a_row, quantile, rate, undefined, wilson


def summarise_condition(
    run: LoadedRun, condition: Condition, versus_clean: Comparison | None
) -> ConditionSummary:
    """Rates, reasons, placement errors and the board of the completed episodes of a condition."""
    rows = [row for _, row in sorted(run.episodes[condition.key].items())]
    unplayed = sum(error.condition == condition.key for error in run.unplayed)
    failures = [row for row in rows if not row.success]
    placed = [row.distance_mm for row in rows if row.success and row.distance_mm is not None]
    steps = sum(row.steps for row in rows)
    paths = [row.actions["path_m"] for row in rows if row.actions.get("path_m") is not None]
    return ConditionSummary(
        run=run.name,
        key=condition.key,
        task=condition.task,
        backend=condition.backend,
        split=condition.split,
        perturbation=condition.perturbation,
        knob=condition.knob,
        severity=condition.severity,
        category=condition.category,
        levels=condition.levels,
        episodes=len(rows),
        unplayed=unplayed,
        asked=run.settings.get("episodes"),
        success=rate([row.success for row in rows]),
        success_once=rate([row.success_once for row in rows]),
        success_at_worst=wilson(len(rows) - len(failures), len(rows) + unplayed),
        by_carrying=by_carrying(rows),
        without_words=without_words(run, condition, rows),
        stages=_stages(rows),
        reasons=_counts(row.reason for row in failures),
        all_reasons=_counts(reason for row in failures for reason in row.reasons),
        distance_median_mm=quantile(placed, 0.5),
        distance_p95_mm=quantile(placed, 0.95),
        moves=moves_in_a_row([row.moves for row in rows if row.moves]),
        board=board_map(rows),
        steps=quantile([row.steps for row in rows], 0.5),
        clipped=sum(row.clipped for row in rows) / steps if steps else None,
        path_m=quantile(paths, 0.5),
        versus_clean=versus_clean,
    )


def by_carrying(rows: Sequence[EpisodeRow], *, clustered: bool = False) -> Estimate:
    """The rate of success in which a stone was grasped and lifted, by the stages of the stored verdict.

    Success is where stones end. One that was pushed along the board to its intersection counts there only.

    Args:
        rows: completed episodes.
        clustered: whether a seed may have been played several times.
    """
    told = [row for row in rows if row.carried is not None]
    if rows and not told:
        return undefined("the run's verdicts have no stages")
    outcomes = [bool(row.carried) for row in told]
    return clustered_rate(outcomes, [row.seed for row in told]) if clustered else rate(outcomes)


def _stages(rows: Sequence[EpisodeRow]) -> dict[str, Any]:
    names = dict.fromkeys(name for row in rows for name in row.stages)
    return {name: rate([row.stages[name] for row in rows if name in row.stages]) for name in names}


def _counts(names: Iterable[str]) -> dict[str, int]:
    """Most frequent first; the same number by name, so that a report does not depend on the order of rows."""
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))
