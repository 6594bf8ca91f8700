"""What a demonstration shows, move by move and row by row: answers for those who learn to see.

All of it is told from recorded states. Positions are in the robot's base frame R (m).
"""

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration
from core.world.rotations import matrix_from_quaternion
from core.world.scene import SceneSpec

MOVED = 0.005  # m; a stone that no move brings farther was not the one that it was about


def stones_of_moves(demonstration: Demonstration) -> npt.NDArray[np.int64]:
    """The stone that each move takes, int64[moves], as its pool index; -1 where none was moved.

    It is the one that rose highest in the move, or where none was lifted, the one that was pushed farthest.
    """
    made = np.full(len(demonstration.instructions), -1, dtype=np.int64)
    for move in np.unique(demonstration.instruction_index):
        rows = np.flatnonzero(demonstration.instruction_index == move)
        rows = np.append(rows, rows[-1] + 1)  # where its last action led
        there = demonstration.first_rows <= rows[0]
        if not there.any():
            continue
        ways = demonstration.stones[rows, :, :3].astype(np.float64)
        ways = ways - ways[:1]
        risen, far = ways[..., 2].max(0), np.linalg.norm(ways[..., :2], axis=-1).max(0)
        for moved in (risen, far):
            best = int(np.where(there, moved, -np.inf).argmax())
            if moved[best] > MOVED:
                made[move] = demonstration.stone_ids[best]
                break
    return made


def in_base(scene: SceneSpec, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Points of W, float[..., 3], in the robot's base frame, float64[..., 3]."""
    X_WR = scene.robot.X_WR
    away = np.asarray(points, dtype=np.float64) - np.asarray(X_WR.p)
    p_R: npt.NDArray[np.float64] = away @ matrix_from_quaternion(X_WR.q)
    return p_R


def board_corners(scene: SceneSpec) -> npt.NDArray[np.float64]:
    """The four outermost intersections in R, float64[4, 3]: top left, top right, bottom right, bottom left,
    as the ``head`` picture shows them.
    """
    last = scene.board.size - 1
    places = [scene.board.point(row, column) for row, column in ((0, 0), (0, last), (last, last), (last, 0))]
    board = scene.board.X_WB
    p_B = np.array([[*place, 0.0] for place in places])
    return in_base(scene, p_B @ matrix_from_quaternion(board.q).T + np.asarray(board.p))
