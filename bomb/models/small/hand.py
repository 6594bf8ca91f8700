"""The hand of ``small``: from what is believed to commanded targets, in torch.

Way points are mixtures of {where the target is now, the stone, the goal} along x and y, and of {where it is
now, learned heights} along z, as ``keypoint``'s; beside what that one knows, it knows how sure it is.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

HEIGHTS = 8
FEATURES = 22


def features(
    commanded: Tensor, state: Tensor, flags: Tensor, stone: Tensor, goal: Tensor, errors: Tensor
) -> Tensor:
    """float[N, FEATURES]: lengths in decimetres, near differences again ten times larger and bounded.

    Args:
        commanded: float[N, 4], target in R (m) and opening.
        state: float[N, 4], proprioception.
        flags: float[N, 4], actions since the commanded opening changed; whether a stone is held, was
            released, and whether the gripper closed on nothing.
        stone, goal: float[N, 2] in R (m).
        errors: float[N, 2], standard deviations of both (m).
    """
    here, since = commanded[:, :3], flags[:, :1]
    to_stone, to_goal = stone - here[:, :2], goal - here[:, :2]
    return torch.cat(
        [
            10 * to_stone, 10 * to_goal, torch.tanh(50 * to_stone), torch.tanh(50 * to_goal), 10
            * here[:, 2:], torch.tanh(50 * here[:, 2:]), (50 * (state[:, :3] - here)).clamp(-2,
            2), state[:, 3:], commanded[:, 3:], since.clamp(max=30) / 10, since.clamp(max=6) / 3
            - 1, flags[:, 1:], (250 * errors).clamp(max=2),
        ],
        1,
    )  # fmt: skip


class SmallHand(nn.Module):
    """Three hidden layers.

    Args:
        heights: where the learned heights start (m), ``HEIGHTS`` of them.
        chunk: way points at once.
        hidden: width.
    """

    def __init__(self, heights: Sequence[float], chunk: int, hidden: int):
        super().__init__()
        self.hidden1 = nn.Linear(FEATURES, hidden)
        self.hidden2, self.hidden3 = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, chunk * (8 + HEIGHTS))
        self.heights = nn.Parameter(torch.tensor(heights, dtype=torch.float32))

    def forward(self, x: Tensor, here: Tensor, stone: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
        """Commanded targets float[N, chunk, 3] in R (m), and logits of the opening float[N, chunk].

        Args:
            x: float[N, FEATURES].
            here: float[N, 3], the commanded target now (m).
            stone, goal: float[N, 2] (m).
        """
        for layer in (self.hidden1, self.hidden2, self.hidden3):
            x = functional.relu(layer(x))
        out = self.out(x).unflatten(1, (-1, 8 + HEIGHTS))
        spots = torch.stack([here[:, :2], stone, goal], 1)
        heights = torch.cat([here[:, 2:], self.heights.expand(len(here), HEIGHTS)], 1)
        axes = [
            (out[..., 3 * axis : 3 * axis + 3].softmax(2) * spots[:, None, :, axis]).sum(2) for axis in (0, 1)
        ]
        z = (out[..., 6 : 7 + HEIGHTS].softmax(2) * heights[:, None]).sum(2)
        return torch.stack([*axes, z], 2), out[..., 7 + HEIGHTS]
