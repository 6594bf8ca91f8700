"""VLM4VLA: any VLM, a learned action query after the prompt, and an MLP on the query's hidden state.

The state is not read, and every moment is answered by itself. Words of the prompt are the backbone's.
"""

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
from bomb.models.heads.regression import GRIPPER_RATIO, FCDecoder, regression_losses, regression_scores
from bomb.models.losses import learned
from bomb.models.registry import BACKBONES
from bomb.models.requests import Request
from bomb.models.sequences import Learned, assemble
from bomb.models.settings import VLASettings, check_count, read_options
from bomb.models.vla import VLA, Anatomy, Batch, Losses, PictureGrid, Reference, Scores
from bomb.models.weights import load_weights, save_module
from core.errors import OptionError, PolicyOutputError

Tensor = torch.Tensor
ACTION_FILE = "action.safetensors"  # the query and the head, beside the VLM's own files


@dataclass(frozen=True, kw_only=True)
class VLM4VLAOptions:
    """Options of ``bomb.json``.

    Attributes:
        backbone: registered name; see ``bomb.models.registry``.
        hidden: width of what arm and gripper share.
        sizes: of the head's hidden layers.
        ratio: weight of the gripper's loss.
    """

    backbone: str
    hidden: int = 1024
    sizes: tuple[int, ...] = (1024, 512, 256)
    ratio: float = GRIPPER_RATIO

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        for value in (self.hidden, *self.sizes):
            check_count("hidden and sizes", value)
        if not isinstance(self.ratio, (int, float)) or not 0 < self.ratio < float("inf"):
            raise OptionError(f"ratio must be a positive number, got {self.ratio!r}")


class QueryNetwork(nn.Module):
    """A backbone, the learned query, the head.

    Args:
        backbone: with its weights.
        head: on the query's hidden state.
    """

    def __init__(self, backbone: Backbone, head: nn.Module):
        super().__init__()
        self.backbone, self.head = backbone, head
        self.query = nn.Parameter(torch.zeros(1, backbone.width))


class VLM4VLA(VLA):
    """One chunk from one query.

    Args:
        settings, statistics: as of every VLA.
        backbone: with its weights; the query starts at zero, the head at random (torch's generator).
    """

    family: ClassVar[str] = "vlm4vla"

    def __init__(self, settings: VLASettings, statistics: DatasetStatistics, backbone: Backbone):
        super().__init__(settings, statistics)
        self.options = read_options(VLM4VLAOptions, settings.options, self.family)
        check_gripper(self.codec)
        head = FCDecoder(
            backbone.width,
            chunk=settings.chunk,
            dims=self.codec.dims,
            hidden=self.options.hidden,
            sizes=self.options.sizes,
        )
        self.network = QueryNetwork(backbone, head)

    @property
    def backbone(self) -> Backbone:
        """The VLM."""
        return self.network.backbone

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> "VLM4VLA":
        options = read_options(VLM4VLAOptions, settings.options, cls.family)
        backbone = BACKBONES.load(options.backbone).load(folder, dtype=dtype)
        vla = cls(settings, stored.read(folder, settings.dataset), backbone)
        vla.action_part.to(next(backbone.parameters()).dtype)
        load_weights(vla.action_part, [folder / ACTION_FILE], assign=False)
        return vla

    @classmethod
    def from_vlm(
        cls, folder: Path, settings: VLASettings, statistics: DatasetStatistics, *, dtype: Any = None
    ) -> "VLM4VLA":
        """A new model on a VLM as it is published: the files of ``from_pretrained`` alone.

        Raises:
            FileError, UnknownNameError: as ``load``.
        """
        options = read_options(VLM4VLAOptions, settings.options, cls.family)
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
        part.head, part.query = self.network.head, self.network.query
        return part

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> "VLM4VLA":
        torch.manual_seed(seed)
        options = {"backbone": "smolvlm", "hidden": 16, "sizes": [32, 16], **settings.options}
        kind = BACKBONES.load(options["backbone"])
        vla = cls(replace(settings, options=options), statistics, tiny_backbone(kind, texts))
        nn.init.normal_(vla.network.query)
        return vla.eval()

    # ---- questions and answers --------------------------------------------------------------

    def encode(
        self,
        requests: Sequence[Request],
        actions: np.ndarray | None = None,
        *,
        valid: np.ndarray | None = None,
        length: int | None = None,
    ) -> Batch:
        settings, backbone = self.settings, self.backbone
        shown = [request.look(settings.cameras, settings.image_size) for request in requests]
        samples = [
            [*backbone.prompt(request.instruction, settings.cameras), Learned(acts=True)]
            for request in requests
        ]
        sequences = assemble(samples, pad=backbone.pad, length=length)
        pixels = torch.from_numpy(np.stack([backbone.pixels(pictures) for pictures in shown]))
        return Batch(
            inputs={**sequences.inputs, "pixels": pixels.to(self.dtype)},
            attention_mask=sequences.mask,
            position_ids=backbone.positions(sequences),
            layouts=sequences.layouts,
            **(self.teach(actions, valid, len(requests)) or {}),
        ).to(self.device)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The arm, float32[B, chunk, dims - 1], and the gripper's logits, float32[B, chunk]."""
        query = self.network.query.expand(len(batch), -1, -1)
        hidden = self.backbone(batch, query)[:, -1]
        arm, gripper = self.network.head(hidden)
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
        bits = bits_of(self.codec, actions)
        return regression_losses(
            arm, gripper, actions, bits, valid, self.codec.groups, weights=weights, ratio=self.options.ratio
        )

    @torch.no_grad()
    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        arm, gripper = self(batch)
        if not (torch.isfinite(arm).all() and torch.isfinite(gripper).all()):
            raise PolicyOutputError("the model's actions are not finite")
        bits = (gripper > 0).float()
        actions = self.codec.to_bomb(with_gripper(self.codec, arm, bits).cpu().numpy())
        return Reference(actions=actions, raw={"arm": arm, "bits": bits})

    @torch.no_grad()
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
        return {**there, "head": ("network.head.", "network.query")}
