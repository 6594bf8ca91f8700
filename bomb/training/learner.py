"""The module that learns: a model behind one ``forward``, so that wrappers for several processes see all."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from bomb.models.vla import VLA, Batch, Losses
from bomb.training.auxiliary import Auxiliary
from bomb.training.data import TrainingSamples
from core.errors import OptionError


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """A batch, and what auxiliary objectives need beside it.

    Attributes:
        batch: questions with their answers.
        seeds: (seed, step) of each, for noise.
        labels: of ``TrainingSamples``.
        opposed: questions with row and column exchanged; None: there are none, or nobody asks for them.
        whose: the sample that each of them belongs to.
    """

    batch: Batch
    seeds: Sequence[tuple[int, int]]
    labels: Mapping[str, np.ndarray]
    opposed: Batch | None = None
    whose: tuple[int, ...] = ()

    @classmethod
    def of(cls, vla: VLA, samples: TrainingSamples, auxiliary: Auxiliary | None) -> "Lesson":
        """What a model is asked by some samples."""
        batch = vla.encode(samples.requests, samples.actions, valid=samples.valid)
        opposed: Batch | None = None
        whose: tuple[int, ...] = ()
        if auxiliary is not None and auxiliary.opposes:
            whose = tuple(k for k, words in enumerate(samples.swapped) if words)
            if whose:
                asked = [replace(samples.requests[k], instruction=samples.swapped[k]) for k in whose]
                index = list(whose)
                opposed = vla.encode(asked, samples.actions[index], valid=samples.valid[index])
        return cls(batch=batch, seeds=samples.seeds, labels=samples.labels, opposed=opposed, whose=whose)


class Learner(nn.Module):
    """A model, asked for its loss or for its answer.

    Args:
        vla: the model.
        weights: of the groups of an action.
        auxiliary: heads of auxiliary objectives; None: there are none.
    """

    def __init__(self, vla: VLA, weights: Mapping[str, float], auxiliary: Auxiliary | None = None):
        super().__init__()
        self.vla, self._weights, self.auxiliary = vla, dict(weights), auxiliary

    def forward(self, lesson: Lesson, *, answer: bool = False) -> tuple[Losses, np.ndarray | None]:
        """The losses of a batch and, if asked for, what the model does, float32[B, chunk, 4].

        Raises:
            OptionError: if the family's layers do not run over whole questions, so that no auxiliary
                objective can read them.
        """
        auxiliary = self.auxiliary
        reading: AbstractContextManager[list[torch.Tensor]] = (
            nullcontext([]) if auxiliary is None else auxiliary.reading()
        )
        with reading as hidden:
            losses = self.vla.loss(lesson.batch, weights=self._weights or None, seeds=lesson.seeds)
        if auxiliary is not None:
            whole = _whole(hidden, lesson.batch)
            opposed = None
            if lesson.opposed is not None:
                with auxiliary.reading() as other:
                    self.vla.loss(lesson.opposed, seeds=[lesson.seeds[k] for k in lesson.whose])
                opposed = _whole(other, lesson.opposed), lesson.opposed, lesson.whose
            extra, told = auxiliary(whole, lesson.batch, lesson.labels, opposed)
            losses = replace(losses, total=losses.total + extra, metrics={**losses.metrics, **told})
        return losses, self.vla.act(lesson.batch, seeds=lesson.seeds)[:, 0] if answer else None


def _whole(hidden: Sequence[torch.Tensor], batch: Batch) -> torch.Tensor:
    """What a layer said of whole questions, float[B, L or more, D]: of its first run.

    Raises:
        OptionError: if it does not run over them.
    """
    rows, length = batch.attention_mask.shape
    if not hidden or len(hidden[0]) != rows or hidden[0].shape[1] < length:
        shape = list(hidden[0].shape) if hidden else "nothing"
        raise OptionError(
            f"auxiliary objectives read a layer of {rows} questions of {length} positions, this family's "
            f"has {shape}: leave them out"
        )
    return hidden[0]


class Checkpointed(nn.Module):
    """A layer whose activations are made again in the backward pass; mixed into the layer's class."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
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
