"""The contract that every vision-language-action model of BOMB keeps, whatever it is made of.

A question becomes a ``Batch`` once (``encode``); everything else is asked of the batch: a loss to learn
from, actions, a score of given actions. What explanation and training need to know about the inside
(layers, heads, patches, words, parts) is told by ``anatomy``, ``Batch.layouts`` and ``parts``.

An answer does not depend on what else is in the batch, and noise is drawn from (seed, step, sample) alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models.anatomy import Anatomy, Layer, PictureGrid
from bomb.models.answers import Losses, Reference, Scores
from bomb.models.batches import Batch, Layout
from bomb.models.codecs.actions import ActionCodec
from bomb.models.codecs.normalising import Normaliser
from bomb.models.codecs.statistics import DatasetStatistics, Statistics
from bomb.models.requests import Request
from bomb.models.settings import VLASettings
from core.errors import OptionError, check_choice

__all__ = [
    "VLA",
    "Anatomy",
    "Batch",
    "Layer",
    "Layout",
    "Losses",
    "PictureGrid",
    "Reference",
    "Scores",
]


class VLA(torch.nn.Module, ABC):
    """A vision-language-action model with its codec and settings; see this module.

    Args:
        settings: what it is shown, and what its numbers mean.
        statistics: of what it was trained on.

    Raises:
        OptionError: if they do not fit each other or the family.
    """

    family: ClassVar[str]
    published: ClassVar[Mapping[str, int]] = {}  # parameters of public models, by their names
    modalities: tuple[str, ...] = ("rgb",)  # what it must be shown
    round_trip: float = 1e-4  # how far encoding and decoding may move an action, in BOMB's terms
    reads_answer: ClassVar[bool] = (
        False  # whether, while learning, later tokens of an answer see earlier ones
    )

    # Whether it takes up ``Request.memory``, and ``decide`` says what to remember (``raw["memory"]``) and how
    # many actions are carried out before it is asked again (``raw["execute"]``).
    recurrent: ClassVar[bool] = False

    # What the distances of ``score`` are measured in, where they are distances.
    scored_in: ClassVar[str] = "normalised actions"

    def __init__(self, settings: VLASettings, statistics: DatasetStatistics):
        super().__init__()
        self.settings, self.statistics = settings, statistics
        self.codec = ActionCodec(
            convention=settings.convention,
            statistics=statistics.action,
            normalisation=settings.normalisation,
        )

    # ---- what a family makes of it ----------------------------------------------------------

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> "VLA":
        """Reads the public files of a checkpoint; nothing is downloaded, no code in the folder is run.

        Args:
            folder: of the checkpoint.
            settings: its ``bomb.json``.
            dtype: of the weights; None takes them as they are stored.

        Raises:
            FileError: naming the file or key that is missing, not known, or of another shape.
            OptionError, UnknownNameError: for settings that do not fit the files.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes the public files into an empty folder; ``Checkpoint.save`` adds ``bomb.json``."""

    @classmethod
    @abstractmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> "VLA":
        """A model of the family with a few thousand random weights, and a tokenizer that knows ``texts``."""

    @abstractmethod
    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        """Questions as tensors, padded on the left, on the model's device.

        Args:
            requests: at least one.
            actions: float32[B, chunk, 4] in BOMB's terms, to be learned.
            valid: bool[B, chunk], which of them count; None: all.
            length: positions to pad the sequence to at least.

        Raises:
            ConventionError: if a camera is missing, or a picture has another size.
            OptionError: if there are no requests, or actions have another shape.
        """

    @abstractmethod
    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        """The loss of a batch with actions.

        Args:
            batch: of ``encode`` with actions.
            weights: of the groups of an action; those left out weigh 1.
            seeds: per sample (seed, step), for heads that learn by noise; None draws from torch's generator.

        Raises:
            OptionError: if the batch has no actions, or a group is not known.
        """

    @abstractmethod
    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        """What the model does, as ``act`` with one sample, and how its head has it.

        Args:
            batch: questions.
            seeds: per sample (seed of the episode, actions executed so far).
        """

    @abstractmethod
    def score(self, batch: Batch, reference: Reference) -> Scores:
        """How much the model wants ``reference`` when it is asked ``batch``; with its gradient."""

    @property
    @abstractmethod
    def anatomy(self) -> Anatomy:
        """Layers and heads, and how pictures are cut into patches."""

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Beginnings of parameter names by part: ``vision``, ``words``, ``language``, ``head``, ..."""

    # ---- what all have ----------------------------------------------------------------------

    def act(
        self, batch: Batch, *, seeds: Sequence[tuple[int, int]], samples: int = 1
    ) -> npt.NDArray[np.float32]:
        """Actions, float32[B, samples, chunk, 4], in BOMB's terms.

        The first sample is what ``decide`` decides. A head without noise gives ``samples`` times the same.

        Args:
            batch: questions.
            seeds: per sample (seed of the episode, actions executed so far).
            samples: answers per question.

        Raises:
            PolicyOutputError: if the model's numbers are not finite, or not what ``bomb.json`` says.
        """
        one = self.decide(batch, seeds=seeds).actions
        return np.repeat(one[:, None], samples, axis=1)

    @property
    def state_codec(self) -> Normaliser:
        """What normalises states, by the statistics that the model has now.

        Raises:
            OptionError: if these are of no states.
        """
        return Normaliser(self.state_statistics, self.settings.normalisation, "proprio")

    @property
    def state_statistics(self) -> Statistics:
        """Of states.

        Raises:
            OptionError: if the statistics are of no states.
        """
        if self.statistics.proprio is None:
            raise OptionError(f"{self.family} reads the state, but the statistics have no entry 'proprio'")
        return self.statistics.proprio

    def quantise(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Normalised chunks, float[N, chunk, dims], as the head can say them; by default as they are."""
        return values

    def adapt(self, actions: npt.NDArray[np.float32]) -> None:
        """Fits what the head says actions with to data, in place, before it learns: tokens, bins.

        Args:
            actions: float32[N, chunk, 4], in BOMB's terms.

        Raises:
            OptionError: for a family whose head has nothing of the kind.
        """
        raise OptionError(f"{self.family} has no action tokens that are fitted to data")

    def teach(
        self, actions: npt.NDArray[np.float32] | None, valid: npt.NDArray[np.bool_] | None, count: int
    ) -> dict[str, Tensor] | None:
        """What ``encode`` puts into a batch of actions to be learned: ``actions`` and ``valid`` of ``Batch``.

        Args:
            actions: float32[B, chunk, 4] in BOMB's terms; None: there are none.
            valid: bool[B, chunk]; None: all count.
            count: questions that there are.

        Raises:
            OptionError: for another shape, or a number that is not finite.
        """
        if actions is None:
            return None
        wanted = (count, self.settings.chunk)
        if np.shape(actions) != (*wanted, 4):
            raise OptionError(f"actions must have shape {(*wanted, 4)}, got {np.shape(actions)}")
        counted = np.ones(wanted, dtype=bool) if valid is None else np.asarray(valid)
        if counted.shape != wanted or counted.dtype != bool:
            raise OptionError(f"valid must be bool of shape {wanted}, got {counted.dtype} {counted.shape}")
        normalised = self.codec.normalise(actions).astype(np.float32)
        return {"actions": torch.from_numpy(normalised), "valid": torch.from_numpy(counted.copy())}

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return next(self.parameters()).dtype

    def freeze(self, *names: str) -> None:
        """Keeps parts out of training: their parameters get no gradient.

        Raises:
            UnknownNameError: listing the parts.
        """
        parts = self.parts
        for name in names:
            prefixes = parts[check_choice("part", name, parts)]
            for key, weight in self.named_parameters():
                if key.startswith(prefixes):
                    weight.requires_grad_(False)

    def count(self, *, trained: bool = False) -> int:
        """Parameters, or those of them that are trained; shared ones once."""
        return sum(w.numel() for w in self.parameters() if w.requires_grad or not trained)

    def memory_mb(self) -> float:
        """What the weights take."""
        taken: int = sum(w.numel() * w.element_size() for w in self.parameters())
        return round(taken / 1e6, 1)
