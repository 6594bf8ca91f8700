"""pi0 (Black et al. 2024, arXiv:2410.24164) under BOMB's contract, on the network of transformers.

A PaliGemma reads pictures and words; a Gemma of the same depth, the expert, reads its keys and values, the
state and noisy actions, and says where the actions should flow. t = 1 is noise, t = 0 the action. Masks and
positions are BOMB's own: what is hidden moves nothing else, which transformers' own pass does not promise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.disk.files import write_json
from bomb.models import masks
from bomb.models.backbones.inside import decoder_layers
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.flow_vla import FlowOptions, FlowVLA
from bomb.models.initial import lively
from bomb.models.memory import Memory
from bomb.models.pi0.config import LAYOUTS, config_values, read_config
from bomb.models.pi0.names import ours, public
from bomb.models.pi0.prefix import Pi0Prefix
from bomb.models.requests import Request
from bomb.models.sequences import Learned, Patches, assemble
from bomb.models.settings import VLASettings, read_options
from bomb.models.vla import Anatomy, Batch, PictureGrid
from bomb.models.weights import empty, load_weights, save_weights, weight_files
from bomb.models.words import Tokens, load_tokenizer, small_tokenizer
from core.errors import OptionError, check_choice

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True, kw_only=True)
class Pi0Options(FlowOptions):
    """Options of ``bomb.json``.

    Attributes:
        layout: whose configuration and names of parameters are written, out of ``LAYOUTS``.
    """

    layout: str = "transformers"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("layout", self.layout, LAYOUTS)


class Pi0(FlowVLA[Memory]):
    """Flow matching by an action expert.

    Args:
        settings, statistics: as of every VLA; ``proprio`` must be there.
        network: ``PI0ForConditionalGeneration``.
        tokenizer: a fast one.
    """

    family: ClassVar[str] = "pi0"
    options_kind: ClassVar[type[Pi0Options]] = Pi0Options
    published: ClassVar[Mapping[str, int]] = {"pi0_base": 3_501_372_176}
    words: ClassVar[tuple[str, ...]] = ("?",)  # that a tiny tokenizer knows beside instructions

    options: Pi0Options

    def __init__(
        self,
        settings: VLASettings,
        statistics: DatasetStatistics,
        network: Any,
        tokenizer: "PreTrainedTokenizerFast",
    ):
        super().__init__(settings, statistics)
        self.options = read_options(self.options_kind, settings.options, self.family)
        config = network.config
        states = self.state_codec.statistics.dims
        if config.chunk_size != settings.chunk:
            raise OptionError(f"chunk is {settings.chunk}, the model makes {config.chunk_size} actions")
        if self.codec.dims > config.max_action_dim or states > config.max_state_dim:
            raise OptionError(
                f"the model has room for {config.max_action_dim} numbers of an action and "
                f"{config.max_state_dim} of a state, the statistics have {self.codec.dims} and "
                f"{states}"
            )
        self.network: Any = network  # whose class is transformers' or, of pi0.5, ours
        self.tokenizer = tokenizer

    @property
    def prefix(self) -> Pi0Prefix:
        """What reads pictures and words."""
        return Pi0Prefix(self.network.model.vlm, self.tokenizer)

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def make_network(cls, config: Any) -> Any:
        """A network with random weights (torch's generator)."""
        from transformers import PI0ForConditionalGeneration

        return PI0ForConditionalGeneration(config)

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        config = read_config(folder)
        network = empty(lambda: cls.make_network(config))
        load_weights(network, weight_files(folder), dtype=dtype, rename=cls.named)
        tokenizer = load_tokenizer(folder, ("<bos>",), cls.family)
        return cls(settings, stored.read(folder, settings.dataset), network, tokenizer)

    @classmethod
    def named(cls, key: str) -> str:
        """The name here of a name in the files."""
        return ours(key)

    def save(self, folder: Path) -> None:
        layout = self.options.layout
        write_json(folder / "config.json", config_values(self.network.config, self.family, layout))
        save_weights(self.network, folder, shard_mb=5000, rename=lambda key: public(key, layout))
        self.tokenizer.save_pretrained(folder)
        stored.write(folder, {self.settings.dataset: self.statistics})

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        torch.manual_seed(seed)
        tokenizer = small_tokenizer([*texts, *cls.words], special=Pi0Prefix.special, begin=None)
        network = cls.make_network(Pi0Prefix.tiny_pi0(len(tokenizer), settings.chunk))
        lively(network)
        options = {"steps": 4, **settings.options}
        vla = cls(replace(settings, options=options), statistics, network, tokenizer)
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
        settings, prefix = self.settings, self.prefix
        shown = [request.look(settings.cameras, settings.image_size) for request in requests]
        there = self.state_codec.forward(np.stack([request.state for request in requests]))
        samples = [self.question(request, state) for request, state in zip(requests, there, strict=True)]
        sequences = assemble(samples, pad=prefix.pad, length=length)
        states = np.zeros((len(requests), self.network.config.max_state_dim))
        states[:, : there.shape[1]] = there
        pixels = np.stack([prefix.pixels(pictures) for pictures in shown])
        inputs = {
            "pixels": torch.from_numpy(pixels).to(self.dtype),
            "states": torch.from_numpy(states).to(self.dtype),
        }
        return sequences.batch(inputs, self.teach(actions, valid, len(requests))).to(self.device)

    def question(self, request: Request, state: npt.NDArray[np.float64]) -> list[Tokens | Patches | Learned]:
        """The pieces of a question; ``state`` is normalised, float64[d]."""
        return self.prefix.prompt(request.instruction, self.settings.cameras)

    # ---- the flow ---------------------------------------------------------------------------

    @property
    def room(self) -> int:
        return int(self.network.config.max_action_dim)

    def read(self, batch: Batch) -> Memory:
        """Keys and values of the question."""
        prefix, memory = self.prefix, Memory()
        embeddings = prefix.embed(batch)
        mask = masks.additive(masks.full(batch.attention_mask), embeddings.dtype)
        prefix.hidden(embeddings, mask, batch.position_ids, memory)
        return memory

    def velocity(self, batch: Batch, memory: Memory, noisy: Tensor, times: Tensor) -> Tensor:
        """Where noisy actions flow, float[B, chunk, numbers].

        Args:
            batch: the question.
            memory: of ``read``.
            noisy: float[B, chunk, numbers].
            times: float[B], 1 is noise.
        """
        mask, chunk, states = batch.attention_mask, self.settings.chunk, self.state_tokens
        count, size = states + chunk, mask.shape[1]
        # The state sees the question and itself; actions see everything.
        allowed = torch.cat([mask, mask.new_ones(len(mask), count)], dim=1)[:, None].repeat(1, count, 1)
        allowed[:, :states, size + states :] = False
        last = batch.position_ids.amax(1, keepdim=True)
        places = last + torch.arange(1, count + 1, device=last.device)
        hidden = self.expert(
            batch, noisy.to(self.dtype), times, masks.additive(allowed, self.dtype), places, memory.beside()
        )
        return self.network.action_out_proj(hidden[:, -chunk:]).float()

    state_tokens: ClassVar[int] = 1  # that stand before the actions

    def expert(
        self, batch: Batch, noisy: Tensor, times: Tensor, mask: Tensor, places: Tensor, memory: Memory
    ) -> Tensor:
        """The expert's last hidden states, float[B, state_tokens + chunk, width]."""
        suffix = self.network.embed_action_time(batch.inputs["states"], noisy, times)
        return self.network.model.dit(
            inputs_embeds=suffix,
            attention_mask=mask,
            position_ids=places,
            past_key_values=memory,
            use_cache=True,
        ).last_hidden_state

    # ---- the inside -------------------------------------------------------------------------

    @property
    def anatomy(self) -> Anatomy:
        prefix = self.prefix
        rows, cols = prefix.grid
        grids = {camera: PictureGrid(rows=rows, cols=cols) for camera in self.settings.cameras}
        expert = decoder_layers(self.network.model.dit.layers, "expert")
        return Anatomy(layers=(*prefix.layers, *expert), grids=grids)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        inside = "network.model.vlm."
        return {
            "vision": (f"{inside}vision_tower.",),
            "projector": (f"{inside}multi_modal_projector.",),
            "words": (f"{inside}language_model.embed_tokens.",),
            "language": (f"{inside}language_model.",),
            "expert": ("network.model.dit.",),
            "head": ("network.embed_action_time.", "network.action_out_proj."),
        }
