"""From a played episode to its row in the store."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.evaluation.jobs import EpisodeJob
from bomb.rollouts.rollout import EpisodeResult, Timing
from bomb.runs.rows import EpisodeRow
from bomb.runs.store import now


def make_row(
    job: EpisodeJob, result: EpisodeResult, *, started: str, worker: str, privileged: bool
) -> tuple[EpisodeRow, bytes]:
    """The row of an episode, and its series as bytes.

    Args:
        job: what was asked.
        result: how it went.
        started: ISO 8601, UTC.
        worker: who played it.
        privileged: whether the policy saw the truth.
    """
    begin = time.perf_counter()
    about, verdict = result.record.about, result.record.about["verdict"]
    record = result.record.to_bytes()
    actions = action_statistics(result.record.actions, result.record.tools)
    # Packing is overhead, too.
    timing = (result.timing or Timing()).to_dict(result.wall_s + time.perf_counter() - begin)
    row = EpisodeRow(
        condition=job.condition,
        seed=job.seed,
        success=verdict["success"],
        success_once=verdict["success_once"],
        reason=verdict["reason"],
        reasons=verdict["reasons"],
        stages=verdict["stages"],
        distance_mm=verdict["distance_mm"],
        verdict=verdict,
        goal=about["goal"],
        instruction=about["instruction"],
        draws=about["perturbation"],
        moves=about["moves"],
        steps=len(result.record.actions),
        clipped=result.info["clipped"],
        actions=actions,
        timing=timing,
        privileged=privileged,
        attempt=job.attempt,
        worker=worker,
        started=started,
        finished=now(),
    )
    return row, record


def action_statistics(actions: npt.NDArray[np.float32], tools: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Per dimension mean, standard deviation, least and greatest; and the way of the tool centre point.

    Args:
        actions: float32[N, 4], as executed.
        tools: float32[T, 3], tool centre point (m).
    """
    steps = np.diff(tools.astype(np.float64), axis=0)
    plain: dict[str, Any] = {"path_m": float(np.sqrt((steps**2).sum(axis=1)).sum())}
    if len(actions):
        for name in ("mean", "std", "min", "max"):
            values = getattr(actions.astype(np.float64), name)(axis=0)
            plain[name] = [round(value, 6) for value in values.tolist()]
    return plain
