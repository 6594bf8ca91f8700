"""What is believed of stone and board, in metres, and how each look changes it.

One look of the head camera is off by several millimetres, and by the same ones in the next look: what it says
sets out the rough places. The wrist camera is near, and what it sees near the tool settles them.
"""

from dataclasses import dataclass

import numpy as np

from bomb.models.keypoint.eye import Seen
from bomb.models.keypoint.format import CORNERS, LINES, PITCH, intersections
from bomb.models.keypoint.geometry import board_pose, on_board, refined_board

HEAD_ERROR = 0.006  # m, standard deviation of a point that the head camera shows
WRIST_ERROR, WRIST_PER_METRE = 0.0007, 0.02  # m; and m per metre of height over the table
LEAST_SHARE = 0.6  # of the error of one look: it is the same in the next, and does not average out
STONE_REACH = 0.035  # m: a stone this near to where one is believed is the same one
WRIST_STONE_REACH, WRIST_BOARD_REACH = 0.055, 0.075  # m around the tool
BESIDE_BOARD = 0.012  # m beyond the outer lines' half pitch: a stone farther out lies on the table
PRIOR_POINTS = 4


def wrist_error(height: float) -> float:
    """Standard deviation (m) of a point near the tool that the wrist camera shows from ``height`` (m)."""
    return WRIST_ERROR + WRIST_PER_METRE * max(0.0, height)


@dataclass
class Spot:
    """A point that is believed in: x and y in R, and a standard deviation (m)."""

    place: np.ndarray
    error: float

    def update(self, place: np.ndarray, error: float) -> None:
        """Takes up what a look says, as a Kalman filter would, but never surer than ``LEAST_SHARE`` of it."""
        share = self.error**2 / (self.error**2 + error**2)
        self.place = self.place + share * (place - self.place)
        self.error = max(self.error * np.sqrt(1 - share), min(self.error, LEAST_SHARE * error))


class Board:
    """Where the board is believed to be.

    Attributes:
        pose: float64[2, 3], from (x_B, y_B, 1) to x and y of R; None before it was seen.
        errors: float64[25], how far each intersection may be off (m).
    """

    def __init__(self) -> None:
        self.pose: np.ndarray | None = None
        self.errors = np.full(LINES * LINES, np.inf)

    def point(self, row: int, column: int) -> np.ndarray:
        """An intersection, x and y in R (m)."""
        if self.pose is None:
            raise ValueError("the board has not been seen")
        return on_board(self.pose, intersections()[row * LINES + column])

    def error(self, row: int, column: int) -> float:
        """How far that may be off (m)."""
        return float(self.errors[row * LINES + column])

    def around(self, points: np.ndarray) -> np.ndarray:
        """Which points float64[P, 2] of R lie over the grid, bool[P]."""
        if self.pose is None or not len(points):
            return np.zeros(len(points), dtype=bool)
        p_B = (points - self.pose[:, 2]) @ self.pose[:, :2]
        return np.abs(p_B).max(1) < (LINES - 1) / 2 * PITCH + BESIDE_BOARD

    def saw_from_head(self, seen: Seen) -> None:
        """Takes up a look of the head camera."""
        corners = [
            (index, seen.points[name][0], seen.heats[name][0])
            for index, name in zip(CORNERS, ("corner_00", "corner_01", "corner_10", "corner_11"), strict=True)
            if len(seen.points[name])
        ]
        if len(corners) < 2:
            return
        indices = [index for index, _, _ in corners]
        pose = board_pose(
            intersections()[indices], np.array([p for _, p, _ in corners]), np.array([h for *_, h in corners])
        )
        pose, count, _ = refined_board(pose, seen.points["intersection"], seen.heats["intersection"])
        error = HEAD_ERROR if count >= 6 else 2 * HEAD_ERROR
        if self.pose is None:
            self.pose, self.errors = pose, np.full(LINES * LINES, error)
            return
        share = np.mean(self.errors**2) / (np.mean(self.errors**2) + error**2)
        if np.min(self.errors) >= LEAST_SHARE * HEAD_ERROR:  # the wrist camera has said nothing yet
            grid = intersections()
            both = (1 - share) * on_board(self.pose, grid) + share * on_board(pose, grid)
            self.pose = board_pose(grid, both, np.ones(len(grid)))
            self.errors = np.maximum(self.errors * np.sqrt(1 - share), LEAST_SHARE * error)

    def saw_from_wrist(self, seen: Seen, tool: np.ndarray) -> None:
        """Takes up intersections that the wrist camera shows near the tool.

        The board moves rigidly: what it was believed to be counts as four points, as sure as they are.
        """
        points, heats = seen.points["intersection"], seen.heats["intersection"]
        near = np.linalg.norm(points - tool[:2], axis=1) < WRIST_BOARD_REACH if len(points) else []
        if self.pose is None or not np.any(near):
            return
        grid, pose = intersections(), self.pose
        error = wrist_error(float(tool[2]))
        for reach in (0.45 * PITCH, 0.25 * PITCH, 0.25 * PITCH):
            nodes = on_board(pose, grid)
            away = np.linalg.norm(points[near][:, None] - nodes[None], axis=2)
            match, good = away.argmin(1), away.min(1) < reach
            if not good.any():
                return
            met = match[good]
            old = np.array(CORNERS)
            places = np.concatenate([points[near][good], on_board(self.pose, grid)[old]])
            weights = np.concatenate([heats[near][good] / error**2, self.errors[old] ** -2 / 2])
            pose = board_pose(np.concatenate([grid[met], grid[old]]), places, weights)
        self.pose = pose
        for index in range(len(grid)):
            beside = float(np.linalg.norm(grid[met] - grid[index], axis=1).min()) / PITCH
            sure = error * (1 + 0.7 * beside)
            self.errors[index] = min(self.errors[index], max(LEAST_SHARE * sure, 1e-4))


def nearest_spot(points: np.ndarray, to: np.ndarray, reach: float) -> int | None:
    """Which point of float64[P, 2] is nearest to ``to``, within ``reach`` (m); None if there is none."""
    if not len(points):
        return None
    away = np.linalg.norm(points - to, axis=1)
    best = int(away.argmin())
    return best if away[best] < reach else None
