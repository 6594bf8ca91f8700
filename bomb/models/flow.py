"""Flow matching: noise and times that depend on (seed, step, sample) alone, and scores."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from bomb.models.noise import generator, noises
from bomb.models.vla import Scores

ALPHA, BETA, SCALE, OFFSET = 1.5, 1.0, 0.999, 0.001  # of pi0's times: Beta(1.5, 1) * 0.999 + 0.001
TIMES = 1_000_003  # number of the sample that times are drawn by, beside those of noise


def noises_of(
    seeds: Sequence[tuple[int, int]] | None, count: int, shape: tuple[int, ...], sample: int = 0
) -> Tensor:
    """Standard normal numbers, float32[count, *shape]; from torch's generator where there are no seeds."""
    if seeds is None:
        return torch.randn(count, *shape)
    return torch.from_numpy(noises(seeds, shape, sample + 1)[:, sample])


def times_of(seeds: Sequence[tuple[int, int]] | None, count: int) -> Tensor:
    """Times to learn at, float32[count] in (0, 1]; late ones, near the noise, more often."""
    if seeds is None:
        drawn = torch.distributions.Beta(ALPHA, BETA).sample((count,))
    else:
        drawn = torch.tensor([generator(*seed, TIMES).beta(ALPHA, BETA) for seed in seeds])
    return (drawn * SCALE + OFFSET).float()


def flow_scores(
    made: Tensor, wanted: Tensor, groups: Mapping[str, tuple[int, ...]], loss: Tensor | None = None
) -> Scores:
    """Minus the distance of end points by group, means over a chunk; and minus the flow's loss.

    Args:
        made, wanted: float[B, chunk, dims], normalised, from the same noise.
        groups: dimensions by group.
        loss: float[B], of the flow towards ``wanted``, at fixed times and noise.
    """
    found = {name: -(made - wanted)[..., list(dims)].norm(dim=-1).mean(1) for name, dims in groups.items()}
    others = {} if loss is None else {"flow_loss": -loss}
    return Scores.summed(found, others)
