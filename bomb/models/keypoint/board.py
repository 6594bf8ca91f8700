"""Where the board is believed to be: roughly from the head camera, exactly from what the wrist camera saw.

An intersection that the wrist camera sees may be any of the 25: the lattice fits one pitch farther, too. So
what was seen so far is fitted anew with every look, from many places around the one that the head camera
says. What tells them apart is how far they are from there, intersections beside the grid, and corners.
"""

from typing import overload

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.eye import Detections
from bomb.models.keypoint.format import CORNERS, LINES, PITCH, intersections
from bomb.models.keypoint.geometry import board_pose, on_board, refined_board

HEAD_ERROR = 0.009  # m, standard deviation of the board's place as the head camera shows it
WRIST_ERROR, WRIST_PER_METRE = 0.0007, 0.02  # m; and m per metre of height over the table
LEAST_SHARE = 0.6  # of the error of one look: it is the same in the next, and does not average out
REACH = 0.075  # m around the tool: there the wrist camera sees well enough
HIGHEST = 0.17  # m over the table: from above it the wrist camera says nothing new
CORNER_MAPS = ("corner_00", "corner_01", "corner_10", "corner_11")
SURE_CORNER = 0.5  # heat
MOST_POINTS = 60  # that are remembered, the newest
LOST = 3.0  # standard deviations: an intersection farther from all is seen beside the grid
SHIFTS = np.array([(x, y) for x in range(-3, 4) for y in range(-3, 4)]) * 0.009  # m
TURNS = (-0.06, -0.03, 0.0, 0.03, 0.06)  # rad
TRIED = 6  # beginnings that are followed to their end


def wrist_error(height: float) -> float:
    """Standard deviation (m) of a point near the tool that the wrist camera shows from ``height`` (m)."""
    return WRIST_ERROR + WRIST_PER_METRE * max(0.0, height)


class Board:
    """Where the board is believed to be.

    Attributes:
        pose: float64[2, 3], from (x_B, y_B, 1) to x and y of R; None before it was seen.
        errors: float64[25], how far each intersection may be off (m).
    """

    def __init__(self) -> None:
        self.pose: npt.NDArray[np.float64] | None = None
        self.errors = np.full(LINES * LINES, np.inf)
        self._from_head: list[npt.NDArray[np.float64]] = []  # float64[25, 2] of each look
        self._points, self._sigmas = np.zeros((0, 2)), np.zeros(0)
        self._corners: list[tuple[int, npt.NDArray[np.float64], float]] = []

    def point(self, row: int, column: int) -> npt.NDArray[np.float64]:
        """An intersection, x and y in R (m).

        Raises:
            ValueError: before the board was seen.
        """
        if self.pose is None:
            raise ValueError("the board has not been seen")
        return on_board(self.pose, intersections()[row * LINES + column])

    def error(self, row: int, column: int) -> float:
        """How far that may be off (m)."""
        return float(self.errors[row * LINES + column])

    def around(self, points: npt.NDArray[np.float64], margin: float) -> npt.NDArray[np.bool_]:
        """Which points float64[P, 2] of R lie over the grid or within ``margin`` (m) of it, bool[P]."""
        if self.pose is None or not len(points):
            return np.zeros(len(points), dtype=bool)
        p_B = (points - self.pose[:, 2]) @ self.pose[:, :2]
        farther: npt.NDArray[np.float64] = np.abs(p_B).max(1)
        return farther < (LINES - 1) / 2 * PITCH + margin

    def saw_from_head(self, seen: Detections) -> None:
        """Takes up a look of the head camera."""
        corners = [
            (index, seen.points[name][0], seen.heats[name][0])
            for index, name in zip(CORNERS, CORNER_MAPS, strict=True)
            if len(seen.points[name])
        ]
        if len(corners) < 2:
            return
        indices, places, heats = zip(*corners, strict=True)
        pose = board_pose(intersections()[list(indices)], np.array(places), np.array(heats))
        pose, _, _ = refined_board(pose, seen.points["intersection"], seen.heats["intersection"])
        self._from_head.append(on_board(pose, intersections()))
        self._fit()

    def saw_from_wrist(self, seen: Detections, tool: npt.NDArray[np.float64]) -> None:
        """Takes up what the wrist camera shows near the tool."""
        if not self._from_head or tool[2] > HIGHEST:
            return
        error = wrist_error(float(tool[2]))
        near = _near(seen.points["intersection"], tool)
        points = seen.points["intersection"][near]
        self._points = np.concatenate([self._points, points])[-MOST_POINTS:]
        self._sigmas = np.concatenate([self._sigmas, np.full(len(points), error)])[-MOST_POINTS:]
        for index, name in zip(CORNERS, CORNER_MAPS, strict=True):
            good = _near(seen.points[name], tool) & (seen.heats[name] > SURE_CORNER)
            if good.any():
                self._corners.append((index, seen.points[name][good][0], 2 * error))
        self._fit()

    def _fit(self) -> None:
        grid = intersections()
        prior = np.mean(self._from_head, axis=0)
        rough = board_pose(grid, prior, np.ones(len(grid)))
        self.errors = np.full(len(grid), HEAD_ERROR)
        if not len(self._points) and not self._corners:
            self.pose = rough
            return
        starts = [_moved(rough, shift, turn) for turn in TURNS for shift in SHIFTS]
        starts.sort(key=lambda pose: self._cost(pose, prior))
        ends = [self._settled(pose, prior) for pose in starts[:TRIED]]
        self.pose = min(ends, key=lambda pose: self._cost(pose, prior))
        matched, good = self._matches(self.pose)
        for node, sigma in zip(matched[good], self._sigmas[good], strict=True):
            beside = np.linalg.norm(grid - grid[node], axis=1) / PITCH
            self.errors = np.minimum(self.errors, LEAST_SHARE * sigma * (1 + 0.7 * beside))

    def _matches(self, pose: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """The nearest intersection of each point, int64[P], and whether it is near enough, bool[P]."""
        if not len(self._points):
            return np.zeros(0, dtype=int), np.zeros(0, dtype=bool)
        away = np.linalg.norm(self._points[:, None] - on_board(pose, intersections())[None], axis=2)
        return away.argmin(1), away.min(1) < LOST * _soft(self._sigmas)

    def _settled(
        self, pose: npt.NDArray[np.float64], prior: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """The pose near ``pose`` that fits best: weighted least squares, matched anew three times."""
        grid, old = intersections(), list(CORNERS)
        marks = [index for index, _, _ in self._corners]
        for _ in range(3):
            matched, good = self._matches(pose)
            nodes = np.concatenate([matched[good], marks, old]).astype(int)
            places = np.concatenate(
                [self._points[good], *(place[None] for _, place, _ in self._corners), prior[old]]
            )
            sure = np.concatenate(
                [
                    self._sigmas[good] ** -2.0,
                    [sigma**-2.0 for _, _, sigma in self._corners],
                    np.full(len(old), HEAD_ERROR**-2.0 / 2),
                ]
            )
            pose = board_pose(grid[nodes], places, sure)
        return pose

    def _cost(self, pose: npt.NDArray[np.float64], prior: npt.NDArray[np.float64]) -> float:
        nodes = on_board(pose, intersections())
        cost = 2 * float(((nodes - prior) ** 2).sum(1).mean()) / HEAD_ERROR**2
        if len(self._points):
            away = np.linalg.norm(self._points[:, None] - nodes[None], axis=2).min(1)
            cost += float(np.minimum((away / _soft(self._sigmas)) ** 2, LOST**2).sum())
        for index, place, sigma in self._corners:
            cost += min(float(((nodes[index] - place) ** 2).sum()) / _soft(sigma) ** 2, 4 * LOST**2)
        return cost


@overload
def _soft(sigma: float) -> float: ...
@overload
def _soft(sigma: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]: ...
def _soft(sigma: float | npt.NDArray[np.float64]) -> float | npt.NDArray[np.float64]:
    """How far a point may be off while it is not known which one it is."""
    return np.sqrt(np.square(sigma) + 0.003**2)


def _near(points: npt.NDArray[np.float64], tool: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    away: npt.NDArray[np.float64] = np.linalg.norm(points - tool[:2], axis=1)
    return away < REACH


def _moved(
    pose: npt.NDArray[np.float64], shift: npt.NDArray[np.float64], turn: float
) -> npt.NDArray[np.float64]:
    """The board turned about its middle and shifted."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.column_stack([rotation @ pose[:, :2], pose[:, 2] + shift])
