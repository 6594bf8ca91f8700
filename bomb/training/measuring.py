"""Errors of a model on held-out moments: in all, per group of the action, stage and offset in the chunk.

All are of normalised actions, as the model learns them: e = (a - b)^2. A group's error is the mean over
moments, actions and its dimensions; the total is the mean over all of them, so it is the groups' errors
weighed by their dimensions. Relative errors are divided by the variance of what was to be answered: 1 is as
bad as always answering the mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bomb.demonstrations.stages import STAGES
from core.errors import OptionError


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a model answered on M moments, and what was right.

    Attributes:
        made, right: float64[M, chunk, dims], normalised.
        valid: bool[M, chunk], which actions count.
        stages: int[M]; -1 where unknown.
        losses: float64[M], the model's own loss of each.
        metrics: float64[M] by name, such as ``token_accuracy``, averaged per batch;
            not a number where a batch has none.
    """

    made: np.ndarray
    right: np.ndarray
    valid: np.ndarray
    stages: np.ndarray
    losses: np.ndarray
    metrics: Mapping[str, np.ndarray]


def summed_up(answers: Answers, groups: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """The errors as plain numbers.

    Returns:
        ``n`` (moments), ``loss``, ``mse``, ``l1``, ``relative`` (error over variance, all dimensions),
        ``groups`` and ``stages`` ({name: {"mse", "relative", "l1", "n"}}, a stage's with its ``groups``),
        ``offsets`` (mse per action of the chunk), and the model's own metrics. What has nothing is None.

    Raises:
        OptionError: if an answer is not finite.
    """
    if not np.isfinite(answers.made).all():
        raise OptionError("the model's answers on held-out episodes are not finite")
    counted = answers.valid
    away = answers.made - answers.right
    spread = answers.right[counted].var(0)
    every = range(away.shape[-1])

    def errors(rows: np.ndarray, dims: Sequence[int]) -> dict[str, Any]:
        index = list(dims)
        there = away[rows][counted[rows]][:, index]
        if not there.size:
            return {"mse": None, "relative": None, "l1": None, "n": int(rows.sum())}
        mse, varies = float((there**2).mean()), float(spread[index].mean())
        return {
            "mse": mse,
            "relative": mse / varies if varies > 0 else None,
            "l1": float(np.abs(there).mean()),
            "n": int(rows.sum()),
        }

    rows = np.ones(len(away), dtype=bool)
    whole = errors(rows, every)
    stages = {
        name: {
            **errors(answers.stages == k, every),
            "groups": {group: errors(answers.stages == k, dims)["mse"] for group, dims in groups.items()},
        }
        for k, name in enumerate(STAGES)
    }
    offsets = [
        float((away[counted[:, k], k] ** 2).mean()) if counted[:, k].any() else None
        for k in range(away.shape[1])
    ]
    return {
        "n": len(away),
        "loss": float(answers.losses.mean()),
        "mse": whole["mse"],
        "l1": whole["l1"],
        "relative": whole["relative"],
        "groups": {name: errors(rows, dims) for name, dims in groups.items()},
        "stages": stages,
        "offsets": offsets,
        "metrics": {name: _mean(values) for name, values in answers.metrics.items()},
    }


def _mean(values: np.ndarray) -> float | None:
    """Over what is a number; None if nothing is."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None
