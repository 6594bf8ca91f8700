"""CSV: one row per condition, or one per episode; an empty cell is what does not exist."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from bomb.report.loading import LoadedRun
from bomb.report.model import ConditionSummary, RunSummary, Summary
from bomb.runs.rows import Condition, EpisodeRow
from bomb.statistics import Estimate
from core.judge.checker import REASONS

TIMES = ("wall_s", "sim_s", "render_s", "policy_s", "overhead_s", "looks", "policy_ms_mean", "policy_ms_p95")
GOAL = ("kind", "color", "row", "column")


def conditions_csv(summary: Summary) -> str:
    """One row per run and condition."""
    stages = _stages(condition for run in summary.runs for condition in run.conditions)
    return csv_text(
        _condition_row(run, condition, stages) for run in summary.runs for condition in run.conditions
    )


def episodes_csv(runs: Sequence[LoadedRun]) -> str:
    """One row per completed episode."""
    rows = [
        (run, condition, row)
        for run in runs
        for condition in run.conditions
        for _, row in sorted(run.episodes[condition.key].items())
    ]
    stages = _stages(row for _, _, row in rows)
    return csv_text(_episode_row(*entry, stages) for entry in rows)


def _condition_row(run: RunSummary, condition: ConditionSummary, stages: Sequence[str]) -> dict[str, Any]:
    versus = condition.versus_clean
    return {
        **_about(run, condition),
        "episodes": condition.episodes,
        "unplayed": condition.unplayed,
        "asked": condition.asked,
        **_columns("success", condition.success),
        **_columns("by_carrying", condition.by_carrying),
        **_columns("without_words", condition.without_words),
        **_columns("success_once", condition.success_once),
        **_columns("success_at_worst", condition.success_at_worst),
        **_columns("distance_median_mm", condition.distance_median_mm),
        **_columns("distance_p95_mm", condition.distance_p95_mm),
        "twins": versus.pairs if versus else None,
        "only_clean": versus.only_first if versus else None,
        "only_perturbed": versus.only_second if versus else None,
        **_columns("versus_clean", versus.difference if versus else None),
        "p_value": versus.p_value if versus else None,
        "p_holm": versus.p_holm if versus else None,
        "tests": versus.tests if versus else None,
        "verdict": versus.verdict if versus else None,
        "steps_median": condition.steps.value,
        "path_median_m": condition.path_m.value,
        "clipped": condition.clipped,
        **{f"reason_{reason}": condition.reasons.get(reason, 0) for reason in _failures()},
        **{
            f"stage_{name}": condition.stages[name].value if name in condition.stages else None
            for name in stages
        },
    }


def _episode_row(
    run: LoadedRun, condition: Condition, row: EpisodeRow, stages: Sequence[str]
) -> dict[str, Any]:
    offset = row.verdict.get("offset_mm") or (None, None)
    return {
        **_about(run, condition),
        "seed": row.seed,
        "success": int(row.success),
        "success_once": int(row.success_once),
        "reason": row.reason,
        "reasons": " ".join(row.reasons),
        "distance_mm": row.distance_mm,
        "offset_x_mm": offset[0],
        "offset_y_mm": offset[1],
        **{f"goal_{name}": row.goal.get(name) for name in GOAL},
        "instruction": row.instruction,
        "moves_done": row.moves.get("done"),
        "moves_total": row.moves.get("total"),
        "steps": row.steps,
        "clipped": row.clipped,
        "path_m": row.actions.get("path_m"),
        **{f"stage_{name}": int(row.stages[name]) if name in row.stages else None for name in stages},
        **{name: row.timing.get(name) for name in TIMES},
        "attempt": row.attempt,
        "worker": row.worker,
        "started": row.started,
        "finished": row.finished,
    }


def _about(run: RunSummary | LoadedRun, condition: ConditionSummary | Condition) -> dict[str, Any]:
    return {
        "run": run.name,
        "policy": run.policy,
        "privileged": int(run.privileged),
        "task": condition.task,
        "backend": condition.backend,
        "split": condition.split,
        "perturbation": condition.perturbation,
        "knob": condition.knob,
        "severity": condition.severity,
        "category": condition.category,
    }


def _columns(name: str, estimate: Estimate | None) -> dict[str, Any]:
    if estimate is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _failures() -> list[str]:
    return [reason for reason in REASONS if reason != "none"]


def _stages(entries: Iterable[ConditionSummary | EpisodeRow]) -> list[str]:
    return list(dict.fromkeys(name for entry in entries for name in entry.stages))


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula has an apostrophe before it; numbers stay."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def csv_text(rows: Iterable[dict[str, Any]]) -> str:
    """Rows with the columns of the first; what a spreadsheet would run as a formula is quoted."""
    text, writer = io.StringIO(), None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue()
