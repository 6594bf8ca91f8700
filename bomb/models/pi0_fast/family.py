"""pi0-FAST (Pertsch et al. 2025, arXiv:2501.09747): a PaliGemma that says a chunk as FAST tokens.

::

    [patches of every camera] <bos> Task: {instruction}, State: {bins};\\n Action: [tokens] | <eos>

The question looks at all of itself, the answer at what was before it. While deciding, only action tokens and
the bar are chosen, and ``Action: `` is given: a model that learned to say so loses nothing by it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.disk.files import write_json
from bomb.models import masks
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.fast import Fast
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.initial import lively
from bomb.models.losses import learned
from bomb.models.on_backbone import AroundBackbone, BackboneVLA
from bomb.models.pi0.config import variant_name
from bomb.models.pi0_fast.answers import fast_losses, fast_scores
from bomb.models.pi0_fast.prefix import PROMPT, Pi0FastPrefix, public
from bomb.models.pi0_fast.words import BAR, HEADER, FastWords
from bomb.models.requests import Request
from bomb.models.sequences import assemble
from bomb.models.settings import VLASettings, read_options
from bomb.models.tokens import decode, forced
from bomb.models.vla import Batch, Losses, Reference, Scores
from bomb.models.weights import save_weights
from bomb.models.words import Tokens, small_tokenizer
from core.errors import NATURAL, POSITIVE, OptionError, check_choice

LAYOUTS = ("transformers", "lerobot")  # of what is written; both are read
FOLDER = "fast"  # of the tokens' files, in the checkpoint
TINY_TOKENS, TINY_WORDS = 160, 160


@dataclass(frozen=True, kw_only=True)
class Pi0FastOptions:
    """Options of ``bomb.json``.

    Attributes:
        size: FAST tokens at most that a new model is given.
        skip: words of the vocabulary behind the action tokens; 128 in the public models.
        layout: whose configuration and names of parameters are written, out of ``LAYOUTS``.
    """

    size: int = 1024
    skip: int = 128
    layout: str = "transformers"

    def __post_init__(self) -> None:
        POSITIVE.check("size", self.size)
        NATURAL.check("skip", self.skip)
        check_choice("layout", self.layout, LAYOUTS)


class Pi0Fast(BackboneVLA):
    """FAST tokens, one after the other.

    Args:
        settings, statistics: as of every VLA; ``proprio`` must be there.
        backbone: with its weights.
        fast: the tokens, of chunks as ``settings`` has them.
    """

    family: ClassVar[str] = "pi0-fast"
    reads_answer: ClassVar[bool] = True

    def __init__(
        self, settings: VLASettings, statistics: DatasetStatistics, backbone: Pi0FastPrefix, fast: Fast
    ):
        super().__init__(settings, statistics)
        self.options = read_options(Pi0FastOptions, settings.options, self.family)
        if statistics.proprio is None:
            raise OptionError(f"{self.family} reads the state, but the statistics have no entry 'proprio'")
        if (fast.chunk, fast.dims) != (settings.chunk, self.codec.dims):
            raise OptionError(
                f"FAST tokens are of chunks of {fast.chunk} x {fast.dims}, the model's are of "
                f"{settings.chunk} x {self.codec.dims}"
            )
        self.network = AroundBackbone(backbone)
        self.answers = FastWords(fast=fast, tokenizer=backbone.tokenizer, skip=self.options.skip)

    @property
    def backbone(self) -> Pi0FastPrefix:
        """The VLM."""
        return self.network.backbone

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        fast = Fast.load(Path(folder) / FOLDER, chunk=settings.chunk, dims=settings.convention.dims)
        backbone = Pi0FastPrefix.load(Path(folder), dtype=dtype)
        return cls(settings, stored.read(folder, settings.dataset), backbone, fast)

    @classmethod
    def from_vlm(
        cls,
        folder: Path,
        settings: VLASettings,
        statistics: DatasetStatistics,
        *,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """A new model on a PaliGemma as it is published, with tokens of chunks of any kind."""
        options = read_options(Pi0FastOptions, settings.options, cls.family)
        fast = any_chunks(settings, options.size)
        return cls(settings, statistics, Pi0FastPrefix.load(Path(folder), dtype=dtype), fast)

    def save(self, folder: Path) -> None:
        backbone = self.backbone
        if self.options.layout == "transformers":
            backbone.save(folder)
        else:
            about = {
                "type": "pi0_fast",
                "paligemma_variant": variant_name(backbone.model.config.text_config),
                "chunk_size": self.settings.chunk,
                "n_action_steps": self.settings.chunk,
                "fast_skip_tokens": self.options.skip,
            }
            write_json(folder / "config.json", about)
            save_weights(backbone.model, folder, shard_mb=5000, rename=public)
            backbone.tokenizer.save_pretrained(folder)
        self.answers.fast.save(folder / FOLDER)
        stored.write(folder, {self.settings.dataset: self.statistics})

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        torch.manual_seed(seed)
        settings = replace(settings, options={"size": TINY_TOKENS, **settings.options})
        options = read_options(Pi0FastOptions, settings.options, cls.family)
        fast, skip = any_chunks(settings, options.size), options.skip
        known = [*texts, PROMPT.format(instruction="", state="-"), HEADER, BAR]
        size = TINY_WORDS + fast.size + skip + 1
        tokenizer = small_tokenizer(known, special=Pi0FastPrefix.special, begin=None, size=size)
        backbone = Pi0FastPrefix(Pi0FastPrefix.kind()(Pi0FastPrefix.tiny_config(size)), tokenizer)
        lively(backbone.model)
        vla = cls(settings, statistics, backbone, fast)
        vla.eval()
        return vla

    def adapt(self, actions: npt.NDArray[np.float32]) -> None:
        """Fits the tokens to chunks, float32[N, chunk, 4]; every chunk in [-1, 1] can be said."""
        fast = self.answers.fast
        made = Fast.fit(self.codec.normalise(actions), size=self.options.size, scale=fast.scale, reach=1.0)
        self.answers = replace(self.answers, fast=made)

    # ---- questions and answers --------------------------------------------------------------

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        settings, backbone = self.settings, self.backbone
        shown = [request.look(settings.cameras, settings.image_size) for request in requests]
        taught = self.teach(actions, valid, len(requests))
        samples, more = [], {}
        for request in requests:
            state = self.state_codec.forward(request.state)
            samples.append(backbone.question(request.instruction, state, settings.cameras))
        if taught is not None:
            taught["actions"] = held(taught["actions"], taught["valid"])
            words = self.answers.encode(taught["actions"].numpy())
            samples = [[*pieces, Tokens.of(*words[k])] for k, pieces in enumerate(samples)]
            counted = taught["valid"].any(1).numpy()
            shares = np.zeros((len(words), max(map(len, words)), self.codec.dims), dtype=np.float32)
            for k, row in enumerate(words):
                shares[k, -len(row) :] = self.answers.shares(row) * counted[k]
            more = {"shares": torch.from_numpy(shares), "sizes": torch.tensor([len(row) for row in words])}
        sequences = assemble(samples, pad=backbone.pad, length=length)
        pixels = torch.from_numpy(np.stack([backbone.pixels(pictures) for pictures in shown]))
        inputs = {"pixels": pixels.to(self.dtype), **more}
        return sequences.batch(inputs, taught, backbone.positions(sequences)).to(self.device)

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        actions, _ = learned(batch)
        backbone, inputs, mask = self.backbone, batch.inputs, batch.attention_mask
        count, length = inputs["shares"].shape[1], mask.shape[1]
        embeddings = backbone.embed(batch)
        order = torch.arange(length, device=mask.device)
        asked = mask & (order < length - inputs["sizes"][:, None])
        allowed = masks.additive(masks.prefix(mask, asked), embeddings.dtype)
        hidden = backbone.hidden(embeddings, allowed, batch.position_ids)
        ids, slots = inputs["ids"], inputs["slots"]
        labels = ids.gather(1, slots[:, -count:].clamp(max=ids.shape[1] - 1))
        return fast_losses(
            backbone.logits(hidden[:, -count - 1 : -1]), labels, inputs["shares"], actions,
            words=self.answers, groups=self.codec.groups, weights=weights,
        )  # fmt: skip

    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        answers, backbone = self.answers, self.backbone
        with torch.no_grad():
            tokens = decode(
                backbone, backbone.embed(batch), batch, answers.most,
                given=self.header(batch), choose=answers.choose, stop=answers.bar,
            )  # fmt: skip
        actions = self.codec.to_bomb(answers.decode(tokens.cpu().numpy()))
        return Reference(actions=actions, raw={"tokens": tokens})

    def score(self, batch: Batch, reference: Reference) -> Scores:
        tokens = reference.raw["tokens"].to(self.device)
        embeddings = self.backbone.embed(batch)
        logits = forced(self.backbone, embeddings, batch, tokens, given=self.header(batch))
        return fast_scores(logits, tokens, words=self.answers, groups=self.codec.groups)

    def header(self, batch: Batch) -> Tensor:
        """``Action: ``, int64[B, n]."""
        return torch.tensor([self.answers.header] * len(batch), device=self.device)

    @property
    def round_trip(self) -> float:  # type: ignore[override]
        """Half a step of every coefficient; a row of the transform has a sum of at most the length's root."""
        return self.codec.spread * 0.5 / self.answers.fast.scale * math.sqrt(self.settings.chunk) + 1e-6

    def quantise(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        fast = self.answers.fast
        return fast.decode(fast.encode(values))


def any_chunks(settings: VLASettings, size: int) -> Fast:
    """Tokens that can say every normalised chunk, fitted to random ones: for a model that has no data yet."""
    draw = np.random.default_rng(0)
    # Actions change slowly: a walk between -1 and 1.
    walk = draw.normal(0, 0.3, (256, settings.chunk, settings.convention.dims)).cumsum(1)
    start = draw.uniform(-1, 1, (256, 1, settings.convention.dims))
    return Fast.fit(np.clip(start + walk, -1, 1), size=size, reach=1.0)


def held(actions: Tensor, valid: Tensor) -> Tensor:
    """Chunks, float32[B, chunk, dims]; an action that does not count is as the last before it that does."""
    order = torch.arange(actions.shape[1])
    last = torch.where(valid, order, -1).cummax(1).values
    first = valid.long().argmax(1, keepdim=True)
    places = torch.where(last < 0, first, last)
    return actions.gather(1, places[..., None].expand_as(actions))
