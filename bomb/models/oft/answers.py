"""Three ways from hidden states to a chunk: regression, diffusion, tokens.

Each learns, decides and scores for a model that makes the hidden states (``Asked``: ``OpenVLAOFT``).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bomb.models.answering import Seeds, Weights
from bomb.models.codecs.actions import ActionCodec
from bomb.models.codecs.bins import Bins
from bomb.models.heads.ddim import DDIM
from bomb.models.heads.resnet import L1Head, NoiseHead, NumberProjector
from bomb.models.losses import chunk_losses, learned
from bomb.models.noise import generator, noise
from bomb.models.openvla.network import Prismatic
from bomb.models.settings import VLASettings
from bomb.models.tokens import token_losses, token_scores
from bomb.models.vla import Batch, Losses, Reference, Scores
from core.errors import PolicyOutputError


@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionEmbeddings:
    """What a question is embedded to, once for all passes: float[B, n, d] each."""

    words: Tensor
    patches: Tensor
    state: Tensor | None


class Scheduled(Protocol):
    """What an answer needs of a model's options."""

    @property
    def schedule(self) -> DDIM:
        """Of the diffusion head."""


class Asked(Protocol):
    """What an answer needs of its model; see ``bomb.models.oft.family.OpenVLAOFT``."""

    settings: VLASettings
    codec: ActionCodec
    bins: Bins
    network: Prismatic
    small: nn.ModuleDict

    @property
    def options(self) -> Scheduled:
        """Those of ``bomb.json``."""

    @property
    def device(self) -> torch.device:
        """Where the model is."""

    def see(self, batch: Batch) -> QuestionEmbeddings:
        """Embeds words, pictures and state."""

    def hidden(
        self, batch: Batch, seen: QuestionEmbeddings, noisy: Tensor | None = None, times: Tensor | None = None
    ) -> Tensor:
        """What the chunk is read from, float[B, chunk * dims + 1, d]."""

    def to_actions(self, tokens: Tensor) -> npt.NDArray[np.float32]:
        """float32[B, chunk, 4] of token ids."""


class ActionHead(ABC):
    """How a chunk is made.

    Attributes:
        timed: whether a token tells the level of noise.
        drawn: whether samples differ.
        tokens: whether numbers are token ids.
    """

    timed: ClassVar[bool] = False
    drawn: ClassVar[bool] = False
    tokens: ClassVar[bool] = False

    @abstractmethod
    def networks(self, width: int, dims: int) -> dict[str, nn.Module]:
        """Small networks beside OpenVLA's, by the name of their side file."""

    @abstractmethod
    def loss(self, vla: Asked, batch: Batch, weights: Weights, seeds: Seeds | None) -> Losses:
        """As ``VLA.loss``."""

    @abstractmethod
    def decide(self, vla: Asked, batch: Batch, drawn: Sequence[tuple[int, int, int]]) -> Reference:
        """As ``VLA.decide``, for (seed, step, sample) of each row."""

    @abstractmethod
    def score(self, vla: Asked, batch: Batch, reference: Reference) -> Scores:
        """As ``VLA.score``."""


class Regression(ActionHead):
    """Numbers themselves, learned by L1."""

    def networks(self, width: int, dims: int) -> dict[str, nn.Module]:
        return {"action_head": L1Head(width, dims)}

    def predict(self, vla: Asked, batch: Batch) -> Tensor:
        """Normalised chunks, float32[B, chunk, dims]."""
        made: Tensor = vla.small["action_head"](vla.hidden(batch, vla.see(batch))[:, :-1])
        return made.float()

    def loss(self, vla: Asked, batch: Batch, weights: Weights, seeds: Seeds | None) -> Losses:
        actions, valid = learned(batch)
        errors = (self.predict(vla, batch) - actions).abs()
        return chunk_losses(errors, valid, vla.codec.groups, weights, {"l1": errors[valid].mean().item()})

    def decide(self, vla: Asked, batch: Batch, drawn: Sequence[tuple[int, int, int]]) -> Reference:
        values = self.predict(vla, batch)
        return Reference(actions=in_bombs_terms(vla, values), raw={"values": values})

    def score(self, vla: Asked, batch: Batch, reference: Reference) -> Scores:
        wanted = reference.raw["values"].to(vla.device)
        return distances(self.predict(vla, batch), wanted, vla.codec.groups)


class Diffusion(ActionHead):
    """Noise, walked back to numbers by DDIM; learned by squares."""

    timed: ClassVar[bool] = True
    drawn: ClassVar[bool] = True

    def networks(self, width: int, dims: int) -> dict[str, nn.Module]:
        return {"action_head": NoiseHead(width, dims), "noisy_action_projector": NumberProjector(1, width)}

    def predict(
        self, vla: Asked, batch: Batch, seen: QuestionEmbeddings, noisy: Tensor, times: Tensor
    ) -> Tensor:
        """The noise in chunks, float32[B, chunk, dims]."""
        made: Tensor = vla.small["action_head"](vla.hidden(batch, seen, noisy, times)[:, :-1])
        return made.float()

    def loss(self, vla: Asked, batch: Batch, weights: Weights, seeds: Seeds | None) -> Losses:
        actions, valid = learned(batch)
        schedule = vla.options.schedule
        if seeds is None:
            added = torch.randn_like(actions)
            times = torch.randint(schedule.train_steps, (len(actions),), device=actions.device)
        else:
            sources = [generator(*seed) for seed in seeds]
            drawn = np.stack([one.standard_normal(actions.shape[1:], dtype=np.float32) for one in sources])
            levels = np.array([one.integers(schedule.train_steps) for one in sources])
            added, times = (torch.from_numpy(value).to(actions.device) for value in (drawn, levels))
        # What does not count is nothing that the other places may see.
        noisy = schedule.add_noise(actions * valid[..., None], added, times)
        errors = (self.predict(vla, batch, vla.see(batch), noisy, times) - added) ** 2
        return chunk_losses(errors, valid, vla.codec.groups, weights)

    def end(self, vla: Asked, batch: Batch, begin: Tensor) -> Tensor:
        """Where the walk from noise ends, float32[B, chunk, dims]."""
        seen = vla.see(batch)
        return vla.options.schedule.walk(
            begin, lambda noisy, times: self.predict(vla, batch, seen, noisy, times)
        )

    def decide(self, vla: Asked, batch: Batch, drawn: Sequence[tuple[int, int, int]]) -> Reference:
        shape = (vla.settings.chunk, vla.codec.dims)
        numbers = np.stack([noise(seed, step, shape, sample) for seed, step, sample in drawn])
        begin = torch.from_numpy(numbers).to(vla.device)
        values = self.end(vla, batch, begin)
        return Reference(actions=in_bombs_terms(vla, values), raw={"values": values, "noise": begin})

    def score(self, vla: Asked, batch: Batch, reference: Reference) -> Scores:
        raw = {name: tensor.to(vla.device) for name, tensor in reference.raw.items()}
        return distances(self.end(vla, batch, raw["noise"]), raw["values"], vla.codec.groups)


class Discrete(ActionHead):
    """OpenVLA's token per number, all at once."""

    tokens: ClassVar[bool] = True

    def networks(self, width: int, dims: int) -> dict[str, nn.Module]:
        return {}

    def predict(self, vla: Asked, batch: Batch) -> Tensor:
        """float32[B, chunk * dims + 1, vocabulary]; the last is of the end of the sequence."""
        return vla.network.logits(vla.hidden(batch, vla.see(batch)))

    def loss(self, vla: Asked, batch: Batch, weights: Weights, seeds: Seeds | None) -> Losses:
        actions, valid = learned(batch)
        labels = torch.from_numpy(vla.bins.encode(actions.cpu().numpy())).flatten(1).to(vla.device)
        labels = torch.cat([labels, batch.inputs["ids"].gather(1, batch.inputs["slots"][:, -1:])], dim=1)
        logits = self.predict(vla, batch)
        return token_losses(
            logits, labels, actions, valid, bins=vla.bins, groups=vla.codec.groups, weights=weights
        )

    def decide(self, vla: Asked, batch: Batch, drawn: Sequence[tuple[int, int, int]]) -> Reference:
        logits = self.predict(vla, batch)[:, :-1]
        if not torch.isfinite(logits).all():
            raise PolicyOutputError("the model's logits are not finite")
        ids = logits.argmax(-1)
        return Reference(actions=vla.to_actions(ids), raw={"tokens": ids})

    def score(self, vla: Asked, batch: Batch, reference: Reference) -> Scores:
        tokens = reference.raw["tokens"].to(vla.device)
        return token_scores(self.predict(vla, batch)[:, :-1], tokens, vla.settings.chunk, vla.codec.groups)


ANSWERS: dict[str, type[ActionHead]] = {"l1": Regression, "diffusion": Diffusion, "discrete": Discrete}


def in_bombs_terms(vla: Asked, values: Tensor) -> npt.NDArray[np.float32]:
    """float32[B, chunk, 4] of normalised chunks.

    Raises:
        PolicyOutputError: if they are not finite.
    """
    if not torch.isfinite(values).all():
        raise PolicyOutputError("the model's actions are not finite")
    return vla.codec.to_bomb(values.cpu().numpy())


def distances(values: Tensor, wanted: Tensor, groups: Mapping[str, tuple[int, ...]]) -> Scores:
    """Minus the distance of normalised chunks by group, the mean over a chunk; in all their sum."""
    found = {name: -(values - wanted)[..., list(dims)].norm(dim=-1).mean(1) for name, dims in groups.items()}
    return Scores.summed(found)
