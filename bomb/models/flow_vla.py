"""VLAs that make actions by flow matching: noise that flows to a chunk, as a question tells it to.

t = 1 is noise, t = 0 the chunk; Euler's method walks from one to the other. A question is read once, and what
was read (keys and values of an expert's layers, as a rule) is shared by all steps. Where the network has room
for more numbers than an action has, the rest is zero, and does not count in the loss.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models.flow import flow_scores, noises_of, times_of
from bomb.models.losses import chunk_losses, learned
from bomb.models.settings import check_count
from bomb.models.vla import VLA, Batch, Losses, Reference, Scores
from core.errors import PolicyOutputError

Kept = TypeVar("Kept")  # of a question, for all steps of the flow
SCORED = (0.1, 0.3, 0.5, 0.7, 0.9)  # times at which the flow's loss is scored


@dataclass(frozen=True, kw_only=True)
class FlowOptions:
    """Options of ``bomb.json``.

    Attributes:
        steps: of Euler's method when acting.
    """

    steps: int = 10

    def __post_init__(self) -> None:
        check_count("steps", self.steps)


class FlowVLA(VLA, Generic[Kept]):
    """A chunk from noise; ``options`` are ``FlowOptions``."""

    reads_answer: ClassVar[bool] = True
    options: FlowOptions

    # ---- what a family makes of it ----------------------------------------------------------

    @property
    @abstractmethod
    def room(self) -> int:
        """Numbers that the network has for an action, with padding."""

    @abstractmethod
    def read(self, batch: Batch) -> Kept:
        """What is kept of a question for all steps of the flow."""

    @abstractmethod
    def velocity(self, batch: Batch, memory: Kept, noisy: Tensor, times: Tensor) -> Tensor:
        """Where noisy actions flow, float32[B, chunk, room].

        Args:
            batch: the question.
            memory: of ``read``; as it was, afterwards.
            noisy: float[B, chunk, room].
            times: float[B], 1 is noise.
        """

    # ---- what all have ----------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        """Of the noise of one chunk: (chunk, room)."""
        return self.settings.chunk, self.room

    def flow(self, batch: Batch, memory: Kept, noise: Tensor) -> Tensor:
        """Actions that noise becomes, normalised, float32[B, chunk, dims]: Euler's method from t = 1 to 0."""
        steps, x = self.options.steps, noise.float()
        for k in range(steps):
            times = torch.full((len(batch),), 1.0 - k / steps, device=x.device)
            x = x - self.velocity(batch, memory, x, times) / steps
        return x[..., : self.codec.dims]

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        actions, valid = learned(batch)
        noise, times = (
            value.to(self.device)
            for value in (noises_of(seeds, len(batch), self.shape), times_of(seeds, len(batch)))
        )
        errors = self.errors(batch, self.read(batch), actions, noise, times)
        return chunk_losses(errors, valid, self.codec.groups, weights)

    def errors(self, batch: Batch, memory: Kept, actions: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Squares of the velocity's error, float32[B, chunk, dims]; padded numbers are left out."""
        whole = torch.nn.functional.pad(actions.float(), (0, self.shape[1] - self.codec.dims))
        at = times[:, None, None]
        made = self.velocity(batch, memory, at * noise + (1 - at) * whole, times)
        return ((made - (noise - whole)) ** 2)[..., : self.codec.dims]

    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        with torch.no_grad():
            noise = noises_of(seeds, len(batch), self.shape).to(self.device)
            values = self.flow(batch, self.read(batch), noise)
        return Reference(actions=self.to_actions(values), raw={"values": values, "noise": noise})

    @torch.no_grad()
    def act(
        self, batch: Batch, *, seeds: Sequence[tuple[int, int]], samples: int = 1
    ) -> npt.NDArray[np.float32]:
        memory = self.read(batch)
        made = []
        for sample in range(samples):
            noise = noises_of(seeds, len(batch), self.shape, sample).to(self.device)
            made.append(self.to_actions(self.flow(batch, memory, noise)))
        return np.stack(made, axis=1)

    def to_actions(self, values: Tensor) -> npt.NDArray[np.float32]:
        """float32[B, chunk, 4], in BOMB's terms, of normalised values.

        Raises:
            PolicyOutputError: if they are not finite.
        """
        if not torch.isfinite(values).all():
            raise PolicyOutputError("the model's actions are not finite")
        return self.codec.to_bomb(values.cpu().numpy())

    def score(self, batch: Batch, reference: Reference) -> Scores:
        memory = self.read(batch)
        wanted, noise = (reference.raw[name].to(self.device) for name in ("values", "noise"))
        made = self.flow(batch, memory, noise)
        losses = []
        for time in SCORED:
            times = torch.full((len(batch),), time, device=self.device)
            losses.append(self.errors(batch, memory, wanted, noise, times).mean((1, 2)))
        return flow_scores(made, wanted, self.codec.groups, torch.stack(losses).mean(0))
