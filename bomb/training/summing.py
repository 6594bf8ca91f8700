"""Numbers of a step put together: over micro-batches and processes, and over the steps of a log line."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from bomb.models.vla import Losses


def summed(shares: Sequence[tuple[float, Losses]], accelerator: Accelerator) -> dict[str, Any]:
    """The losses of a whole batch.

    Args:
        shares: of this process: how much of the batch each micro-batch is, and its losses.
        accelerator: knows the other processes.

    Returns:
        ``loss``, ``groups`` and ``metrics``. A metric is the mean over the parts of the batch that have it;
        None where none does.
    """
    groups, metrics = sorted(shares[0][1].groups), sorted(shares[0][1].metrics)
    rows = []
    for share, losses in shares:
        told = [losses.metrics[name] for name in metrics]
        there = [0.0 if math.isnan(value) else share for value in told]
        values = [0.0 if math.isnan(value) else share * value for value in told]
        whole = [float(losses.total.detach()), *(float(losses.groups[name]) for name in groups)]
        rows.append([*(share * value for value in whole), *values, *there])
    tensor = torch.tensor(rows, dtype=torch.float64, device=accelerator.device).sum(0)
    if accelerator.num_processes > 1:
        tensor = accelerator.reduce(tensor, "sum")
    loss, *rest = tensor.tolist()
    rest, weights = rest[: -len(metrics) or None], rest[-len(metrics) :] if metrics else []
    found = zip(metrics, rest[len(groups) :], weights, strict=True)
    return {
        "loss": loss,
        "groups": dict(zip(groups, rest, strict=False)),
        "metrics": {name: value / weight if weight else None for name, value, weight in found},
    }


def means(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means of the numbers in rows of one form; what is None in a row does not count."""
    made: dict[str, Any] = {}
    for name, value in rows[0].items():
        if isinstance(value, dict):
            made[name] = means([row[name] for row in rows])
        else:
            there = [row[name] for row in rows if row[name] is not None]
            made[name] = float(np.mean(there)) if there else None
    return made
