"""What ``small`` remembers from one look to the next: estimates in metres, and what the gripper did."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.models.keypoint.format import LINES, REFERENCES

HALF = 0.5  # a commanded opening below this asks for a closed gripper
LONG = 30.0  # actions: longer ago is all the same


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeMemory:
    """Of N episodes, floats [N, ...]; information is in 1 / cm^2, places are x and y of R in metres.

    Attributes:
        looks: [N, 1], how many there were.
        head, wrist: [N, 2 P], means over looks of where the cameras' reference points are seen.
        board: [N, 4], turn (cosine, sine) and middle of the board.
        board_head: [N, 4], the same from the head camera alone, a mean over looks.
        heads: [N, 1], how many looks that is the mean of.
        nodes: [N, 25], information on each intersection from the wrist camera.
        stone, stone_known: [N, 2] and [N, 1], the stone that is gone for, and the information on it.
        commanded: [N, 4], the commanded target and opening.
        since: [N, 1], actions since the commanded opening changed.
        holds, released: [N, 1], 1 where a stone is in the hand, and where one was let go.
    """

    looks: Tensor
    head: Tensor
    wrist: Tensor
    board: Tensor
    board_head: Tensor
    heads: Tensor
    nodes: Tensor
    stone: Tensor
    stone_known: Tensor
    commanded: Tensor
    since: Tensor
    holds: Tensor
    released: Tensor

    @classmethod
    def widths(cls) -> dict[str, int]:
        """Numbers of each entry."""
        references = {camera: 2 * len(points) for camera, points in REFERENCES.items()}
        known = {"board": 4, "board_head": 4, "nodes": LINES**2, "stone": 2, "commanded": 4, **references}
        return {entry.name: known.get(entry.name, 1) for entry in fields(cls)}

    @classmethod
    def unpacked(cls, rows: Tensor) -> "EpisodeMemory":
        """From float[N, numbers]."""
        return cls(**dict(zip(cls.widths(), rows.split(list(cls.widths().values()), 1), strict=True)))

    def packed(self) -> Tensor:
        """float[N, numbers]."""
        return torch.cat([getattr(self, name) for name in self.widths()], 1)


def beginning(state: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The memory of an episode that begins, float32[numbers].

    Args:
        state: proprioception, float[4].
    """
    made = []
    for name, width in EpisodeMemory.widths().items():
        entry = np.zeros(width, dtype=np.float32)
        if name == "commanded":
            entry[:] = [*state[:3], 1.0]
        elif name == "since":
            entry[:] = LONG
        elif name in ("board", "board_head"):
            entry[0] = 1.0
        made.append(entry)
    return np.concatenate(made)
