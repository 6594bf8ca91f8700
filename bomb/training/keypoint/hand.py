"""The hand in torch, and how it learns from demonstrations: states and actions, no pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.stages import STAGES, stages_of
from bomb.models.keypoint.format import PITCH
from bomb.models.keypoint.geometry import on_board
from bomb.models.keypoint.hand import CHUNK, FEATURES, HEIGHTS, Situation, features
from bomb.models.keypoint.state import GripperHistory
from bomb.training.keypoint.fitting import fit
from bomb.training.keypoint.recipe import PartRecipe
from core.control.actions import ActionSpec

HIDDEN = 224
STILL = 40  # moments after the end of a demonstration in which the hand is to stay where it is
BESIDE = 0.15  # of the height: how far the hand is shaken beside its way, as a standard deviation
MOST_BESIDE = 0.014  # m
SHAKEN = 0.7  # share of moments in which it is
MEASURED = 2000  # moments
METRE, OPENING = 60.0, 1.0  # weights in the loss


class HandNetwork(nn.Module):
    """Three hidden layers; see ``bomb.models.keypoint.hand``."""

    def __init__(self, heights: Sequence[float]):
        super().__init__()
        self.hidden1 = nn.Linear(FEATURES, HIDDEN)
        self.hidden2 = nn.Linear(HIDDEN, HIDDEN)
        self.hidden3 = nn.Linear(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, CHUNK * (8 + HEIGHTS))
        self.heights = nn.Parameter(torch.tensor(heights, dtype=torch.float32))

    def forward(
        self, x: torch.Tensor, places: torch.Tensor, here: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Targets float32[N, CHUNK, 3] (m), and logits of the opening float32[N, CHUNK].

        Args:
            x: float32[N, FEATURES].
            places: float32[N, 3, 2], x and y of the target, the stone and the goal (m).
            here: float32[N], z of the target (m).
        """
        for layer in (self.hidden1, self.hidden2, self.hidden3):
            x = functional.relu(layer(x))
        out = self.out(x).unflatten(1, (CHUNK, 8 + HEIGHTS))
        x_share, y_share = out[..., 0:3].softmax(2), out[..., 3:6].softmax(2)
        heights = torch.cat([here[:, None], self.heights.expand(len(here), HEIGHTS)], 1)
        z = torch.einsum("nkh,nh->nk", out[..., 6 : 7 + HEIGHTS].softmax(2), heights)
        xy = torch.stack(
            [
                torch.einsum("nkp,np->nk", share, places[..., axis])
                for axis, share in enumerate((x_share, y_share))
            ],
            2,
        )
        return torch.cat([xy, z[..., None]], 2), out[..., 7 + HEIGHTS]


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """One demonstration as the hand learns it: T moments, and what follows once it is over.

    Attributes:
        commanded: float64[T + 1 + STILL, 3], the commanded target before each action, and to the end.
        states: float64[T + STILL, 4], proprioception.
        openings: float64[T + 1 + STILL], commanded before each action.
        histories: of each moment, (since, holds, released).
        stone, goal: x and y in R (m).
    """

    commanded: np.ndarray
    states: np.ndarray
    openings: np.ndarray
    histories: list[tuple[int, bool, bool]]
    stone: np.ndarray
    goal: np.ndarray


def way_of(
    demonstration: Demonstration,
    spec: ActionSpec,
    board: np.ndarray,
    to_base: Callable[[np.ndarray], np.ndarray],
) -> Way | None:
    """A demonstration of one placement; None if its stone never rises.

    What an episode shows ends with its first success. The hand has to stay away from the stone then: it rises
    straight to the greatest height that it travelled at, and stays.

    Args:
        demonstration: of one move.
        spec: what its actions mean.
        board: float64[2, 3], from (x_B, y_B, 1) to x and y of R.
        to_base: takes points of W to R.
    """
    stages = stages_of(demonstration)
    grasped = np.flatnonzero(stages == STAGES.index("grasp"))
    if not len(grasped):
        return None
    goal = demonstration.about["goal"]
    middle = 2.0
    p_B = np.array([(goal["column"] - middle) * PITCH, (middle - goal["row"]) * PITCH])
    row = int(grasped[0])
    tool = demonstration.observations[row, :3].astype(np.float64)
    stones = to_base(demonstration.stones[row, :, :3].astype(np.float64))
    stone = stones[np.linalg.norm(stones - tool, axis=1).argmin(), :2]
    commanded = [demonstration.observations[0, :3].astype(np.float64)]
    for action in demonstration.actions:
        commanded.append(np.array(spec.advance(commanded[-1], action)))
    openings = [1.0, *demonstration.actions[:, 3].astype(float)]
    travel = max(point[2] for point in commanded[len(commanded) // 2 :])
    states = [row.astype(np.float64) for row in demonstration.observations[: demonstration.length]]
    lag = states[-1][:3] - commanded[demonstration.length - 1]
    for _ in range(STILL):
        states.append(np.append(commanded[-1] + 0.3 * lag, 1.0))
        lag = 0.3 * lag
        up = commanded[-1] + [0, 0, min(spec.max_step, max(0.0, travel - commanded[-1][2]))]
        commanded.append(up)
        openings.append(1.0)
    history, histories = GripperHistory(), []
    for state, opening in zip(states, openings, strict=False):
        history.acted(float(opening))
        history.saw(float(state[3]))
        histories.append((history.since, history.holds, history.released))
    return Way(
        commanded=np.array(commanded), states=np.array(states), openings=np.array(openings),
        histories=histories, stone=stone, goal=on_board(board, p_B),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class HandBatch:
    """N situations and what follows them; see ``HandNetwork.forward``."""

    x: torch.Tensor
    places: torch.Tensor
    here: torch.Tensor
    targets: torch.Tensor
    openings: torch.Tensor


def hand_batch(ways: Sequence[Way], size: int, max_step: float, rng: np.random.Generator) -> HandBatch:
    """Moments drawn at random, the hand shaken beside its way: it learns to come back."""
    chosen = [ways[int(k)] for k in rng.integers(len(ways), size=size)]
    moments = [int(rng.integers(len(way.states))) for way in chosen]
    pairs = list(zip(chosen, moments, strict=True))
    here = np.array([way.commanded[t] for way, t in pairs])
    history = [way.histories[t] for way, t in pairs]
    spread = np.minimum(MOST_BESIDE, BESIDE * np.maximum(0.0, here[:, 2:] + 0.004) + 0.0008)
    beside = rng.standard_normal((size, 3)) * spread * [1, 1, 0.25] * (rng.random((size, 1)) < SHAKEN)
    beside[[released for _, _, released in history]] = 0.0  # nothing is to be met any more
    here += beside
    situations = [
        Situation(
            commanded=here[k],
            state=way.states[t] + np.append(beside[k], 0.0),
            opening=float(way.openings[t]),
            since=history[k][0],
            holds=history[k][1],
            released=history[k][2],
            stone=way.stone,
            goal=way.goal,
        )
        for k, (way, t) in enumerate(pairs)
    ]  # fmt: skip
    point, targets = here, np.empty((size, CHUNK, 3))
    openings = np.empty((size, CHUNK))
    for k in range(CHUNK):
        wanted = np.array([way.commanded[min(t + k + 1, len(way.commanded) - 1)] for way, t in pairs])
        point = point + np.clip(wanted - point, -max_step, max_step)
        targets[:, k] = point
        openings[:, k] = [way.openings[min(t + k + 1, len(way.openings) - 1)] for way, t in pairs]
    places = np.stack([here[:, :2], [way.stone for way in chosen], [way.goal for way in chosen]], 1)
    return HandBatch(
        x=torch.from_numpy(np.array([features(situation) for situation in situations])),
        places=torch.from_numpy(places.astype(np.float32)),
        here=torch.from_numpy(here[:, 2].astype(np.float32)),
        targets=torch.from_numpy(targets.astype(np.float32)),
        openings=torch.from_numpy(openings.astype(np.float32)),
    )


def hand_loss(network: HandNetwork, batch: HandBatch) -> torch.Tensor:
    """Mean absolute error of targets (weighted per metre), and cross entropy of openings."""
    targets, openings = network(batch.x, batch.places, batch.here)
    wrong = (targets - batch.targets).abs().mean()
    return METRE * wrong + OPENING * functional.binary_cross_entropy_with_logits(openings, batch.openings)


def train_hand(
    ways: Sequence[Way], recipe: PartRecipe, max_step: float, seed: int,
    report: Callable[[int, float], None] | None = None,
) -> HandNetwork:  # fmt: skip
    """A hand.

    Args:
        ways: what it learns from.
        recipe: how.
        max_step: how far the commanded target moves along an axis in one action (m).
        seed: of weights and samples.
        report: called with each step and its loss.
    """
    torch.manual_seed(seed)
    heights = np.quantile(np.concatenate([way.commanded[:, 2] for way in ways]), np.linspace(0, 1, HEIGHTS))
    network = HandNetwork(heights.tolist())
    rng = np.random.default_rng([seed, 2])

    def loss_of() -> torch.Tensor:
        return hand_loss(network, hand_batch(ways, recipe.batch, max_step, rng))

    fit(network, recipe, loss_of, weight_decay=1e-5, clip=1.0, report=report)
    return network


def hand_error(network: HandNetwork, ways: Sequence[Way], max_step: float) -> dict[str, Any]:
    """How far way points are off in a fixed draw of moments (mm), by axis; the share of right openings."""
    batch = hand_batch(ways, MEASURED, max_step, np.random.default_rng(MEASURED))
    with torch.inference_mode():
        targets, openings = network(batch.x, batch.places, batch.here)
    wrong = 1000 * (targets - batch.targets).abs().numpy()
    right = float(((openings > 0) == (batch.openings > 0.5)).float().mean())
    axes = {
        axis: {f"p{share}": round(float(np.percentile(wrong[..., k], share)), 2) for share in (50, 90)}
        for k, axis in enumerate("xyz")
    }
    return {**axes, "openings_right": round(right, 4)}
