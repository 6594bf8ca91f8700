"""Losses of chunks of actions, split by group and by how far ahead an action is."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from bomb.models.vla import Batch, Losses
from core.errors import OptionError, check_choice


def learned(batch: Batch) -> tuple[Tensor, Tensor]:
    """The actions of a batch, float32[B, chunk, dims], and which count, bool[B, chunk].

    Raises:
        OptionError: if it has none.
    """
    if batch.actions is None or batch.valid is None:
        raise OptionError("this batch has no actions to learn; give them to encode")
    return batch.actions, batch.valid


def chunk_losses(
    errors: Tensor,
    valid: Tensor,
    groups: Mapping[str, tuple[int, ...]],
    weights: Mapping[str, float] | None = None,
    metrics: Mapping[str, float] | None = None,
    *,
    scale: Sequence[float] | None = None,
) -> Losses:
    """The weighted mean of ``errors`` over what counts, and its parts.

    Args:
        errors: float[B, chunk, dims], with a gradient.
        valid: bool[B, chunk], which actions count.
        groups: dimensions by group.
        weights: by group; those left out weigh 1.
        metrics: other numbers to be logged.
        scale: float[dims], share of each dimension in the loss of an action; None: all alike, in sum 1.

    Raises:
        UnknownNameError: for a weight of a group that there is not.
        OptionError: for a weight that is negative or no number.
    """
    dims = errors.shape[-1]
    share = errors.new_tensor(scale if scale is not None else [1 / dims] * dims)
    for name, weight in (weights or {}).items():
        check_choice("group of the action", name, groups)
        if not weight >= 0 or not np.isfinite(weight):
            raise OptionError(f"the weight of {name} must be a number from 0 up, got {weight!r}")
        share[list(groups[name])] *= float(weight)
    counted = valid.to(errors.dtype)[..., None]
    weighed = errors * share * counted
    total = weighed.sum() / counted.sum().clamp(min=1)
    samples = weighed.sum((1, 2)) / counted.sum((1, 2)).clamp(min=1)
    plain = (errors * counted).detach()
    of_group = counted.sum().clamp(min=1)
    return Losses(
        total=total,
        samples=samples,
        groups={name: plain[..., list(d)].sum() / (of_group * len(d)) for name, d in groups.items()},
        offsets=plain.sum((0, 2)) / (counted.sum((0, 2)) * dims).clamp(min=1),
        metrics=dict(metrics or {}),
    )
