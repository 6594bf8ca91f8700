"""The hand learns from demonstrations and from what it should do where the expert never is.

Beside the expert's way it comes back to it; where it closed on nothing it opens and rises; over a spot that
is not known well enough it waits, because the next look will tell more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bomb.models.keypoint.hand import CHUNK
from bomb.models.small.family import METRE
from bomb.models.small.hand import SmallHand, features
from bomb.training.keypoint.fitting import fit
from bomb.training.keypoint.hand import BESIDE, MOST_BESIDE, SHAKEN, Way
from bomb.training.keypoint.recipe import PartRecipe

MISSED = 0.06  # share of situations in which the gripper closed on nothing
RISE, RISING = 0.07, 0.02  # m: how high it rises then, and how far in one action
UNSURE = 0.0027  # m: a spot that is known worse than this is not gone down to
GATE, NEAR, LOW = (
    0.045,
    0.030,
    0.022,
)  # m: it waits at this height, this near beside the spot; below LOW it goes on
WORST = 0.012  # m


class Ways:
    """Demonstrations as the hand learns them, in arrays, so that moments of many are drawn at once.

    Args:
        ways: of ``bomb.training.keypoint.ways.ways_of``.
    """

    def __init__(self, ways: Sequence[Way]):
        longest = max(len(way.commanded) for way in ways) + CHUNK

        def padded(rows: list[np.ndarray]) -> np.ndarray:
            """The last row of each again and again, up to the longest."""
            return np.stack([row[np.minimum(np.arange(longest), len(row) - 1)] for row in rows])

        self.commanded = padded([way.commanded for way in ways])
        self.openings = padded([np.asarray(way.openings, dtype=np.float64) for way in ways])
        self.states = padded([way.states for way in ways])
        self.flags = padded([np.array(way.histories, dtype=np.float64) for way in ways])
        self.stone = np.array([way.stone for way in ways])
        self.goal = np.array([way.goal for way in ways])
        self.lengths = np.array([len(way.states) for way in ways])
        self.heights = np.concatenate([way.commanded[:, 2] for way in ways])


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """N situations and what is right in them; see ``SmallHand``."""

    commanded: Tensor
    state: Tensor
    flags: Tensor
    stone: Tensor
    goal: Tensor
    errors: Tensor
    targets: Tensor
    openings: Tensor


def lesson(ways: Ways, size: int, max_step: float, rng: np.random.Generator) -> Lesson:
    """Moments of demonstrations, the hand shaken beside its way, some of them changed; see this module."""
    way = rng.integers(len(ways.lengths), size=size)
    moment = (rng.random(size) * ways.lengths[way]).astype(int)
    here, opening, flag = ways.commanded[way, moment], ways.openings[way, moment], ways.flags[way, moment]
    spread = np.minimum(MOST_BESIDE, BESIDE * np.maximum(0.0, here[:, 2:] + 0.004) + 0.0008)
    beside = rng.standard_normal((size, 3)) * spread * [1, 1, 0.25] * (rng.random((size, 1)) < SHAKEN)
    beside[flag[:, 2] > 0] = 0.0  # nothing is to be met any more
    state = ways.states[way, moment] + np.pad(beside, ((0, 0), (0, 1)))
    here = here + beside
    point, targets = here, np.empty((size, CHUNK, 3))
    for k in range(CHUNK):
        point = point + np.clip(ways.commanded[way, moment + k + 1] - point, -max_step, max_step)
        targets[:, k] = point
    openings = np.stack([ways.openings[way, moment + k + 1] for k in range(CHUNK)], 1)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.astype(np.float32))

    taught = Lesson(
        commanded=tensor(np.column_stack([here, opening])), state=tensor(state),
        flags=tensor(np.column_stack([flag, np.zeros(size)])), stone=tensor(ways.stone[way]),
        goal=tensor(ways.goal[way]), errors=tensor(WORST * rng.random((size, 2)) ** 2.5 + 0.0004),
        targets=tensor(targets), openings=tensor(openings),
    )  # fmt: skip
    empty = taught.flags[:, 1] + taught.flags[:, 2] == 0
    missed = torch.from_numpy(rng.random(size) < MISSED) & empty
    if missed.any():
        _open_and_rise(taught, missed, rng)
    _wait(taught, (taught.flags[:, 2] == 0) & ~missed)
    return taught


def _open_and_rise(taught: Lesson, which: Tensor, rng: np.random.Generator) -> None:
    """Makes of these situations ones in which the gripper closed on nothing, near the stone."""
    count = int(which.sum())

    def drawn(low: float, high: float, *shape: int) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (count, *shape)).astype(np.float32))

    here = torch.cat([taught.stone[which] + drawn(-0.02, 0.02, 2), drawn(-0.005, 0.06, 1)], 1)
    taught.commanded[which] = torch.cat([here, torch.zeros(count, 1)], 1)
    taught.state[which] = torch.cat([here + drawn(-0.001, 0.001, 3), drawn(0.0, 0.2, 1)], 1)
    taught.flags[which] = torch.cat([drawn(4, 12, 1).floor(), torch.zeros(count, 2), torch.ones(count, 1)], 1)
    up = here[:, None].repeat(1, CHUNK, 1)
    rise = RISING * (torch.arange(CHUNK) - 1).clamp(min=0)
    up[:, :, 2] = torch.minimum(here[:, 2:] + rise, torch.maximum(here[:, 2:], torch.tensor(RISE)))
    taught.targets[which], taught.openings[which] = up, torch.ones(count, CHUNK)


def _wait(taught: Lesson, may: Tensor) -> None:
    """Keeps the hand above a spot that is not known well enough."""
    here, targets = taught.commanded[:, :3], taught.targets
    holds = taught.flags[:, 1:2] > 0
    spot = torch.where(holds, taught.goal, taught.stone)
    error = torch.where(holds[:, 0], taught.errors[:, 1], taught.errors[:, 0])
    unsure = may & (error > UNSURE) & (here[:, 2] > LOW)
    beside = (targets[..., :2] - spot[:, None]).norm(dim=2)
    below = unsure[:, None] & (targets[..., 2] < GATE) & (beside < NEAR)
    below = below.cumsum(1) > 0  # whatever would follow, too
    above = torch.cat([spot[:, None].expand(-1, CHUNK, -1), torch.full((*beside.shape, 1), GATE)], 2)
    targets.copy_(torch.where(below[..., None], above, targets))
    openings = torch.where(below, (~holds).float().expand_as(taught.openings), taught.openings)
    taught.openings.copy_(openings)


def lesson_loss(hand: SmallHand, taught: Lesson) -> Tensor:
    """Distances of way points (weighted per metre), and cross entropy of openings."""
    x = features(taught.commanded, taught.state, taught.flags, taught.stone, taught.goal, taught.errors)
    targets, openings = hand(x, taught.commanded[:, :3], taught.stone, taught.goal)
    cross = functional.binary_cross_entropy_with_logits(openings, taught.openings)
    return METRE * (targets - taught.targets).abs().mean() + cross


def train_hand(
    hand: SmallHand, ways: Ways, recipe: PartRecipe, max_step: float, seed: int,
    report: Callable[[int, float], None] | None = None,
) -> None:  # fmt: skip
    """Teaches a hand.

    Args:
        hand: with random weights.
        ways: what it learns from.
        recipe: how.
        max_step: how far the commanded target moves along an axis in one action (m).
        seed: of the lessons.
        report: called with each step and its loss.
    """
    heights = np.quantile(ways.heights, np.linspace(0, 1, len(hand.heights)))
    with torch.no_grad():
        hand.heights.copy_(torch.from_numpy(heights))
    rng = np.random.default_rng([seed, 2])

    def loss_of() -> torch.Tensor:
        return lesson_loss(hand, lesson(ways, recipe.batch, max_step, rng))

    fit(hand, recipe, loss_of, weight_decay=1e-5, clip=1.0, report=report)
