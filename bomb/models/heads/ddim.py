"""DDIM (Song et al. 2020, arXiv:2010.02502) as OpenVLA-OFT uses it: cosine schedule, no noise between steps.

Times are spaced evenly from 0 on ("leading"); the estimate of the chunk is clipped to [-1, 1], and the
direction is not derived anew from it; after the last step no noise is left.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bomb.models.settings import check_count
from core.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class DDIM:
    """A schedule.

    Attributes:
        train_steps: levels of noise that are learned.
        steps: of them that are walked through to an answer.
    """

    train_steps: int = 50
    steps: int = 50

    def __post_init__(self) -> None:
        check_count("train_steps", self.train_steps)
        check_count("steps", self.steps)
        if self.steps > self.train_steps:
            raise OptionError(f"steps must be at most train_steps = {self.train_steps}, got {self.steps}")

    @property
    def alphas(self) -> Tensor:
        """float32[train_steps]: how much of the chunk's variance is left at each level (squared cosine)."""
        at = torch.arange(self.train_steps + 1, dtype=torch.float64) / self.train_steps
        left = torch.cos((at + 0.008) / 1.008 * torch.pi / 2) ** 2
        betas = (1 - left[1:] / left[:-1]).clamp(max=0.999).float()
        return torch.cumprod(1 - betas, dim=0)

    @property
    def times(self) -> list[int]:
        """The levels that are walked through, falling to 0."""
        gap = self.train_steps // self.steps
        return [k * gap for k in range(self.steps)][::-1]

    def add_noise(self, actions: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Chunks at level ``times``, int64[B]: float[B, chunk, dims] of the same."""
        left = self.alphas.to(actions)[times][:, None, None]
        return left.sqrt() * actions + (1 - left).sqrt() * noise

    def walk(self, noise: Tensor, predict: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """From noise to a chunk, float[B, chunk, dims] both.

        Args:
            noise: to begin with.
            predict: the noise in float[B, chunk, dims] at level int64[B].
        """
        alphas, gap = self.alphas.to(noise), self.train_steps // self.steps
        x = noise
        for time in self.times:
            found = predict(x, torch.full((len(x),), time, dtype=torch.long, device=x.device))
            here = alphas[time]
            after = alphas[time - gap] if time >= gap else alphas.new_ones(())
            clean = ((x - (1 - here).sqrt() * found) / here.sqrt()).clamp(-1, 1)
            x = after.sqrt() * clean + (1 - after).sqrt() * found
        return x
