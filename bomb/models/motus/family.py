"""Motus' structure under BOMB's contract, at the size that its settings say.

A VLM reads the question; its last hidden states go to the understanding expert, the embedded words of the
instruction to the video expert, the state to the action expert. Latent pictures are pictures of four pixels a
patch whose neighbours lie in channels: nothing is learned about them. The public model has Wan's autoencoder
and a T5 in these places, so its weights cannot be loaded here; the experts have its names and numbers.

While learning, the video is that of ``Request.future``; where there is none, actions alone are learned,
with a video that stays noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models.backbones.base import Backbone
from bomb.models.backbones.building import tiny_backbone
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.flow import noises_of
from bomb.models.flow_vla import FlowOptions, FlowVLA
from bomb.models.losses import chunk_losses, learned
from bomb.models.motus.anatomy import expert_layers
from bomb.models.motus.config import VLM, MotusConfig, tiny_config
from bomb.models.motus.network import MODES, MotusNetwork, Seen, levels
from bomb.models.noise import generator
from bomb.models.pictures import resize
from bomb.models.registry import BACKBONES
from bomb.models.requests import Request
from bomb.models.sequences import assemble
from bomb.models.settings import VLASettings, read_options
from bomb.models.vla import Anatomy, Batch, Losses, PictureGrid
from bomb.models.weights import load_weights, save_weights, weight_files
from core.errors import OptionError, check_choice

ACTING = ("vla", "joint")  # the modes that need nothing but a question
CELL = 2  # pixels of a latent cell, along a side, and cells of a patch
LEVEL = 1_000_033  # number of the sample that times are drawn by, beside those of noise


@dataclass(frozen=True, kw_only=True)
class MotusOptions(FlowOptions):
    """Options of ``bomb.json``.

    Attributes:
        backbone: registered name of the VLM.
        mode: how it acts: ``vla``, with a video that stays noise, or ``joint``, imagining it on the way.
    """

    backbone: str = "qwen3_vl"
    mode: str = "vla"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("mode of acting", self.mode, ACTING)


@dataclass(frozen=True, kw_only=True, eq=False)
class KeptQuestion:
    """What is kept of a question: ``seen``, and the noise of the video."""

    seen: Seen
    video: Tensor


class Motus(FlowVLA[KeptQuestion]):
    """Three experts behind a VLM.

    Args:
        settings, statistics: as of every VLA; ``proprio`` must be there.
        config: of the experts.
        backbone: the VLM with its weights.
        network: the experts with theirs; None makes them with random ones.

    Raises:
        OptionError: if they do not fit each other.
    """

    family: ClassVar[str] = "motus"

    options: MotusOptions

    def __init__(
        self,
        settings: VLASettings,
        statistics: DatasetStatistics,
        config: MotusConfig,
        backbone: Backbone,
        network: MotusNetwork | None = None,
    ):
        super().__init__(settings, statistics)
        self.options = read_options(MotusOptions, settings.options, self.family)
        there = {"chunk": settings.chunk, "numbers": self.codec.dims, "vlm": backbone.width,
                 "states": self.state_codec.statistics.dims, "text": backbone.width,
                 "channels": 3 * CELL**2}  # fmt: skip
        for name, value in there.items():
            if getattr(config, name) != value:
                raise OptionError(f"{name} is {value}, the experts are made for {getattr(config, name)}")
        self.config, self.backbone = config, backbone
        self.network = MotusNetwork(config) if network is None else network

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        options = read_options(MotusOptions, settings.options, cls.family)
        backbone = BACKBONES.load(options.backbone).load(Path(folder) / VLM, dtype=dtype)
        config = MotusConfig.read(folder)
        network = MotusNetwork(config)
        load_weights(network, weight_files(folder), dtype=dtype)
        return cls(settings, stored.read(folder, settings.dataset), config, backbone, network)

    def save(self, folder: Path) -> None:
        self.config.write(folder)
        save_weights(self.network, folder, shard_mb=5000)
        (folder / VLM).mkdir()
        self.backbone.save(folder / VLM)
        stored.write(folder, {self.settings.dataset: self.statistics})

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        torch.manual_seed(seed)
        options = {"steps": 4, "backbone": "qwen3_vl", **settings.options}
        backbone = tiny_backbone(BACKBONES.load(options["backbone"]), texts)
        config = tiny_config(
            chunk=settings.chunk, numbers=statistics.action.dims, vlm=backbone.width,
            states=statistics.proprio.dims if statistics.proprio else 1,
        )  # fmt: skip
        vla = cls(replace(settings, options=options), statistics, config, backbone)
        vla.eval()
        return vla

    # ---- questions --------------------------------------------------------------------------

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        settings, backbone, frames = self.settings, self.backbone, self.config.frames
        shown = [request.look(settings.cameras, settings.image_size) for request in requests]
        samples = [backbone.prompt(request.instruction, settings.cameras) for request in requests]
        sequences = assemble(samples, pad=backbone.pad, length=length)
        states = self.state_codec.forward(np.stack([request.state for request in requests]))
        video = np.zeros((len(requests), 1 + frames, *self._latent(shown[0][0]).shape), dtype=np.float32)
        foreseen = np.zeros(len(requests), dtype=bool)
        for k, request in enumerate(requests):
            video[k, 0] = self._latent(shown[k][0])
            later = [m.look(settings.cameras, settings.image_size)[0] for m in request.future[:frames]]
            foreseen[k] = len(later) == frames
            if foreseen[k]:
                video[k, 1:] = [self._latent(picture) for picture in later]
        numbers = {
            "pixels": np.stack([backbone.pixels(pictures) for pictures in shown]),
            "states": states.astype(np.float32),
            "video": video.swapaxes(1, 2),
        }
        inputs = {
            **{name: torch.from_numpy(np.ascontiguousarray(v)).to(self.dtype) for name, v in numbers.items()},
            "foreseen": torch.from_numpy(foreseen),
        }
        return sequences.batch(
            inputs, self.teach(actions, valid, len(requests)), backbone.positions(sequences)
        ).to(self.device)

    def _latent(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """float32[channels, rows, cols] from -1 to 1, four cells a patch of the VLM."""
        rows, cols = self.backbone.grid
        small = resize(picture, rows * CELL**2, cols * CELL**2).astype(np.float32) / 127.5 - 1
        cells = small.reshape(rows * CELL, CELL, cols * CELL, CELL, 3)
        return cells.transpose(1, 3, 4, 0, 2).reshape(-1, rows * CELL, cols * CELL)

    # ---- the flow ---------------------------------------------------------------------------

    @property
    def room(self) -> int:
        return self.codec.dims

    @property
    def shape(self) -> tuple[int, int]:
        """Of the noise of an answer: the chunk's, then as many more rows as the video needs."""
        return self.settings.chunk + -(-int(np.prod(self._video)) // self.room), self.room

    @property
    def _video(self) -> tuple[int, int, int, int]:
        rows, cols = self.backbone.grid
        return self.config.channels, 1 + self.config.frames, rows * CELL, cols * CELL

    def apart(self, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The noise of the video and of the actions."""
        chunk, size = self.settings.chunk, int(np.prod(self._video))
        return noise[:, chunk:].flatten(1)[:, :size].unflatten(1, self._video), noise[:, :chunk]

    def look(self, batch: Batch) -> Seen:
        """The question as the experts take it."""
        backbone, mask = self.backbone, batch.attention_mask
        embeddings = backbone.embed(batch)
        hidden = backbone(batch)
        spoken = np.stack([layout.characters[:, 0] >= 0 for layout in batch.layouts])
        places = np.stack([layout.pictures[self.settings.cameras[0]].ravel() for layout in batch.layouts])
        return Seen(
            hidden=hidden,
            mask=mask,
            words=embeddings[..., : backbone.width],
            said=_someone(mask & torch.from_numpy(spoken).to(mask.device)),
            frame=batch.inputs["video"][:, :, :1],
            shown=mask.gather(1, torch.from_numpy(places).to(mask.device)),
            states=batch.inputs["states"],
        )

    def read(self, batch: Batch) -> KeptQuestion:
        """The question; its video is noise of no sample until ``flow`` brings one."""
        seen = self.look(batch)
        video = torch.zeros(len(batch), *self._video, device=self.device)
        return KeptQuestion(seen=seen, video=video)

    def velocity(self, batch: Batch, memory: KeptQuestion, noisy: Tensor, times: Tensor) -> Tensor:
        video = torch.cat([memory.seen.frame.float(), memory.video[:, :, 1:]], dim=2)
        still = torch.ones_like(times)
        return self.network.velocities(memory.seen, video.to(self.dtype), noisy.to(self.dtype), still, times)[
            1
        ]

    def flow(self, batch: Batch, memory: KeptQuestion, noise: Tensor) -> Tensor:
        return self.imagine(batch, self.options.mode, noise, memory=memory)[1]

    def imagine(
        self,
        batch: Batch,
        mode: str,
        noise: Tensor,
        *,
        video: Tensor | None = None,
        actions: Tensor | None = None,
        memory: KeptQuestion | None = None,
    ) -> tuple[Tensor, Tensor]:
        """What comes of a question, in any of the five modes.

        Args:
            batch: the question.
            mode: out of ``MODES``.
            noise: float[B, *shape].
            video: float[B, channels, 1 + frames, rows, cols], known by ``inverse_dynamics``.
            actions: float[B, chunk, dims], normalised, known by ``world_model``.
            memory: of ``read``, if it is there already.

        Returns:
            The video, as it is given, and actions, float32[B, chunk, dims].

        Raises:
            UnknownNameError: for another mode.
            OptionError: if what the mode needs is not given.
        """
        video_flows, action_flows, rest = MODES[check_choice("mode", mode, MODES)]
        if rest == 0 and (video if action_flows else actions) is None:
            raise OptionError(f"the mode {mode} needs {'a video' if action_flows else 'actions'}")
        drawn_video, drawn = self.apart(noise.float())
        seen = (memory or self.read(batch)).seen
        made, acted = self.network.run(
            seen,
            drawn_video if video_flows or rest or video is None else video.float(),
            drawn if action_flows or rest or actions is None else actions.float(),
            mode,
            self.options.steps,
        )
        return made.float(), acted.float()

    def errors(
        self, batch: Batch, memory: KeptQuestion, actions: Tensor, noise: Tensor, times: Tensor
    ) -> Tensor:
        video, drawn = self.apart(noise)
        at = times[:, None, None]
        made = self.velocity(
            batch, replace(memory, video=video), at * drawn + (1 - at) * actions.float(), times
        )
        return (made - (drawn - actions)) ** 2

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        actions, valid = learned(batch)
        video, drawn = self.apart(noises_of(seeds, len(batch), self.shape).to(self.device))
        at_video, at_action = self._times(seeds, len(batch))
        there = batch.inputs["foreseen"]
        at_video = torch.where(there, at_video, torch.ones_like(at_video))
        a, v = at_action[:, None, None], at_video[:, None, None, None, None]
        real, seen = batch.inputs["video"].float(), self.look(batch)
        noisy = torch.cat([real[:, :, :1], (v * video + (1 - v) * real)[:, :, 1:]], dim=2)
        mixed = a * drawn + (1 - a) * actions
        moving, made = self.network.velocities(
            seen, noisy.to(self.dtype), mixed.to(self.dtype), at_video, at_action
        )
        part = chunk_losses((made - (drawn - actions)) ** 2, valid, self.codec.groups, weights)
        # The present picture is known: its errors are zero, and count in the mean as in the public code.
        off = ((moving - (video - real)) ** 2)[:, :, 1:].flatten(1).sum(1) / real[0].numel()
        off = off * there
        return replace(
            part,
            total=part.total + off.mean(),
            samples=part.samples + off,
            metrics={**part.metrics, "video": off.mean().item()},
        )

    def _times(self, seeds: Sequence[tuple[int, int]] | None, count: int) -> tuple[Tensor, Tensor]:
        """Independent times of video and action, float32[count] each."""
        table = levels()
        if seeds is None:
            drawn = torch.randint(len(table), (count, 2))
        else:
            each = [generator(*seed, LEVEL).integers(0, len(table), 2) for seed in seeds]
            drawn = torch.from_numpy(np.stack(each))
        found = table[drawn].to(self.device)
        return found[:, 0], found[:, 1]

    # ---- the inside -------------------------------------------------------------------------

    @property
    def anatomy(self) -> Anatomy:
        rows, cols = self.backbone.cells
        grids = {camera: PictureGrid(rows=rows, cols=cols) for camera in self.settings.cameras}
        return Anatomy(layers=(*self.backbone.layers, *expert_layers(self.network)), grids=grids)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        there: dict[str, Any] = {
            name: tuple(f"backbone.{prefix}" for prefix in prefixes)
            for name, prefixes in self.backbone.parts.items()
        }
        return {
            **there,
            "video": ("network.video_model.",),
            "expert": ("network.action_expert.",),
            "understanding": ("network.und_expert.",),
        }


def _someone(allowed: Tensor) -> Tensor:
    """The same, but where nobody is left all are asked: attention to nothing has no value."""
    return allowed | ~allowed.any(1, keepdim=True)
