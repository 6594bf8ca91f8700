"""OpenVLA-OFT under BOMB's contract: one pass over the prompt and an empty place per number of the chunk.

::

    <s> [patches of every camera] [state] [time] prompt [chunk * dims places] </s>

Every position looks at every other. The places are zero vectors (with the diffusion head: the noisy numbers),
so that only their position tells them apart. A number is read one position before its place.

Public checkpoints need ``normalisation: {"exact": false}`` in ``bomb.json``: OFT undoes with the epsilon.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bomb.models import masks
from bomb.models.codecs.normalising import Normaliser
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.heads.ddim import DDIM
from bomb.models.heads.resnet import NumberProjector, time_embedding
from bomb.models.initial import lively
from bomb.models.oft.answers import ANSWERS, ActionHead, QuestionEmbeddings
from bomb.models.oft.files import load_side, save_side
from bomb.models.oft.film import add_film, mean_of_words, without_film
from bomb.models.openvla.config import PrismaticConfig
from bomb.models.openvla.family import STOP, OpenVLA, OpenVLAOptions
from bomb.models.openvla.network import Prismatic
from bomb.models.requests import Request
from bomb.models.sequences import Learned, Patches, gather
from bomb.models.settings import VLASettings
from bomb.models.vla import Batch, Losses, Reference, Scores
from bomb.models.weights import empty
from bomb.models.words import Tokens
from core.errors import OptionError, check_choice

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

STATE = 4  # numbers of BOMB's state
TOWERS = "vision_backbone"  # the side file of a model with FiLM


@dataclass(frozen=True, kw_only=True)
class OFTOptions(OpenVLAOptions):
    """Options of ``bomb.json``, beside those of OpenVLA.

    Attributes:
        head: out of ``ANSWERS``.
        proprio: whether the state is read.
        film: whether the instruction conditions the vision towers.
        train_steps, steps: of the diffusion head; see ``bomb.models.heads.ddim``.
    """

    head: str = "l1"
    proprio: bool = True
    film: bool = False
    train_steps: int = 50
    steps: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("head", self.head, ANSWERS)
        for name in ("proprio", "film"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} must be true or false, got {getattr(self, name)!r}")
        if self.temperature:
            raise OptionError("temperature must be 0: numbers that are made at once cannot be drawn together")
        _ = self.schedule

    @property
    def schedule(self) -> DDIM:
        """Of the diffusion head."""
        return DDIM(train_steps=self.train_steps, steps=self.steps)


class OpenVLAOFT(OpenVLA):
    """A chunk from one pass, by regression, by diffusion or as tokens.

    Args:
        settings, statistics, config, tokenizer: as of ``OpenVLA``.
        network: OpenVLA's, without FiLM, with its weights; None makes it with random ones. What OFT adds is
            random (torch's generator).

    Raises:
        OptionError: if the state is to be read, and the statistics have none of four numbers.
    """

    family: ClassVar[str] = "openvla-oft"
    options_kind: ClassVar[type[OpenVLAOptions]] = OFTOptions
    options: OFTOptions
    published: ClassVar[Mapping[str, int]] = {}
    reads_answer: ClassVar[bool] = False

    def __init__(
        self,
        settings: VLASettings,
        statistics: DatasetStatistics,
        config: PrismaticConfig,
        tokenizer: "PreTrainedTokenizerFast",
        network: Prismatic | None = None,
    ):
        super().__init__(settings, statistics, config, tokenizer, network)
        width = self.network.language_model.config.hidden_size
        self.answer: ActionHead = ANSWERS[self.options.head]()
        self.small = nn.ModuleDict(self.answer.networks(width, self.codec.dims))
        if self.options.proprio:
            if statistics.proprio is None or statistics.proprio.dims != STATE:
                raise OptionError(
                    f"the state is read (proprio), so the statistics need a proprio of {STATE} numbers"
                )
            self.small["proprio_projector"] = NumberProjector(STATE, width)
        if self.options.film:
            add_film(self.network)

    @property
    def state_codec(self) -> Normaliser:
        """As of every VLA; a number that never changes is zero, as in the public loaders."""
        how = replace(self.settings.normalisation, constant="zero")
        return Normaliser(self.state_statistics, how, "proprio")

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        vla = cls.from_openvla(folder, settings, dtype=dtype)
        for name, module in vla.small.items():
            load_side(module, folder, name, dtype=dtype)
        if vla.options.film:
            load_side(vla.network.vision_backbone, folder, TOWERS, dtype=dtype, inside=f"{TOWERS}.")
        return vla

    @classmethod
    def from_openvla(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        """A new model on OpenVLA's weights, without side files: what training begins with.

        Raises:
            FileError, OptionError, UnknownNameError: as ``load``.
        """
        vla = super().load(folder, settings, dtype=dtype)
        vla.to(vla.network.language_model.lm_head.weight.dtype)
        return vla

    def save(self, folder: Path) -> None:
        super().save(folder)
        for name, module in self.small.items():
            save_side(module, folder, name)
        if self.options.film:
            save_side(self.network.vision_backbone, folder, TOWERS, inside=f"{TOWERS}.")

    def plain_network(self) -> Prismatic:
        if not self.options.film:
            return self.network
        plain = empty(lambda: Prismatic(self.config))
        renamed = {
            name: value
            for key, value in self.network.state_dict().items()
            if (name := without_film(key)) is not None
        }
        plain.load_state_dict(renamed, assign=True)
        return plain

    def initialise(self) -> None:
        super().initialise()
        lively(self.small)

    # ---- questions --------------------------------------------------------------------------

    def pieces(
        self, request: Request, numbers: Sequence[int] | npt.NDArray[np.int64]
    ) -> list[Tokens | Patches | Learned]:
        first, pictures, rest = self.question(request)
        beside = [Learned()] * (self.options.proprio + self.answer.timed)
        places = Learned(count=self.numbers, acts=True)
        return [first, *pictures, *beside, rest, places, Tokens.of(STOP)]

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        batch = super().encode(requests, actions, valid=valid, length=length)
        inputs = dict(batch.inputs)
        if self.options.proprio:
            states = self.state_codec.forward(np.stack([request.state for request in requests]))
            inputs["state"] = torch.from_numpy(states).to(self.device, self.dtype)
        # A number is read where the next position is its place.
        layouts = tuple(replace(layout, actions=layout.actions - 1) for layout in batch.layouts)
        return replace(batch, inputs=inputs, layouts=layouts)

    # ---- answers ----------------------------------------------------------------------------

    def see(self, batch: Batch) -> QuestionEmbeddings:
        """Embeds words, pictures and state."""
        inputs, network = batch.inputs, self.network
        words = network.words(inputs["ids"])
        told = [mean_of_words(words, inputs["slots"], batch.attention_mask)] if self.options.film else []
        patches = network.patches(inputs["pixels"], *told)
        state = self.small["proprio_projector"](inputs["state"])[:, None] if self.options.proprio else None
        return QuestionEmbeddings(words=words, patches=patches, state=state)

    def hidden(
        self, batch: Batch, seen: QuestionEmbeddings, noisy: Tensor | None = None, times: Tensor | None = None
    ) -> Tensor:
        """What the chunk is read from, float[B, chunk * dims + 1, d]; the last is of the end of the sequence.

        Args:
            batch: question.
            seen: of ``see``.
            noisy: float[B, chunk, dims], what the places hold; None: zeros.
            times: int64[B], levels of noise.
        """
        words = seen.words
        if noisy is None:
            places = words.new_zeros(len(words), self.numbers, words.shape[-1])
        else:
            places = self.small["noisy_action_projector"](noisy.to(words.dtype).flatten(1)[..., None])
        time = None if times is None else time_embedding(times, words.shape[-1])[:, None].to(words.dtype)
        beside = [part for part in (seen.state, time) if part is not None]
        vectors = torch.cat([*beside, places], dim=1)
        embeddings = gather(batch.inputs["slots"], words, seen.patches, vectors)
        mask = masks.additive(masks.full(batch.attention_mask), embeddings.dtype)
        return self.network.hidden(embeddings, mask, batch.position_ids)[:, -self.numbers - 2 : -1]

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        return self.answer.loss(self, batch, weights, seeds)

    @torch.no_grad()
    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        return self.answer.decide(self, batch, [(*one, 0) for one in seeds])

    @torch.no_grad()
    def act(
        self, batch: Batch, *, seeds: Sequence[tuple[int, int]], samples: int = 1
    ) -> npt.NDArray[np.float32]:
        if samples == 1 or not self.answer.drawn:
            return super().act(batch, seeds=seeds, samples=samples)
        drawn = [(*seed, sample) for seed in seeds for sample in range(samples)]
        rows = [k for k in range(len(batch)) for _ in range(samples)]
        actions = self.answer.decide(self, batch.select(rows), drawn).actions
        return actions.reshape(len(batch), samples, *actions.shape[1:])

    def score(self, batch: Batch, reference: Reference) -> Scores:
        return self.answer.score(self, batch, reference)

    def quantise(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        return super().quantise(values) if self.answer.tokens else values

    # ---- the inside -------------------------------------------------------------------------

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        found = dict(super().parts)
        heads = tuple(f"small.{name}." for name in self.small if name != "proprio_projector")
        if heads:
            found["head"] = heads
        if self.options.proprio:
            found["state"] = ("small.proprio_projector.",)
        return found
