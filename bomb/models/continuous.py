"""VLAs of a backbone, learned queries and a head that regresses chunks: VLM4VLA and three of RoboVLMs.

A question is the prompt of the backbone, then (where it is asked for) the state as a vector, then the
queries, whose hidden states the head takes. Earlier moments are put before the present one, or beside it;
see the structures in ``bomb.models.robovlms``.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from bomb.models.backbones.base import Backbone
from bomb.models.backbones.building import tiny_backbone
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.gripper import bits_of, check_gripper, with_gripper
from bomb.models.heads.regression import GRIPPER_RATIO, LOSSES, regression_losses, regression_scores
from bomb.models.losses import learned
from bomb.models.registry import BACKBONES
from bomb.models.requests import Request
from bomb.models.sequences import Learned, Patches, assemble
from bomb.models.settings import VLASettings, check_count, read_options
from bomb.models.vla import VLA, Anatomy, Batch, Losses, PictureGrid, Reference, Scores
from bomb.models.weights import load_weights, save_module
from bomb.models.words import Tokens
from core.errors import OptionError, PolicyOutputError, check_choice

Tensor = torch.Tensor
ACTION_FILE = "action.safetensors"  # queries, head and state, beside the VLM's own files


@dataclass(frozen=True, kw_only=True)
class ContinuousOptions:
    """Options of ``bomb.json``.

    Attributes:
        backbone: registered name; see ``bomb.models.registry``.
        hidden: width of what arm and gripper share.
        sizes: of the head's hidden layers.
        ratio: weight of the gripper's loss.
        loss: of the arm, ``huber`` as in the public code or ``mse`` as in the papers.
        queries: learned vectors of a moment.
        state: whether the state is read, as one more vector.
    """

    backbone: str
    hidden: int = 1024
    sizes: tuple[int, ...] = (1024, 512, 256)
    ratio: float = GRIPPER_RATIO
    loss: str = "huber"
    queries: int = 1
    state: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        for value in (self.hidden, *self.sizes):
            check_count("hidden and sizes", value)
        check_count("queries", self.queries)
        check_choice("loss", self.loss, LOSSES)
        if not isinstance(self.ratio, (int, float)) or not 0 < self.ratio < float("inf"):
            raise OptionError(f"ratio must be a positive number, got {self.ratio!r}")
        if not isinstance(self.state, bool):
            raise OptionError(f"state must be true or false, got {self.state!r}")


class QueryNetwork(nn.Module):
    """A backbone, the learned queries, the head, and the state's projection where there is one."""

    def __init__(self, backbone: Backbone, head: nn.Module, queries: int, state: int):
        super().__init__()
        self.backbone, self.head = backbone, head
        self.query = nn.Parameter(torch.zeros(queries, backbone.width))
        if state:
            self.state = nn.Linear(state, backbone.width)


class ContinuousVLA(VLA):
    """One chunk from queries.

    Args:
        settings, statistics: as of every VLA.
        backbone: with its weights; queries start at zero, the head at random (torch's generator).
    """

    options_kind: ClassVar[type[ContinuousOptions]] = ContinuousOptions
    chained: ClassVar[bool] = False  # whether moments follow one another in one sequence
    tiny_options: ClassVar[dict] = {"backbone": "smolvlm", "hidden": 16, "sizes": [32, 16]}

    def __init__(self, settings: VLASettings, statistics: DatasetStatistics, backbone: Backbone):
        super().__init__(settings, statistics)
        self.options: Any = read_options(self.options_kind, settings.options, self.family)
        check_gripper(self.codec)
        if self.chained:
            backbone.check_chained(self.family)
        states = 0
        if self.options.state:
            states = self.state_codec.statistics.dims
        head = self.make_head(backbone.width * self.options.queries)
        self.network = QueryNetwork(backbone, head, self.options.queries, states)

    @abstractmethod
    def make_head(self, width: int) -> nn.Module:
        """A new head on features of ``width``."""

    @abstractmethod
    def arrange(self, requests: Sequence[Request], length: int | None) -> dict[str, Any]:
        """What ``Batch`` takes of the questions' sequences; ``inputs`` lack pictures and states."""

    @abstractmethod
    def features(self, batch: Batch, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """The arm, float[B, chunk, dims - 1], and the gripper's logits, float[B, chunk], of the present.

        Args:
            batch: questions.
            vectors: float[B, moments, n, d], what is learned of each moment.
        """

    @property
    def backbone(self) -> Backbone:
        """The VLM."""
        return self.network.backbone

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(
        cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None
    ) -> "ContinuousVLA":
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
    ) -> "ContinuousVLA":
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
        return part

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> "ContinuousVLA":
        torch.manual_seed(seed)
        options = {**cls.tiny_options, **settings.options}
        kind = BACKBONES.load(options["backbone"])
        vla = cls(replace(settings, options=options), statistics, tiny_backbone(kind, texts))
        nn.init.normal_(vla.network.query)
        return vla.eval()

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
        actions: np.ndarray | None = None,
        *,
        valid: np.ndarray | None = None,
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
            states = np.zeros((len(requests), settings.history, self.statistics.proprio.dims))
            for k, request in enumerate(requests):
                there = self.moments(request)
                states[k, : len(there)] = self.state_codec.forward(np.stack([m.state for m in there]))
            inputs["states"] = torch.from_numpy(states).to(self.dtype)
        taught = self.teach(actions, valid, len(requests)) or {}
        return Batch(inputs=inputs, **arranged, **taught).to(self.device)

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

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The arm, float32[B, chunk, dims - 1], and the gripper's logits, float32[B, chunk]."""
        vectors = self.network.query.expand(len(batch), self.settings.history, -1, -1)
        if self.options.state:
            states = self.network.state(batch.inputs["states"])
            vectors = torch.cat([states[:, :, None], vectors], dim=2)
        arm, gripper = self.features(batch, vectors)
        return arm.float(), gripper.float()

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        actions, valid = learned(batch)
        arm, gripper = self(batch)
        return regression_losses(
            arm,
            gripper,
            actions,
            bits_of(self.codec, actions),
            valid,
            self.codec.groups,
            weights=weights,
            ratio=self.options.ratio,
            loss=self.options.loss,
        )

    @torch.no_grad()
    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        arm, gripper = self(batch)
        if not (torch.isfinite(arm).all() and torch.isfinite(gripper).all()):
            raise PolicyOutputError("the model's actions are not finite")
        bits = (gripper > 0).float()
        actions = self.codec.to_bomb(with_gripper(self.codec, arm, bits).cpu().numpy())
        return Reference(actions=actions, raw={"arm": arm, "bits": bits})

    def score(self, batch: Batch, reference: Reference) -> Scores:
        arm, gripper = self(batch)
        raw = {name: tensor.to(arm.device) for name, tensor in reference.raw.items()}
        return regression_scores(arm, gripper, raw["arm"], raw["bits"], self.codec.groups)

    # ---- the inside -------------------------------------------------------------------------

    @property
    def anatomy(self) -> Anatomy:
        rows, cols = self.backbone.grid
        grids = {camera: PictureGrid(rows=rows, cols=cols) for camera in self.settings.cameras}
        return Anatomy(layers=self.backbone.layers, grids=grids)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        inside = self.backbone.parts
        there = {name: tuple(f"network.backbone.{p}" for p in prefixes) for name, prefixes in inside.items()}
        state = {"state": ("network.state.",)} if self.options.state else {}
        return {**there, "head": ("network.head.", "network.query"), **state}
