"""Three ways from hidden states to a chunk: regression, diffusion, tokens.

Each learns, decides and scores for a model that makes the hidden states (``Asked``: ``OpenVLAOFT``).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from bomb.models.heads.resnet import L1Head, NoiseHead, NumberProjector
from bomb.models.losses import chunk_losses, learned
from bomb.models.noise import generator, noise
from bomb.models.tokens import token_losses, token_scores
from bomb.models.vla import Batch, Losses, Reference, Scores
from core.errors import PolicyOutputError

Weights = Mapping[str, float] | None


class Asked(Protocol):
    """What an answer needs of its model; see ``bomb.models.oft.family.OpenVLAOFT``."""

    settings: Any
    options: Any
    codec: Any
    bins: Any
    network: Any
    small: nn.ModuleDict
    device: Any

    def see(self, batch: Batch) -> Any:
        """What a question is embedded to."""

    def hidden(
        self, batch: Batch, seen: Any, noisy: Tensor | None = None, times: Tensor | None = None
    ) -> Tensor:
        """What the chunk is read from, float[B, chunk * dims + 1, d]."""

    def to_actions(self, tokens: Tensor) -> np.ndarray:
        """float32[B, chunk, 4] of token ids."""


class Answer(ABC):
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
    def loss(
        self, vla: Asked, batch: Batch, weights: Weights, seeds: Sequence[tuple[int, int]] | None
    ) -> Losses:
        """As ``VLA.loss``."""

    @abstractmethod
    def decide(self, vla: Asked, batch: Batch, drawn: Sequence[tuple[int, int, int]]) -> Reference:
        """As ``VLA.decide``, for (seed, step, sample) of each row."""

    @abstractmethod
    def score(self, vla: Asked, batch: Batch, reference: Reference) -> Scores:
        """As ``VLA.score``."""


class Regression(Answer):
    """Numbers themselves, learned by L1."""

    def networks(self, width: int, dims: int) -> dict[str, nn.Module]:
        return {"action_head": L1Head(width, dims)}

    def predict(self, vla: Asked, batch: Batch) -> Tensor:
        """Normalised chunks, float32[B, chunk, dims]."""
        return vla.small["action_head"](vla.hidden(batch, vla.see(batch))[:, :-1]).float()

    def loss(self, vla, batch, weights, seeds) -> Losses:
        actions, valid = learned(batch)
        errors = (self.predict(vla, batch) - actions).abs()
        return chunk_losses(errors, valid, vla.codec.groups, weights, {"l1": errors[valid].mean().item()})

    def decide(self, vla, batch, drawn) -> Reference:
        values = self.predict(vla, batch)
        return Reference(actions=in_bombs_terms(vla, values), raw={"values": values})

    def score(self, vla, batch, reference) -> Scores:
        wanted = reference.raw["values"].to(vla.device)
        return distances(self.predict(vla, batch), wanted, vla.codec.groups)


class Diffusion(Answer):
    """Noise, walked back to numbers by DDIM; learned by squares."""

    timed: ClassVar[bool] = True
    drawn: ClassVar[bool] = True

    def networks(self, width: int, dims: int) -> dict[str, nn.Module]:
        return {"action_head": NoiseHead(width, dims), "noisy_action_projector": NumberProjector(1, width)}

    def predict(self, vla: Asked, batch: Batch, seen, noisy: Tensor, times: Tensor) -> Tensor:
        """The noise in chunks, float32[B, chunk, dims]."""
        return vla.small["action_head"](vla.hidden(batch, seen, noisy, times)[:, :-1]).float()

    def loss(self, vla, batch, weights, seeds) -> Losses:
        actions, valid = learned(batch)
        schedule = vla.options.schedule
        if seeds is None:
            added = torch.randn_like(actions)
            times = torch.randint(schedule.train_steps, (len(actions),), device=actions.device)
        else:
            sources = [generator(*seed) for seed in seeds]
            added = np.stack([one.standard_normal(actions.shape[1:], dtype=np.float32) for one in sources])
            times = np.array([one.integers(schedule.train_steps) for one in sources])
            added, times = (torch.from_numpy(value).to(actions.device) for value in (added, times))
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

    def decide(self, vla, batch, drawn) -> Reference:
        shape = (vla.settings.chunk, vla.codec.dims)
        begin = np.stack([noise(seed, step, shape, sample) for seed, step, sample in drawn])
        begin = torch.from_numpy(begin).to(vla.device)
        values = self.end(vla, batch, begin)
        return Reference(actions=in_bombs_terms(vla, values), raw={"values": values, "noise": begin})

    def score(self, vla, batch, reference) -> Scores:
        raw = {name: tensor.to(vla.device) for name, tensor in reference.raw.items()}
        return distances(self.end(vla, batch, raw["noise"]), raw["values"], vla.codec.groups)


class Discrete(Answer):
    """OpenVLA's token per number, all at once."""

    tokens: ClassVar[bool] = True

    def networks(self, width: int, dims: int) -> dict[str, nn.Module]:
        return {}

    def predict(self, vla: Asked, batch: Batch) -> Tensor:
        """float32[B, chunk * dims + 1, vocabulary]; the last is of the end of the sequence."""
        return vla.network.logits(vla.hidden(batch, vla.see(batch)))

    def loss(self, vla, batch, weights, seeds) -> Losses:
        actions, valid = learned(batch)
        labels = torch.from_numpy(vla.bins.encode(actions.cpu().numpy())).flatten(1).to(vla.device)
        labels = torch.cat([labels, batch.inputs["ids"].gather(1, batch.inputs["slots"][:, -1:])], dim=1)
        logits = self.predict(vla, batch)
        return token_losses(
            logits, labels, actions, valid, bins=vla.bins, groups=vla.codec.groups, weights=weights
        )

    def decide(self, vla, batch, drawn) -> Reference:
        logits = self.predict(vla, batch)[:, :-1]
        if not torch.isfinite(logits).all():
            raise PolicyOutputError("the model's logits are not finite")
        ids = logits.argmax(-1)
        return Reference(actions=vla.to_actions(ids), raw={"tokens": ids})

    def score(self, vla, batch, reference) -> Scores:
        tokens = reference.raw["tokens"].to(vla.device)
        return token_scores(self.predict(vla, batch)[:, :-1], tokens, vla.settings.chunk, vla.codec.groups)


ANSWERS: dict[str, type[Answer]] = {"l1": Regression, "diffusion": Diffusion, "discrete": Discrete}


def in_bombs_terms(vla: Asked, values: Tensor) -> np.ndarray:
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
    return Scores(total=sum(found.values()), groups=found)
