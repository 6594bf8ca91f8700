"""RoboVLMs' one-step discrete structure: numbers of an action as words of the VLM.

The 256 action tokens are the last words of the vocabulary before its special tokens and ten more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from bomb.models import masks
from bomb.models.backbones.base import Backbone
from bomb.models.backbones.building import tiny_backbone
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.bins import Bins
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.losses import learned
from bomb.models.on_backbone import AroundBackbone, BackboneVLA
from bomb.models.registry import BACKBONES
from bomb.models.requests import Request
from bomb.models.sequences import assemble
from bomb.models.settings import VLASettings, read_options
from bomb.models.tokens import decode, forced, prompted, token_losses, token_scores
from bomb.models.vla import Batch, Losses, Reference, Scores
from bomb.models.words import Tokens
from core.errors import OptionError

OFFSET = 10  # words between the action tokens and the special ones
TINY_VOCABULARY = 512


@dataclass(frozen=True, kw_only=True)
class DiscreteOptions:
    """Options of ``bomb.json``.

    Attributes:
        backbone: registered name; see ``bomb.models.registry``.
        vocabulary: words before the special ones and the ten; 0 counts the tokenizer's.
    """

    backbone: str
    vocabulary: int = 0


class OneStepDiscrete(BackboneVLA):
    """The present moment; one word per number of an action, and the end of the sequence."""

    family: ClassVar[str] = "robovlms/one_step_discrete"
    reads_answer: ClassVar[bool] = True

    def __init__(self, settings: VLASettings, statistics: DatasetStatistics, backbone: Backbone):
        super().__init__(settings, statistics)
        self.options = read_options(DiscreteOptions, settings.options, self.family)
        if settings.history != 1:
            raise OptionError(f"{self.family} looks at one moment, bomb.json says {settings.history}")
        backbone.check_chained(self.family)
        tokenizer = backbone.tokenizer
        if tokenizer.eos_token_id is None:
            raise OptionError(f"{self.family} ends an answer, and the tokenizer has no end of the sequence")
        words = len(tokenizer) - len(tokenizer.all_special_ids) - OFFSET
        self.bins = Bins(vocabulary=self.options.vocabulary or words)
        self.network = AroundBackbone(backbone)

    @property
    def backbone(self) -> Backbone:
        """The VLM."""
        return self.network.backbone

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        options = read_options(DiscreteOptions, settings.options, cls.family)
        backbone = BACKBONES.load(options.backbone).load(Path(folder), dtype=dtype)
        return cls(settings, stored.read(folder, settings.dataset), backbone)

    def save(self, folder: Path) -> None:
        self.backbone.save(folder)
        stored.write(folder, {self.settings.dataset: self.statistics})

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        torch.manual_seed(seed)
        options = {"backbone": "smolvlm", **settings.options}
        backbone = tiny_backbone(BACKBONES.load(options["backbone"]), texts, size=TINY_VOCABULARY)
        vla = cls(replace(settings, options=options), statistics, backbone)
        vla.eval()
        return vla

    # ---- questions and answers --------------------------------------------------------------

    @property
    def numbers(self) -> int:
        """Words of an answer."""
        return self.settings.chunk * self.codec.dims

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
        samples = [backbone.prompt(request.instruction, settings.cameras) for request in requests]
        if taught is not None:
            ids = self.bins.encode(taught["actions"].numpy()).reshape(len(requests), -1)
            stop = backbone.tokenizer.eos_token_id
            samples = [[*pieces, Tokens.of(*ids[k], stop)] for k, pieces in enumerate(samples)]
        sequences = assemble(samples, pad=backbone.pad, length=length)
        pixels = torch.from_numpy(np.stack([backbone.pixels(pictures) for pictures in shown]))
        inputs = {"pixels": pixels.to(self.dtype)}
        return sequences.batch(inputs, taught, backbone.positions(sequences)).to(self.device)

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        actions, valid = learned(batch)
        backbone, size = self.backbone, batch.attention_mask.shape[1]
        embeddings = backbone.embed(batch)
        allowed = prompted(backbone, batch.attention_mask, size - self.numbers - 1)
        mask = masks.additive(allowed, embeddings.dtype)
        hidden = backbone.hidden(embeddings, mask, batch.position_ids)
        labels = batch.inputs["ids"].gather(1, batch.inputs["slots"][:, -self.numbers - 1 :])
        logits = backbone.logits(hidden[:, -self.numbers - 2 : -1])
        return token_losses(
            logits, labels, actions, valid, bins=self.bins, groups=self.codec.groups, weights=weights
        )

    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        with torch.no_grad():
            tokens = decode(self.backbone, self.backbone.embed(batch), batch, self.numbers)
        values = self.bins.decode(tokens.cpu().numpy())
        actions = self.codec.to_bomb(values.reshape(len(tokens), self.settings.chunk, self.codec.dims))
        return Reference(actions=actions, raw={"tokens": tokens})

    def score(self, batch: Batch, reference: Reference) -> Scores:
        tokens = reference.raw["tokens"].to(self.device)
        logits = forced(self.backbone, self.backbone.embed(batch), batch, tokens)
        return token_scores(logits, tokens, self.settings.chunk, self.codec.groups)

    @property
    def round_trip(self) -> float:  # type: ignore[override]
        """Half a bin."""
        return self.codec.spread / (self.bins.edges - 1) + 1e-6

    def quantise(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        return self.bins.decode(self.bins.encode(values))
