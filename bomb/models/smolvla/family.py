"""SmolVLA under BOMB's contract, from and to lerobot's files.

::

    [patches of every camera] {instruction}\\n [state]    then, in the expert, [noisy actions]

Pictures and words look at one another, the state at them, an action at all of it and at earlier actions.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models import masks
from bomb.models.backbones.inside import decoder_layers
from bomb.models.backbones.smolvlm import SmolVLM
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.flow_vla import FlowOptions, FlowVLA
from bomb.models.initial import lively
from bomb.models.memory import Memory
from bomb.models.pictures import normalise, resize_with_pad
from bomb.models.requests import Request
from bomb.models.sequences import Learned, Patches, assemble, gather
from bomb.models.settings import VLASettings, read_options
from bomb.models.smolvla.config import SmolVLAConfig
from bomb.models.smolvla.network import SmolVLANetwork
from bomb.models.smolvla.statistics import read_statistics, write_statistics
from bomb.models.vla import Anatomy, Batch, PictureGrid
from bomb.models.weights import empty, load_weights, save_weights, weight_files
from bomb.models.words import Tokens, load_tokenizer, small_tokenizer, tokenize
from core.errors import OptionError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PREFIX = "model."  # of every name in lerobot's files


class Reader(SmolVLM):
    """What of SmolVLA reads: a SmolVLM with a bare prompt and pictures that keep their sides' ratio."""

    name: ClassVar[str] = "smolvla"
    template: str = "{pictures}{instruction}\n"

    def __init__(self, model: Any, tokenizer: "PreTrainedTokenizerFast", config: SmolVLAConfig):
        super().__init__(model, tokenizer)
        if not config.framed:
            self.before = self.after = ""

    def pixels(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        shown, side = self.shown, self.side
        padded = [resize_with_pad(picture, side, corner=True) for picture in pictures]
        return np.stack([normalise(picture, shown.mean, shown.std) for picture in padded])


class SmolVLA(FlowVLA[Memory]):
    """Flow matching by an expert beside a cut SmolVLM.

    Args:
        settings, statistics: as of every VLA; ``proprio`` must be there.
        config: of the network.
        tokenizer: a fast one.
        network: with its weights; None makes it with random ones.

    Raises:
        OptionError: if they do not fit each other.
    """

    family: ClassVar[str] = "smolvla"
    published: ClassVar[Mapping[str, int]] = {}

    def __init__(
        self,
        settings: VLASettings,
        statistics: DatasetStatistics,
        config: SmolVLAConfig,
        tokenizer: "PreTrainedTokenizerFast",
        network: SmolVLANetwork | None = None,
    ):
        super().__init__(settings, statistics)
        given = {"steps": config.steps, **settings.options}
        self.options = read_options(FlowOptions, given, self.family)
        states = self.state_codec.statistics.dims
        if config.chunk != settings.chunk:
            raise OptionError(f"chunk is {settings.chunk}, the model makes {config.chunk} actions")
        if self.codec.dims > config.action_room or states > config.state_room:
            raise OptionError(
                f"the model has room for {config.action_room} numbers of an action and "
                f"{config.state_room} of a state, the statistics have {self.codec.dims} and {states}"
            )
        self.config, self.tokenizer = config, tokenizer
        self.network = SmolVLANetwork(config) if network is None else network

    @property
    def reader(self) -> Reader:
        """What reads pictures and words."""
        return Reader(self.network.vlm, self.tokenizer, self.config)

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        config = SmolVLAConfig.read(folder)
        network = empty(lambda: SmolVLANetwork(config))
        load_weights(
            network, weight_files(folder), dtype=dtype, rename=lambda key: key.removeprefix(PREFIX),
            ignored=("*.text_model.lm_head.weight", "normalize_*", "unnormalize_*"),
        )  # fmt: skip
        statistics = read_statistics(folder, settings.dataset)
        tokenizer = load_tokenizer(folder, SmolVLM.special, cls.family)
        return cls(settings, statistics, config, tokenizer, network)

    def save(self, folder: Path) -> None:
        self.config.write(folder)
        save_weights(self.network, folder, shard_mb=5000, rename=lambda key: PREFIX + key)
        self.tokenizer.save_pretrained(folder)
        stored.write(folder, {self.settings.dataset: self.statistics})
        write_statistics(folder, self.statistics)

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        tokenizer = small_tokenizer(texts, special=SmolVLM.special, begin=None)
        sizes = SmolVLM.tiny_config(len(tokenizer)).to_dict()
        values = {"type": "smolvla", "vlm_model_name": "tiny", "chunk_size": settings.chunk,
                  "num_vlm_layers": 2, "max_state_dim": 8, "max_action_dim": 8, "num_steps": 4,
                  "resize_imgs_with_padding": [64, 64]}  # fmt: skip
        torch.manual_seed(seed)
        vla = cls(settings, statistics, SmolVLAConfig.from_dict(values, sizes), tokenizer)
        lively(vla.network)
        vla.eval()
        return vla

    # ---- questions --------------------------------------------------------------------------

    def pieces(self, request: Request) -> list[Tokens | Patches | Learned]:
        """The sequence of a question; the state comes last."""
        reader = self.reader
        *pictures, _ = reader.prompt("", self.settings.cameras)
        words = tokenize(self.tokenizer, "{instruction}\n", request.instruction.strip(), special=False)
        return [*pictures, words, Learned()]

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        settings, reader = self.settings, self.reader
        shown = [request.look(settings.cameras, settings.image_size) for request in requests]
        sequences = assemble([self.pieces(one) for one in requests], pad=reader.pad, length=length)
        states = np.zeros((len(requests), self.config.state_room))
        there = self.state_codec.forward(np.stack([request.state for request in requests]))
        states[:, : there.shape[1]] = there
        pixels = np.stack([reader.pixels(pictures) for pictures in shown])
        inputs = {
            "pixels": torch.from_numpy(pixels).to(self.dtype),
            "states": torch.from_numpy(states).to(self.dtype),
        }
        return sequences.batch(inputs, self.teach(actions, valid, len(requests))).to(self.device)

    # ---- the flow ---------------------------------------------------------------------------

    @property
    def room(self) -> int:
        return self.config.action_room

    def embed(self, batch: Batch) -> Tensor:
        """A question as vectors, float[B, L, d]: words and patches are made longer, frames and state not."""
        reader, inputs = self.reader, batch.inputs
        longer, framing = math.sqrt(reader.width), self._framing
        words = reader.words(inputs["ids"])
        words = torch.where(torch.isin(inputs["ids"], framing)[..., None], words, words * longer)
        pixels = inputs["pixels"]
        patches = reader.see(pixels.flatten(0, 1)).unflatten(0, pixels.shape[:2]).flatten(1, 2) * longer
        state = self.network.state_proj(inputs["states"])[:, None]
        return gather(inputs["slots"], words, patches, state)

    def read(self, batch: Batch) -> Memory:
        """Keys and values of the question."""
        memory, mask = Memory(), batch.attention_mask
        embeddings = self.embed(batch)
        allowed = masks.full(mask).clone()
        allowed[:, :-1, -1] = False  # the state is seen by itself and by actions alone
        self.network.read(embeddings, masks.additive(allowed, embeddings.dtype), batch.position_ids, memory)
        return memory

    def velocity(self, batch: Batch, memory: Memory, noisy: Tensor, times: Tensor) -> Tensor:
        network, mask, chunk = self.network, batch.attention_mask, self.settings.chunk
        order = torch.ones(chunk, chunk, dtype=torch.bool, device=mask.device).tril()
        asked = mask[:, None].expand(-1, chunk, -1)
        allowed = torch.cat([asked, order.expand(len(mask), -1, -1)], dim=2)
        last = batch.position_ids.amax(1, keepdim=True)
        places = last + torch.arange(1, chunk + 1, device=last.device)
        embedded = network.embed_actions(noisy.to(self.dtype), times)
        hidden = network.vlm_with_expert.lm_expert(
            embedded, masks.additive(allowed, embedded.dtype), places, mask.shape[1], memory
        )
        return network.action_out_proj(hidden).float()

    # ---- the inside -------------------------------------------------------------------------

    @property
    def anatomy(self) -> Anatomy:
        rows, cols = self.reader.grid
        grids = {camera: PictureGrid(rows=rows, cols=cols) for camera in self.settings.cameras}
        expert = decoder_layers(self.network.vlm_with_expert.lm_expert.layers, "expert")
        return Anatomy(layers=(*self.reader.layers, *expert), grids=grids)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        inside = "network.vlm_with_expert.vlm."
        return {
            "vision": (f"{inside}model.vision_model.",),
            "projector": (f"{inside}model.connector.",),
            "words": (f"{inside}model.text_model.embed_tokens.",),
            "language": (f"{inside}model.text_model.", f"{inside}lm_head."),
            "expert": ("network.vlm_with_expert.lm_expert.",),
            "state": ("network.state_proj.",),
            "head": ("network.action_",),
        }

    @property
    def _framing(self) -> Tensor:
        """Ids of the words around pictures."""
        reader = self.reader
        ids = [*reader.plain(reader.before).ids, *reader.plain(reader.after).ids]
        return torch.tensor(sorted(set(map(int, ids))), dtype=torch.long, device=self.device)
