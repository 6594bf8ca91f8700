"""The structures of RoboVLMs that regress."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models.continuous import ContinuousOptions, ContinuousVLA
from bomb.models.heads.outputs import Outputs
from bomb.models.heads.recurrent import GPTDecoder, LSTMDecoder
from bomb.models.requests import Request
from bomb.models.sequences import assemble
from bomb.models.settings import check_count
from bomb.models.vla import Anatomy, Batch, Layer, Layout
from bomb.models.vlm4vla import OneStep
from core.errors import OptionError, check_choice

HEADS = ("lstm", "gpt")


class OneStepContinuous(OneStep):
    """The present moment, one learned token, an MLP."""

    family: ClassVar[str] = "robovlms/one_step_continuous"


class Interleaved(ContinuousVLA):
    """Several moments in one sequence; the action is that of the last learned token."""

    family: ClassVar[str] = "robovlms/interleaved"
    chained: ClassVar[bool] = True

    def make_head(self, width: int) -> Outputs:
        return self.plain_head(width)

    def arrange(self, requests: Sequence[Request], length: int | None) -> dict[str, Any]:
        arranged = self.chain(requests, length)
        slots, ids = arranged["inputs"]["slots"], arranged["inputs"]["ids"]
        vectors = ids.shape[1] + self.patches
        # The moment of each position: one ends with the last of its learned vectors.
        each = self.options.queries + self.options.state
        ends = (slots >= vectors) & ((slots - vectors) % each == each - 1)
        steps = ends.long().cumsum(1) - ends.long()
        asked = (slots >= vectors) & ((slots - vectors) % each >= int(self.options.state))
        rows = [row.nonzero()[:, 0].reshape(-1, self.options.queries) for row in asked]
        # Moments that there are not yet are the first one once more; what they say is not used.
        window = self.settings.history
        places = torch.stack([torch.cat([row[:1].expand(window - len(row), -1), row]) for row in rows])
        arranged["inputs"] = {**arranged["inputs"], "steps": steps, "asked": places}
        return arranged

    def features(self, batch: Batch, vectors: Tensor) -> Tensor:
        hidden = self.backbone(batch, vectors.flatten(1, 2), batch.inputs["steps"])
        places = batch.inputs["asked"]
        index = places.flatten(1)[..., None].expand(-1, -1, hidden.shape[-1])
        found = hidden.gather(1, index).unflatten(1, places.shape[1:])
        return self.network.head.trunk(found.flatten(2))


@dataclass(frozen=True, kw_only=True)
class PolicyHeadOptions(ContinuousOptions):
    """Options of ``bomb.json``.

    Attributes:
        head: ``lstm`` or ``gpt``; words cannot be made from several moments.
        layers: of the head.
    """

    head: str = "lstm"
    layers: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.head == "discrete":
            raise OptionError("a policy head regresses: there is no discrete one; use one_step_discrete")
        check_choice("head", self.head, HEADS)
        check_count("layers", self.layers)


class PolicyHead(ContinuousVLA):
    """Several moments, each by itself; a head over their learned tokens."""

    family: ClassVar[str] = "robovlms/policy_head"
    options_kind: ClassVar[type[ContinuousOptions]] = PolicyHeadOptions
    tiny_options: ClassVar[dict[str, Any]] = {**ContinuousVLA.tiny_options, "layers": 2}
    options: PolicyHeadOptions

    def make_head(self, width: int) -> Outputs:
        options, chunk, dims, flows = self.options, self.settings.chunk, self.codec.dims, self.answering.flows
        if options.head == "lstm":
            return LSTMDecoder(
                width, chunk=chunk, dims=dims, hidden=options.hidden, layers=options.layers,
                sizes=options.sizes, flows=flows,
            )  # fmt: skip
        return GPTDecoder(
            width, chunk=chunk, dims=dims, window=self.settings.history, hidden=options.hidden,
            layers=options.layers, sizes=options.sizes, flows=flows,
        )  # fmt: skip

    def arrange(self, requests: Sequence[Request], length: int | None) -> dict[str, Any]:
        """Each moment's sequence, side by side: H sequences of the same length make one of H * L positions.

        Moments that there are not yet are the first one once more, after the present one, where no head
        looks.
        """
        window, samples, counts = self.settings.history, [], []
        for request in requests:
            moments = self.moments(request)
            counts.append(len(moments))
            last = len(moments) - 1
            samples += [self.pieces(moment, last - k) for k, moment in enumerate(moments)]
            samples += [self.pieces(moments[0], last + 1) for _ in range(window - len(moments))]
        each = None if length is None else -(-length // window)
        sequences = assemble(samples, pad=self.backbone.pad, length=each)
        size = sequences.mask.shape[1]

        def beside(tensor: Tensor) -> Tensor:
            return tensor.unflatten(0, (len(requests), window))

        places = beside(self.backbone.positions(sequences))
        if places.ndim == 4:  # three axes of positions
            places = places.transpose(1, 2)
        layouts = [
            _beside(sequences.layouts[k * window : k * window + count], window, size)
            for k, count in enumerate(counts)
        ]
        return {
            "inputs": {
                "ids": beside(sequences.ids),
                "slots": beside(sequences.slots),
                "moments": torch.tensor(counts),
            },
            "attention_mask": beside(sequences.mask).flatten(1),
            "position_ids": places.flatten(-2),
            "layouts": tuple(layouts),
        }

    def features(self, batch: Batch, vectors: Tensor) -> Tensor:
        window, count = self.settings.history, len(batch)
        inputs = batch.inputs
        places = batch.position_ids.unflatten(-1, (window, -1))
        if places.ndim == 4:
            places = places.transpose(1, 2)
        each = len(self.settings.cameras)
        apart = Batch(
            inputs={
                "ids": inputs["ids"].flatten(0, 1),
                "slots": inputs["slots"].flatten(0, 1),
                "pixels": inputs["pixels"].unflatten(1, (window, each)).flatten(0, 1),
            },
            attention_mask=batch.attention_mask.unflatten(1, (window, -1)).flatten(0, 1),
            position_ids=places.flatten(0, 1),
            layouts=(),
        )
        hidden = self.backbone(apart, vectors.flatten(0, 1))[:, -self.options.queries :].flatten(1)
        found = self.network.head.trunk(hidden.unflatten(0, (count, window)))
        # The present moment last; those that there are not yet are the first one, and not used.
        back = torch.arange(window - 1, -1, -1, device=found.device)
        at = (inputs["moments"][:, None] - 1 - back).clamp(min=0)
        return found.gather(1, at[..., None].expand(-1, -1, found.shape[-1]))

    @property
    def anatomy(self) -> Anatomy:
        found = super().anatomy
        head = self.network.head
        if not isinstance(head, GPTDecoder):
            return found
        blocks: Iterable[Any] = head.gpt.h
        layers = tuple(
            Layer(
                stream="policy",
                index=k,
                module=block,
                attention=block.attn,
                output_projection=block.attn.c_proj,
                mlp=block.mlp,
                heads=block.attn.num_heads,
                head_dim=block.attn.head_dim,
            )
            for k, block in enumerate(blocks)
        )
        return Anatomy(layers=(*found.layers, *layers), grids=found.grids)


def _beside(layouts: Sequence[Layout], window: int, size: int) -> Layout:
    """One layout of the layouts of several moments, the present one last."""
    characters = np.full((window * size, 2), -1, dtype=np.int64)
    pictures: dict[str, npt.NDArray[np.int64]] = {}
    for k, layout in enumerate(layouts):
        characters[k * size : (k + 1) * size] = layout.characters
        pictures |= {name: places + k * size for name, places in layout.pictures.items()}
    actions = layouts[-1].actions + (len(layouts) - 1) * size
    return Layout(pictures=pictures, characters=characters, actions=actions)
