"""The module that learns: a model behind one ``forward``, so that wrappers for several processes see all."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from bomb.models.vla import VLA, Batch, Losses


class Learner(nn.Module):
    """A model, asked for its loss or for its answer.

    Args:
        vla: the model.
        weights: of the groups of an action.
    """

    def __init__(self, vla: VLA, weights: Mapping[str, float]):
        super().__init__()
        self.vla, self._weights = vla, dict(weights)

    def forward(
        self, batch: Batch, seeds: Sequence[tuple[int, int]], *, answer: bool = False
    ) -> tuple[Losses, np.ndarray | None]:
        """The losses of a batch and, if asked for, what the model does, float32[B, chunk, 4]."""
        losses = self.vla.loss(batch, weights=self._weights or None, seeds=seeds)
        return losses, self.vla.act(batch, seeds=seeds)[:, 0] if answer else None


class Checkpointed:
    """A layer whose activations are made again in the backward pass; mixed into the layer's class."""

    def forward(self, *args, **kwargs):
        inside = super().forward
        # A cache would be filled twice; where there is one, nothing is learned anyway.
        caches = (kwargs.get(name) for name in ("past_key_values", "past_key_value", "cache"))
        cached = any(cache is not None and not getattr(cache, "replayable", False) for cache in caches)
        if not torch.is_grad_enabled() or cached:
            return inside(*args, **kwargs)
        return checkpoint(inside, *args, use_reentrant=False, **kwargs)


def checkpoint_layers(vla: VLA) -> None:
    """Makes every layer of a model save memory; its names and numbers stay what they are."""
    for layer in vla.anatomy.layers:
        kind = type(layer.module)
        if not issubclass(kind, Checkpointed):
            layer.module.__class__ = type(
                kind.__name__, (Checkpointed, kind), {"__module__": kind.__module__}
            )
