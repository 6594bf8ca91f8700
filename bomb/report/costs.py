"""What a run cost, and what went wrong that was not the policy's doing."""

from collections import Counter
from collections.abc import Iterable

from bomb.report.loading import LoadedRun
from bomb.report.model import Efficiency, ErrorSummary
from bomb.runs.rows import EpisodeRow
from bomb.statistics import quantile

SHARES = ("sim", "render", "policy", "overhead")
EXAMPLES = 20


def efficiency(run: LoadedRun) -> tuple[Efficiency, ...]:
    """One entry for each backend that has episodes."""
    found = []
    for backend in dict.fromkeys(condition.backend for condition in run.conditions):
        rows = [
            row
            for condition in run.conditions
            if condition.backend == backend
            for row in run.episodes[condition.key].values()
        ]
        if not rows:
            continue
        latencies = _present(rows, "policy_ms_mean")
        typical = quantile(latencies, 0.5)
        looks, steps = sum(_present(rows, "looks")), sum(row.steps for row in rows)
        wall = sum(_present(rows, "wall_s"))
        parts = {name: sum(_present(rows, f"{name}_s")) for name in SHARES}
        found.append(
            Efficiency(
                backend=backend,
                episodes=len(rows),
                parameters=run.describe.get("parameters"),
                memory_mb=run.describe.get("memory_mb"),
                policy_ms_mean=typical,
                policy_ms_p95=quantile(_present(rows, "policy_ms_p95"), 0.5),
                policy_hz=1000 / typical.value if typical.value else None,
                actions_hz=steps / parts["policy"] if parts["policy"] else None,
                actions_per_decision=steps / looks if looks else None,
                steps_per_s=steps / wall if wall else None,
                episode_s=quantile(_present(rows, "wall_s"), 0.5),
                shares={name: seconds / wall for name, seconds in parts.items()} if wall else {},
            )
        )
    return tuple(found)


def errors(run: LoadedRun) -> ErrorSummary:
    """Attempts without a result."""
    tried = {(error.condition, error.seed) for error in run.errors}
    return ErrorSummary(
        attempts=len(run.errors),
        unplayed=len(run.unplayed),
        recovered=len(tried) - len(run.unplayed),
        kinds=dict(Counter(error.kind for error in run.errors).most_common()),
        examples=tuple(
            {
                "condition": error.condition,
                "seed": error.seed,
                "kind": error.kind,
                "step": error.step,
                "value": error.value,
                "message": error.message,
            }
            for error in run.unplayed[:EXAMPLES]
        ),
    )


def _present(rows: Iterable[EpisodeRow], name: str) -> list[float]:
    return [row.timing[name] for row in rows if row.timing.get(name) is not None]
