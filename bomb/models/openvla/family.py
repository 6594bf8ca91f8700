"""OpenVLA under BOMB's contract: prompts, action tokens, batched decoding, scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.disk.files import write_json
from bomb.models import masks
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.bins import Bins
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.losses import learned
from bomb.models.openvla.building import tiny_config, tiny_tokenizer
from bomb.models.openvla.config import PrismaticConfig
from bomb.models.openvla.inside import anatomy_of
from bomb.models.openvla.network import Prismatic
from bomb.models.openvla.seeing import pixels
from bomb.models.pictures import RESIZING, crop_box
from bomb.models.requests import Request
from bomb.models.sequences import Learned, Patches, assemble, gather
from bomb.models.settings import VLASettings, read_options
from bomb.models.tokens import decode, forced, token_losses, token_scores
from bomb.models.vla import VLA, Anatomy, Batch, Losses, Reference, Scores
from bomb.models.weights import empty, load_weights, save_weights, weight_files
from bomb.models.words import END, SPACE, Tokens, check_tokens, load_tokenizer, tokenize
from core.errors import OptionError, check_choice

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PROMPTS = {
    "openvla": "In: What action should the robot take to {instruction}?\nOut:",
    # Checkpoints of version 0.1.
    "vicuna": "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
    "USER: What action should the robot take to {instruction}? ASSISTANT:",
}
STOP = 2  # end of the sequence


@dataclass(frozen=True, kw_only=True)
class OpenVLAOptions:
    """Options of ``bomb.json``.

    Attributes:
        prompt: out of ``PROMPTS``.
        crop: share of a picture's area that is kept, the middle; 0.9 for models trained with random crops.
        resizing: out of ``bomb.models.pictures.RESIZING``.
        space: id of the token between the prompt and the actions, Llama's "▁".
        temperature: of further samples of an action; 0: all are the same.
    """

    prompt: str = "openvla"
    crop: float | None = None
    resizing: str = "bicubic"
    space: int = 29871
    temperature: float = 0.0

    def __post_init__(self) -> None:
        check_choice("prompt", self.prompt, PROMPTS)
        check_choice("resizing", self.resizing, RESIZING)
        if self.crop is not None:
            crop_box(self.crop)
        if not isinstance(self.temperature, (int, float)) or not 0 <= self.temperature < float("inf"):
            raise OptionError(f"temperature must be a number from 0 up, got {self.temperature!r}")


class OpenVLA(VLA):
    """One token per number of an action, made one after the other.

    Args:
        settings, statistics: as of every VLA.
        config: of the network.
        tokenizer: a fast one, with Llama's special tokens.
        network: with its weights; None makes it with random ones.
    """

    family: ClassVar[str] = "openvla"
    options_kind: ClassVar[type[OpenVLAOptions]] = OpenVLAOptions
    published: ClassVar[Mapping[str, int]] = {"openvla-7b": 7_541_237_184}
    reads_answer: ClassVar[bool] = True

    def __init__(
        self,
        settings: VLASettings,
        statistics: DatasetStatistics,
        config: PrismaticConfig,
        tokenizer: "PreTrainedTokenizerFast",
        network: Prismatic | None = None,
    ):
        super().__init__(settings, statistics)
        self.options = read_options(self.options_kind, settings.options, self.family)
        check_tokens(tokenizer, {END: STOP, SPACE: self.options.space}, "this checkpoint")
        if len(tokenizer) < config.vocabulary:
            raise OptionError(
                f"the tokenizer has {len(tokenizer)} ids, action tokens end at {config.vocabulary}"
            )
        self.config, self.tokenizer = config, tokenizer
        self.bins = Bins(vocabulary=config.vocabulary, edges=config.bins)
        self.network = Prismatic(config) if network is None else network

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        config = PrismaticConfig.read(folder)
        if (folder / stored.FILE).is_file():
            statistics = stored.read(folder, settings.dataset)
        else:
            statistics = stored.choose(config.statistics, settings.dataset, f"{folder / 'config.json'}")
        tokenizer = load_tokenizer(folder)
        network = empty(lambda: Prismatic(config))
        load_weights(network, weight_files(folder), dtype=dtype, ignored=("*.rotary_emb.inv_freq",))
        return cls(settings, statistics, config, tokenizer, network)

    def save(self, folder: Path) -> None:
        write_json(folder / "config.json", dict(self.config.raw))
        processor = {
            "image_processor_type": "PrismaticImageProcessor",
            "image_resize_strategy": self.config.strategy,
            "use_fused_vision_backbone": len(self.config.towers) == 2,
            "means": self.config.means,
            "stds": self.config.stds,
        }
        write_json(folder / "preprocessor_config.json", processor)
        stored.write(folder, {self.settings.dataset: self.statistics})
        self.tokenizer.save_pretrained(folder)
        save_weights(self.plain_network(), folder, shard_mb=5000)

    def plain_network(self) -> Prismatic:
        """The network as the public files have it."""
        return self.network

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        config = tiny_config()
        tokenizer = tiny_tokenizer([*texts, *PROMPTS.values()], config.vocabulary)
        options = {**settings.options, "space": tokenizer.convert_tokens_to_ids(SPACE)}
        torch.manual_seed(seed)
        vla = cls(replace(settings, options=options), statistics, config, tokenizer)
        vla.initialise()
        vla.eval()
        return vla

    def initialise(self) -> None:
        """Random weights of a size at which pictures and words matter; torch's generator."""
        self.network.initialise()

    # ---- questions --------------------------------------------------------------------------

    def prompt(self, instruction: str) -> Tokens:
        """The words of a question: beginning of the sequence first, "▁" last."""
        tokens = tokenize(self.tokenizer, PROMPTS[self.options.prompt], instruction.lower())
        space = self.options.space
        return tokens if tokens.ids[-1] == space else tokens + Tokens.of(space)

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        settings = self.settings
        shown = [request.look(settings.cameras, settings.image_size) for request in requests]
        taught = self.teach(actions, valid, len(requests))
        if taught is not None:
            numbers = self.bins.encode(taught["actions"].numpy()).reshape(len(requests), -1)
        samples = [
            self.pieces(request, () if taught is None else numbers[k]) for k, request in enumerate(requests)
        ]
        pad = self.config.text.get("pad_token_id") or 0
        sequences = assemble(samples, pad=pad, length=length)
        seen = pixels(shown, self.config, resizing=self.options.resizing, crop=self.options.crop)
        inputs = {"pixels": torch.from_numpy(seen).to(self.dtype)}
        return sequences.batch(inputs, taught).to(self.device)

    def question(self, request: Request) -> tuple[Tokens, list[Patches], Tokens]:
        """The beginning of the sequence, the pictures, the rest of the prompt."""
        words, side = self.prompt(request.instruction), self.config.patches
        first, rest = (
            Tokens(ids=words.ids[part], characters=words.characters[part])
            for part in (slice(0, 1), slice(1, None))
        )
        return first, [Patches(camera=name, rows=side, cols=side) for name in self.settings.cameras], rest

    def pieces(
        self, request: Request, numbers: Sequence[int] | npt.NDArray[np.int64]
    ) -> list[Tokens | Patches | Learned]:
        """The sequence of a sample; ``numbers`` are the token ids of its answer, if there is one."""
        first, pictures, rest = self.question(request)
        answer = [Tokens.of(*numbers, STOP)] if len(numbers) else []
        return [first, *pictures, rest, *answer]

    # ---- answers ----------------------------------------------------------------------------

    @property
    def numbers(self) -> int:
        """Tokens of an answer."""
        return self.settings.chunk * self.codec.dims

    def embed(self, batch: Batch) -> Tensor:
        """The sequence as vectors, float[B, L, d]."""
        network, inputs = self.network, batch.inputs
        return gather(inputs["slots"], network.words(inputs["ids"]), network.patches(inputs["pixels"]))

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        actions, valid = learned(batch)
        embeddings = self.embed(batch)
        mask = masks.additive(masks.causal(batch.attention_mask), embeddings.dtype)
        hidden = self.network.hidden(embeddings, mask, batch.position_ids)
        logits = self.network.logits(hidden[:, -self.numbers - 2 : -1])
        labels = batch.inputs["ids"].gather(1, self._answered(batch))
        return token_losses(
            logits, labels, actions, valid, bins=self.bins, groups=self.codec.groups, weights=weights
        )

    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        tokens = decode(self.network, self.embed(batch), batch, self.numbers)
        return Reference(actions=self.to_actions(tokens), raw={"tokens": tokens})

    def act(
        self, batch: Batch, *, seeds: Sequence[tuple[int, int]], samples: int = 1
    ) -> npt.NDArray[np.float32]:
        if samples == 1 or not self.options.temperature:
            return super().act(batch, seeds=seeds, samples=samples)
        rows = [k for k in range(len(batch)) for _ in range(samples)]
        drawn = [(*seeds[k], sample) for k in range(len(batch)) for sample in range(samples)]
        embeddings = self.embed(batch)[rows]
        tokens = decode(
            self.network, embeddings, batch.select(rows), self.numbers,
            temperature=self.options.temperature, drawn=drawn,
        )  # fmt: skip
        actions = self.to_actions(tokens)
        return actions.reshape(len(batch), samples, *actions.shape[1:])

    @property
    def round_trip(self) -> float:  # type: ignore[override]
        """Half a bin."""
        return self.codec.spread / (self.bins.edges - 1) + 1e-6

    def quantise(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        return self.bins.decode(self.bins.encode(values))

    def to_actions(self, tokens: Tensor) -> npt.NDArray[np.float32]:
        """float32[B, chunk, 4], in BOMB's terms, of token ids int64[B, chunk * dims]."""
        values = self.bins.decode(tokens.cpu().numpy())
        return self.codec.to_bomb(values.reshape(len(tokens), self.settings.chunk, self.codec.dims))

    def score(self, batch: Batch, reference: Reference) -> Scores:
        tokens = reference.raw["tokens"].to(self.device)
        logits = forced(self.network, self.embed(batch), batch, tokens)
        return token_scores(logits, tokens, self.settings.chunk, self.codec.groups)

    # ---- the inside -------------------------------------------------------------------------

    @property
    def anatomy(self) -> Anatomy:
        return anatomy_of(self.network, self.config, self.settings.cameras, self.options.crop)

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "vision": ("network.vision_backbone.",),
            "projector": ("network.projector.",),
            "words": ("network.language_model.model.embed_tokens.",),
            "language": ("network.language_model.",),
            "head": ("network.language_model.lm_head.",),
        }

    def _answered(self, batch: Batch) -> Tensor:
        """Where the answer's words are among the sample's words, int64[B, numbers + 1]."""
        return batch.inputs["slots"][:, -self.numbers - 1 :]
