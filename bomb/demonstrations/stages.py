"""Which stage of its work a demonstration is in: approach, grasp, lift, carry, place, release.

Told from the recorded states and actions alone, move by move, for the attempt that moved the stone last;
what came before it is approach.
"""

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration

STAGES = ("approach", "grasp", "lift", "carry", "place", "release")
CLOSED = 0.05  # a commanded opening below this asks for a closed gripper
RISEN = 0.002  # m above where the stone lay: it is lifted
HIGH = 0.9  # share of the greatest height from which a stone is carried, not lifted or placed


def stages_of(demonstration: Demonstration) -> npt.NDArray[np.int8]:
    """The stage before each action, int8[T], as indices of ``STAGES``.

    A move whose stone never rises is all approach.
    """
    stages = np.zeros(demonstration.length, dtype=np.int8)
    for move in np.unique(demonstration.instruction_index):
        rows = np.flatnonzero(demonstration.instruction_index == move)
        stages[rows] = _of_move(demonstration, rows)
    return stages


def _of_move(demonstration: Demonstration, rows: np.ndarray) -> np.ndarray:
    result = np.zeros(len(rows), dtype=np.int8)
    places = demonstration.stones[rows, :, :3].astype(np.float64)
    there = demonstration.first_rows <= rows[0]
    if not there.any():
        return result
    height = np.where(there, places[..., 2] - places[:1, :, 2], -np.inf)
    stone = int(height.max(0).argmax())
    height = height[:, stone]
    up = height > RISEN
    if not up.any():
        return result
    last = int(np.flatnonzero(up)[-1])
    lifted = last
    while lifted > 0 and up[lifted - 1]:
        lifted -= 1
    closed = demonstration.actions[rows, 3] < CLOSED
    grasp = lifted
    while grasp > 0 and closed[grasp - 1]:
        grasp -= 1
    high = lifted + np.flatnonzero(height[lifted : last + 1] >= HIGH * height[lifted : last + 1].max())
    opened = np.flatnonzero(~closed[high[-1] :])
    release = high[-1] + int(opened[0]) if len(opened) else len(rows)
    for name, first in (("grasp", grasp), ("lift", lifted), ("carry", high[0]), ("place", high[-1] + 1)):
        result[first:] = STAGES.index(name)
    result[release:] = STAGES.index("release")
    return result
