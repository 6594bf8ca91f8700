"""The hand: from where the tool, the stone and the goal are to the next commanded targets; it is blind.

Every way point is a mixture: along x and y of {where the target is now, the stone, the goal}, along z of
{where it is now, learned heights}. So what it heads for is met exactly, and it works everywhere on the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.layers import linear, rectified, sigmoid, softmax

CHUNK = 16  # way points at once
HEIGHTS = 8  # learned ones
FEATURES = 19


@dataclass(frozen=True, kw_only=True, eq=False)
class Situation:
    """What the hand knows.

    Attributes:
        commanded: the commanded target, float64[3] in R (m).
        state: float[4], measured tool centre point (m) and opening.
        opening: that was commanded last.
        since: actions since the commanded opening changed between open and closed.
        holds: whether a stone is in the hand: it was closed, and stopped before it was shut.
        released: whether a stone was let go since.
        stone, goal: x and y in R (m).
    """

    commanded: npt.NDArray[np.float64]
    state: npt.NDArray[np.float64]
    opening: float
    since: int
    holds: bool
    released: bool
    stone: npt.NDArray[np.float64]
    goal: npt.NDArray[np.float64]


def features(s: Situation) -> npt.NDArray[np.float32]:
    """float32[FEATURES]: lengths in decimetres, near differences again ten times larger and bounded."""
    tool, here = np.asarray(s.state[:3], dtype=np.float64), np.asarray(s.commanded, dtype=np.float64)
    to_stone, to_goal = s.stone - here[:2], s.goal - here[:2]
    return np.array(
        [
            *(10 * to_stone), *(10 * to_goal), *np.tanh(50 * to_stone), *np.tanh(50 * to_goal), 10 * here[2],
            np.tanh(50 * here[2]), *np.clip(50 * (tool - here), -2, 2), float(s.state[3]), s.opening,
            min(s.since, 30) / 10, float(min(s.since, 6)) / 3 - 1, float(s.holds), float(s.released),
        ],
        dtype=np.float32,
    )  # fmt: skip


class Hand:
    """The network of the hand in numpy.

    Args:
        tensors: of ``bomb.training.keypoint.hand.HandNetwork``, by name.
    """

    def __init__(self, tensors: Mapping[str, np.ndarray]):
        self._w = {name: np.asarray(value, dtype=np.float32) for name, value in tensors.items()}

    def plan(self, situation: Situation) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Commanded targets float64[CHUNK, 3] in R (m), and openings float64[CHUNK], 0 to 1."""
        x = features(situation)
        for layer in ("hidden1", "hidden2", "hidden3"):
            x = rectified(linear(x, self._w[f"{layer}.weight"], self._w[f"{layer}.bias"]))
        out = linear(x, self._w["out.weight"], self._w["out.bias"]).reshape(CHUNK, -1).astype(np.float64)
        places = np.array([situation.commanded[:2], situation.stone, situation.goal])
        heights = np.append(situation.commanded[2], self._w["heights"])
        x_share, y_share = softmax(out[:, 0:3]), softmax(out[:, 3:6])
        z_share = softmax(out[:, 6 : 7 + HEIGHTS])
        targets = np.column_stack([x_share @ places[:, 0], y_share @ places[:, 1], z_share @ heights])
        return targets, sigmoid(out[:, 7 + HEIGHTS])
