"""VLAs of a backbone, learned queries and a head that regresses chunks: VLM4VLA and three of RoboVLMs.

A question is the prompt of the backbone, then (where it is asked for) the state as a vector, then the
queries, whose hidden states the head takes. Earlier moments are put before the present one, or beside it;
see the structures in ``bomb.models.robovlms``.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bomb.models.answering import Answering, Flow, Regression
from bomb.models.backbones.base import Backbone
from bomb.models.backbones.building import tiny_backbone
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.gripper import check_gripper
from bomb.models.heads.outputs import Outputs
from bomb.models.heads.regression import GRIPPER_RATIO, LOSSES, FCDecoder
from bomb.models.heads.resampler import DEPTH, HEAD_DIM, HEADS, Resampler
from bomb.models.on_backbone import BackboneVLA
from bomb.models.registry import BACKBONES
from bomb.models.requests import Request
from bomb.models.sequences import Learned, Patches, assemble
from bomb.models.settings import VLASettings, check_count, read_options
from bomb.models.vla import Batch, Losses, Reference, Scores
from bomb.models.weights import load_weights, save_module
from bomb.models.words import Tokens
from core.errors import OptionError, check_choice

EXPERTS, MOMENTS = ("joint", "separate"), ("last", "all")
ADDED = ("resampler", "expert")  # to the VLM, and saved with what makes actions
ACTION_FILE = "action.safetensors"  # queries, head and state, beside the VLM's own files


@dataclass(frozen=True, kw_only=True)
class ContinuousOptions:
    """Options of ``bomb.json``.

    Attributes:
        backbone: registered name; see ``bomb.models.registry``.
        hidden: width of what arm and gripper share.
        sizes: of the head's hidden layers.
        ratio: weight of the gripper's loss.
        loss: of the arm, ``huber`` as in the public code or ``mse`` as in the papers; ``flow`` makes the
            whole action by flow matching.
        steps: of Euler's method, where the action flows.
        queries: learned vectors of a moment.
        state: whether the state is read, as one more vector.
        experts: ``joint``: the VLM's layers work on the queries, too. ``separate``: a copy of them does
            (mixture of experts).
        latents: to which a perceiver resampler brings the tokens of a picture, a square number; 0: none.
        resampler: its (layers, heads, width of a head).
        moments: what is learned: the chunk of the ``last`` moment, or of ``all`` that are looked at.
    """

    backbone: str
    hidden: int = 1024
    sizes: tuple[int, ...] = (1024, 512, 256)
    ratio: float = GRIPPER_RATIO
    loss: str = "huber"
    steps: int = 10
    queries: int = 1
    state: bool = False
    experts: str = "joint"
    latents: int = 0
    resampler: tuple[int, int, int] = (DEPTH, HEADS, HEAD_DIM)
    moments: str = "last"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        for value in (self.hidden, *self.sizes):
            check_count("hidden and sizes", value)
        object.__setattr__(self, "resampler", tuple(self.resampler))
        for value in (self.steps, self.queries, *self.resampler):
            check_count("steps, queries and resampler", value)
        for name, valid in (("loss", (*LOSSES, "flow")), ("experts", EXPERTS), ("moments", MOMENTS)):
            check_choice(name, getattr(self, name), valid)
        if len(self.resampler) != 3 or self.latents < 0 or math.isqrt(self.latents) ** 2 != self.latents:
            raise OptionError(
                f"latents must be a square number and resampler three numbers, got {self.latents!r} and "
                f"{self.resampler!r}"
            )
        if not isinstance(self.ratio, (int, float)) or not 0 < self.ratio < float("inf"):
            raise OptionError(f"ratio must be a positive number, got {self.ratio!r}")
        if not isinstance(self.state, bool):
            raise OptionError(f"state must be true or false, got {self.state!r}")


class QueryNetwork(nn.Module):
    """A backbone, the learned queries, the head, and the state's projection where there is one."""

    def __init__(self, backbone: Backbone, head: Outputs, queries: int, state: int):
        super().__init__()
        self.backbone, self.head = backbone, head
        self.query = nn.Parameter(torch.zeros(queries, backbone.width))
        if state:
            self.state = nn.Linear(state, backbone.width)


class ContinuousVLA(BackboneVLA):
    """One chunk from queries.

    Args:
        settings, statistics: as of every VLA.
        backbone: with its weights; queries start at zero, the head at random (torch's generator).
    """

    options_kind: ClassVar[type[ContinuousOptions]] = ContinuousOptions
    chained: ClassVar[bool] = False  # whether moments follow one another in one sequence
    tiny_options: ClassVar[dict[str, Any]] = {"backbone": "smolvlm", "hidden": 16, "sizes": [32, 16]}

    def __init__(self, settings: VLASettings, statistics: DatasetStatistics, backbone: Backbone):
        super().__init__(settings, statistics)
        self.options = read_options(self.options_kind, settings.options, self.family)
        check_gripper(self.codec)
        if self.chained:
            backbone.check_chained(self.family)
        states = 0
        if self.options.state:
            states = self.state_codec.statistics.dims
        options = self.options
        self.answering: Answering = Flow() if options.loss == "flow" else Regression()
        if options.experts == "separate":
            if self.chained:
                raise OptionError(
                    f"separate experts need queries behind all of a question, {self.family} not"
                )
            backbone.check_chained("experts: separate")
            backbone.separate()
        if options.latents:
            backbone.check_chained("a resampler")
            depth, heads, head_dim = options.resampler
            backbone.resampler = Resampler(
                backbone.width, options.latents, depth=depth, heads=heads, head_dim=head_dim
            )
        head = self.make_head(backbone.width * options.queries)
        self.network = QueryNetwork(backbone, head, self.options.queries, states)

    @abstractmethod
    def make_head(self, width: int) -> Outputs:
        """A new head on features of ``width``."""

    def plain_head(self, width: int) -> FCDecoder:
        """An MLP on features of ``width``."""
        options = self.options
        return FCDecoder(
            width,
            chunk=self.settings.chunk,
            dims=self.codec.dims,
            hidden=options.hidden * options.queries,
            sizes=options.sizes,
            flows=self.answering.flows,
        )

    @abstractmethod
    def arrange(self, requests: Sequence[Request], length: int | None) -> dict[str, Any]:
        """What ``Batch`` takes of the questions' sequences; ``inputs`` lack pictures and states."""

    @abstractmethod
    def features(self, batch: Batch, vectors: Tensor) -> Tensor:
        """What the head makes actions of, float[B, M, width]: of the present moment, or of all, it last.

        Args:
            batch: questions.
            vectors: float[B, moments, n, d], what is learned of each moment.
        """

    @property
    def reads_answer(self) -> bool:  # type: ignore[override]
        """A noisy answer is read where it flows."""
        return self.answering.flows

    @property
    def backbone(self) -> Backbone:
        """The VLM."""
        return self.network.backbone

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        vla = cls.from_vlm(folder, settings, stored.read(folder, settings.dataset), dtype=dtype)
        vla.action_part.to(vla.dtype)
        load_weights(vla.action_part, [folder / ACTION_FILE], assign=False)
        return vla

    @classmethod
    def from_vlm(
        cls,
        folder: Path,
        settings: VLASettings,
        statistics: DatasetStatistics,
        *,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """A new model on a VLM as it is published: the files of ``from_pretrained`` alone.

        Raises:
            FileError, UnknownNameError: as ``load``.
        """
        options = read_options(cls.options_kind, settings.options, cls.family)
        backbone = BACKBONES.load(options.backbone).load(Path(folder), dtype=dtype)
        return cls(settings, statistics, backbone)

    def save(self, folder: Path) -> None:
        self.backbone.save(folder)
        save_module(self.action_part, folder / ACTION_FILE)
        stored.write(folder, {self.settings.dataset: self.statistics})

    @property
    def action_part(self) -> nn.Module:
        """What is not the VLM's."""
        part = nn.Module()
        for name, value in (*self.network.named_children(), ("query", self.network.query)):
            if name != "backbone":
                setattr(part, name, value)
        for name in ADDED:
            if getattr(self.backbone, name) is not None:
                setattr(part, name, getattr(self.backbone, name))
        return part

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        torch.manual_seed(seed)
        options = {**cls.tiny_options, **settings.options}
        kind: type[Backbone] = BACKBONES.load(options["backbone"])
        vla = cls(replace(settings, options=options), statistics, tiny_backbone(kind, texts))
        nn.init.normal_(vla.network.query)
        vla.eval()
        return vla

    # ---- questions --------------------------------------------------------------------------

    def moments(self, request: Request) -> list[Request]:
        """The moments that are looked at, the present one last."""
        return [*request.history, request][-self.settings.history :]

    @property
    def patches(self) -> int:
        """Embeddings of patches of a question with all its moments."""
        return self.settings.history * len(self.settings.cameras) * self.backbone.seen

    def pieces(self, moment: Request, back: int) -> list[Tokens | Patches | Learned]:
        """The sequence of one moment, ``back`` moments before the present one."""
        cameras = [name if not back else f"{name}@-{back}" for name in self.settings.cameras]
        found = self.backbone.prompt(moment.instruction, cameras)
        if self.options.state:
            found.append(Learned())
        return [*found, Learned(count=self.options.queries, acts=not back)]

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        settings = self.settings
        seen = [
            [moment.look(settings.cameras, settings.image_size) for moment in self.moments(request)]
            for request in requests
        ]
        arranged = self.arrange(requests, length)
        pictures = [self.backbone.pixels([p for moment in one for p in moment]) for one in seen]
        most = settings.history * len(settings.cameras)
        pixels = np.zeros((len(requests), most, *pictures[0].shape[1:]), dtype=np.float32)
        for k, one in enumerate(pictures):
            pixels[k, : len(one)] = one
        inputs = {**arranged.pop("inputs"), "pixels": torch.from_numpy(pixels).to(self.dtype)}
        if self.options.state:
            states = np.zeros((len(requests), settings.history, self.state_codec.statistics.dims))
            for k, request in enumerate(requests):
                there = self.moments(request)
                states[k, : len(there)] = self.state_codec.forward(np.stack([m.state for m in there]))
            inputs["states"] = torch.from_numpy(states).to(self.dtype)
        taught = self.teach(actions, valid, len(requests)) or {}
        if taught and self.options.moments == "all" and settings.history > 1:
            inputs |= self.past(requests)
        batch = Batch(inputs=inputs, actions=taught.get("actions"), valid=taught.get("valid"), **arranged)
        return batch.to(self.device)

    def past(self, requests: Sequence[Request]) -> dict[str, Tensor]:
        """What was done from earlier moments on, the latest last: ``past_actions`` and ``past_valid``."""
        settings = self.settings
        shape = (len(requests), settings.history - 1, settings.chunk)
        actions, valid = np.zeros((*shape, 4)), np.zeros(shape, dtype=bool)
        for k, request in enumerate(requests):
            earlier = self.moments(request)[:-1]
            for at, moment in enumerate(earlier, start=settings.history - 1 - len(earlier)):
                if moment.answer is not None:
                    actions[k, at], valid[k, at] = moment.answer
        normalised = self.codec.normalise(actions).astype(np.float32)
        return {"past_actions": torch.from_numpy(normalised), "past_valid": torch.from_numpy(valid)}

    def chain(self, requests: Sequence[Request], length: int | None) -> dict[str, Any]:
        """All moments of a question one after the other, in one sequence."""
        samples = []
        for request in requests:
            moments = self.moments(request)
            last = len(moments) - 1
            samples.append([p for k, moment in enumerate(moments) for p in self.pieces(moment, last - k)])
        sequences = assemble(samples, pad=self.backbone.pad, length=length, patches=self.patches)
        return {
            "inputs": sequences.inputs,
            "attention_mask": sequences.mask,
            "position_ids": self.backbone.positions(sequences),
            "layouts": sequences.layouts,
        }

    # ---- answers ----------------------------------------------------------------------------

    def read(self, batch: Batch) -> Tensor:
        """Features, as ``features`` makes them."""
        vectors = self.network.query.expand(len(batch), self.settings.history, -1, -1)
        if self.options.state:
            states = self.network.state(batch.inputs["states"])
            vectors = torch.cat([states[:, :, None], vectors], dim=2)
        features = self.features(batch, vectors)
        learns = self.options.moments == "all" and "past_actions" in batch.inputs
        return features if learns else features[:, -1:]

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        return self.answering.loss(self, batch, weights, seeds)

    @torch.no_grad()
    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        return self.answering.decide(self, batch, seeds)

    @torch.no_grad()
    def act(
        self, batch: Batch, *, seeds: Sequence[tuple[int, int]], samples: int = 1
    ) -> npt.NDArray[np.float32]:
        if not self.answering.flows:
            return super().act(batch, seeds=seeds, samples=samples)
        every = [self.answering.decide(self, batch, seeds, sample).actions for sample in range(samples)]
        return np.stack(every, axis=1)

    def score(self, batch: Batch, reference: Reference) -> Scores:
        return self.answering.score(self, batch, reference)

    # ---- the inside -------------------------------------------------------------------------

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        state = {"state": ("network.state.",)} if self.options.state else {}
        added = {n: (f"network.backbone.{n}.",) for n in ADDED if getattr(self.backbone, n) is not None}
        return {**super().parts, **added, "head": ("network.head.", "network.query"), **state}
