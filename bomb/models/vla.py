"""The contract that every vision-language-action model of BOMB keeps, whatever it is made of.

A question becomes a ``Batch`` once (``encode``); everything else is asked of the batch: a loss to learn
from, actions, a score of given actions. What explanation and training need to know about the inside
(layers, heads, patches, words, parts) is told by ``anatomy``, ``Batch.layouts`` and ``parts``.

An answer does not depend on what else is in the batch, and noise is drawn from (seed, step, sample) alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from bomb.models.codecs.actions import ActionCodec
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.requests import Request
from bomb.models.settings import VLASettings
from core.errors import OptionError, check_choice

Tensor = torch.Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where things stand in the sequence of one sample, by position 0..L-1, padding counted.

    Attributes:
        pictures: by camera, int64[rows, cols]: the position of each patch, from the top left.
        characters: int64[L, 2]: which characters of the instruction a position covers, [start, end); (-1, -1)
            where it is none of them.
        actions: int64[n]: the positions whose outputs become the action.
    """

    pictures: Mapping[str, np.ndarray]
    characters: np.ndarray
    actions: np.ndarray

    def words(self, start: int, end: int) -> np.ndarray:
        """int64[n]: positions of the tokens that share a character with [start, end) of the instruction.

        Raises:
            OptionError: if no token does.
        """
        first, last = self.characters.T
        found = np.flatnonzero((first < end) & (last > start) & (first >= 0))
        if not len(found):
            raise OptionError(f"no token of the instruction covers characters {start} to {end}")
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """B questions as tensors, padded to a common length L.

    Attributes:
        inputs: what the family's network takes, by name; every tensor has B as its first axis.
        attention_mask: bool[B, L], which positions are looked at.
        position_ids: int64[B, L] or int64[B, 3, L]: fixed when the batch is made, so that hiding a position
            moves no other.
        layouts: one per sample.
        actions: float32[B, chunk, dims], normalised, to be learned; None where there are none.
        valid: bool[B, chunk], which of them count.
    """

    inputs: Mapping[str, Tensor]
    attention_mask: Tensor
    position_ids: Tensor
    layouts: tuple[Layout, ...]
    actions: Tensor | None = None
    valid: Tensor | None = None

    def __len__(self) -> int:
        return len(self.attention_mask)

    def hide(self, positions: Tensor) -> "Batch":
        """The same batch with positions that nothing looks at, bool[B, L]; all others stay where they are.

        Raises:
            OptionError: for another shape.
        """
        if positions.shape != self.attention_mask.shape or positions.dtype != torch.bool:
            raise OptionError(
                f"positions must be bool{list(self.attention_mask.shape)}, "
                f"got {positions.dtype} {list(positions.shape)}"
            )
        mask = self.attention_mask & ~positions.to(self.attention_mask.device)
        return replace(self, attention_mask=mask)

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        return self._each(lambda tensor: tensor.to(device))

    def select(self, rows: Sequence[int]) -> "Batch":
        """Some of the samples, in this order; a row may be named several times."""
        index = torch.as_tensor(list(rows), dtype=torch.long)
        chosen = self._each(lambda tensor: tensor[index.to(tensor.device)])
        return replace(chosen, layouts=tuple(self.layouts[k] for k in rows))

    def _each(self, change) -> "Batch":
        rest = {name: getattr(self, name) for name in ("attention_mask", "position_ids", "actions", "valid")}
        return replace(
            self,
            inputs={name: change(tensor) for name, tensor in self.inputs.items()},
            **{name: None if tensor is None else change(tensor) for name, tensor in rest.items()},
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Losses:
    """What is to become small.

    Attributes:
        total: scalar with a gradient.
        samples: float[B], each sample's share; their mean is ``total`` where all samples count alike.
        groups: by group of the action (``xy``, ``z``, ``gripper``, ...), scalars without a gradient, each the
            mean over what the group has.
        offsets: float[chunk] without a gradient: by how many actions after the present one.
        metrics: other numbers to be logged, such as ``token_accuracy``.
    """

    total: Tensor
    samples: Tensor
    groups: Mapping[str, Tensor]
    offsets: Tensor
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What a model decided, frozen, so that changed questions can be scored by it.

    Attributes:
        actions: float32[B, chunk, 4], in BOMB's terms.
        raw: the same as the head has it, by the family's own names: token ids, a normalised chunk, the noise
            that it was made from.
    """

    actions: np.ndarray
    raw: Mapping[str, Tensor]

    def select(self, rows: Sequence[int]) -> "Reference":
        """As ``Batch.select``: the same decision for several changed questions."""
        index = torch.as_tensor(list(rows), dtype=torch.long)
        raw = {name: tensor[index.to(tensor.device)] for name, tensor in self.raw.items()}
        return Reference(actions=self.actions[index.numpy()], raw=raw)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """How much a model wants a reference; larger is more.

    Attributes:
        total: float[B]. Tokens: the sum of their forced log-probabilities. Regression: minus the distance
            from the reference. Flow: minus the distance of the end points from the same noise.
        groups: float[B] by group of the action.
        others: further scores, float[B] by name, such as a flow's ``flow_loss``.
    """

    total: Tensor
    groups: Mapping[str, Tensor]
    others: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A layer of a transformer, and where its heads lie side by side.

    Attributes:
        stream: ``vision``, ``language``, ``expert``, ...: layers of one stream follow one another.
        index: from the input on.
        module: the whole layer.
        attention: its attention; what it adds to the stream.
        output_projection: takes the heads side by side, ``heads * head_dim`` wide.
        mlp: its other contribution.
        heads, head_dim: of the queries.
    """

    stream: str
    index: int
    module: torch.nn.Module
    attention: torch.nn.Module
    output_projection: torch.nn.Module
    mlp: torch.nn.Module
    heads: int
    head_dim: int


@dataclass(frozen=True, kw_only=True)
class PictureGrid:
    """How a camera's picture is cut into patches.

    Attributes:
        rows, cols: how many.
        box: (top, left, bottom, right) of what the model sees of the picture, as shares of its sides.
    """

    rows: int
    cols: int
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Anatomy:
    """The inside of a model, as far as explaining it needs to know.

    Attributes:
        layers: of all streams.
        grids: by camera.
    """

    layers: tuple[Layer, ...]
    grids: Mapping[str, PictureGrid]

    def stream(self, name: str) -> tuple[Layer, ...]:
        """The layers of one stream, from the input on.

        Raises:
            UnknownNameError: listing the streams.
        """
        check_choice("stream", name, sorted({layer.stream for layer in self.layers}))
        return tuple(layer for layer in self.layers if layer.stream == name)


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
    round_trip: float = 0.02  # how far encoding and decoding may move an action, in BOMB's terms
    reads_answer: ClassVar[bool] = (
        False  # whether, while learning, later tokens of an answer see earlier ones
    )

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
        actions: np.ndarray | None = None,
        *,
        valid: np.ndarray | None = None,
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
        """How much the model wants ``reference`` when it is asked ``batch``; needs no gradient."""

    @property
    @abstractmethod
    def anatomy(self) -> Anatomy:
        """Layers and heads, and how pictures are cut into patches."""

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Beginnings of parameter names by part: ``vision``, ``words``, ``language``, ``head``, ..."""

    # ---- what all have ----------------------------------------------------------------------

    def act(self, batch: Batch, *, seeds: Sequence[tuple[int, int]], samples: int = 1) -> np.ndarray:
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

    def quantise(self, values: np.ndarray) -> np.ndarray:
        """Normalised actions, float[..., dims], as the head can say them; by default as they are."""
        return values

    def teach(
        self, actions: np.ndarray | None, valid: np.ndarray | None, count: int
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
        return round(sum(w.numel() * w.element_size() for w in self.parameters()) / 1e6, 1)
