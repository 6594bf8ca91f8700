"""The expert's eyes: a move in the robot's base frame R, where its stones are and where they belong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from core.board.goals import Goal, Intersection, Region, alternatives
from core.board.layout import intersection_pose
from core.control.actions import Coordinates
from core.world.rotations import Pose, compose, inverse, matrix_from_quaternion
from core.world.scene import SceneSpec
from core.world.state import SceneState

TRAVEL_HEIGHT = 0.075  # above the table: stones on the board pass 40 mm below the carried one
FINGER = 0.0152  # thickness of a finger at the pad (m, URDF)
LEAST_OPENING = 0.58  # 14 mm from the middle to each pad: 3 mm of room around a stone
PLACED = 0.006  # m, from its place: the expert leaves a stone that is as near as this
ROOM = (
    0.058,
    0.042,
)  # m, along x and y of W, from one stone in a region to the next, so that the fingers fit
INSIDE = 0.004  # m, from the edge of a stone to that of the region


Vector: TypeAlias = npt.NDArray[np.float64]  # float64[3] in R (m), unless it says otherwise


@dataclass(frozen=True, kw_only=True, eq=False)
class Transfer:
    """One stone of the pool, and the point of the surface it belongs on, float64[3] in R (m)."""

    stone: int
    place: Vector


def into_base(scene: SceneSpec) -> Callable[[Coordinates], Vector]:
    """What takes points of W (m) to points of R, float64[3] (m)."""
    R_RW = matrix_from_quaternion(inverse(scene.robot.X_WR).q)
    p_WR = np.asarray(scene.robot.X_WR.p)
    return lambda p_W: R_RW @ (np.asarray(p_W, dtype=np.float64) - p_WR)


class World:
    """A move as it stands when it begins.

    Args:
        scene, goal: of the move.
        start: how everything stands.
        board_stones: whether it is done with stones of the board, where the goal names none; else with those
            of the table.

    Attributes:
        travel: height for moving about (m, in R).
        half_height: of a stone (m).
    """

    def __init__(self, scene: SceneSpec, goal: Goal, start: SceneState, *, board_stones: bool = False):
        board = scene.board
        self._to_base = into_base(scene)
        self._scene, self._goals = scene, alternatives(goal)
        self.travel = scene.table.height - scene.robot.X_WR.p[2] + TRAVEL_HEIGHT
        self.half_height = scene.stones[0].height / 2
        self._board_middle = self._to_base(board.X_WB.p)
        # Along the axes of R, however the board lies.
        self._board_half = float(abs(matrix_from_quaternion(board.X_WB.q)[0, :2]).sum()) * board.width / 2
        self._board_stones = board_stones
        self._widest = scene.robot.max_finger_position
        self._named = {single: self._stones_for(single, start) for single in self._goals}

    def stone(self, state: SceneState, index: int) -> Vector:
        """Where stone ``index`` of the pool is, float64[3] in R (m)."""
        row = int(np.searchsorted(state.stone_ids, index))
        return self._to_base(state.stone_poses[row, :3])

    def opening_at(self, p: Vector) -> float:
        """How far to open over a stone at ``p`` so that no finger comes down on the board's edge, 0..1.

        Stones are laid out where the open gripper fits; one that was dropped may lie closer.
        """
        offset = abs(p - self._board_middle)
        if offset[0] > self._board_half + FINGER or offset[1] < self._board_half:
            return 1.0
        room = offset[1] - self._board_half - FINGER - 0.001
        return float(np.clip(room / self._widest, LEAST_OPENING, 1.0))

    @cached_property
    def lattice(self) -> list[Vector]:
        """The board's intersections and what lies midway between them, each float64[3] in R (m)."""
        board = self._scene.board
        halves = [k * board.pitch / 2 for k in range(1 - board.size, board.size)]
        return [
            self._to_base(compose(board.X_WB, Pose((x, y, 0.0), (1.0, 0.0, 0.0, 0.0))).p)
            for x in halves
            for y in halves
        ]

    def choose(self, state: SceneState, tool: Vector) -> Transfer | None:
        """What to do next: nothing if a goal is fulfilled, else the nearest stone for the first goal.

        Stones that were on the board when the move began are part of the game and are left alone, unless
        the goal names one of them.
        """
        return next(self.transfers(state, tool), None)

    def transfers(self, state: SceneState, near: Vector | None = None) -> Iterator[Transfer]:
        """All that would do, by goal; of each the stone first that is nearest to ``near`` (m, in R).

        Nothing where a goal is fulfilled.
        """
        if any(self._fulfilled(single, state) for single in self._goals):
            return
        for single in self._goals:
            stones = self._named[single]
            if near is not None:
                stones = sorted(stones, key=lambda k: float(np.hypot(*(self.stone(state, k) - near)[:2])))
            for stone in stones:
                yield Transfer(stone=stone, place=self._place(single, state, stone))

    def _stones_for(self, goal: Intersection | Region, start: SceneState) -> list[int]:
        """Pool indices of the stones that may be used."""
        colored = [int(k) for k in start.stone_ids if self._scene.stones[k].color == goal.color]
        if goal.source is None:
            lowest_on_board = self._scene.table.height + 1.5 * self.half_height
            heights = dict(zip(start.stone_ids.tolist(), start.stone_poses[:, 2].tolist(), strict=True))
            return [k for k in colored if (heights[k] > lowest_on_board) == self._board_stones]
        source = self._to_base(intersection_pose(self._scene, goal.source).p)
        return [min(colored, key=lambda k: float(np.linalg.norm(self.stone(start, k) - source)))]

    def _fulfilled(self, goal: Intersection | Region, state: SceneState) -> bool:
        points = [self.stone(state, index) for index in self._named[goal]]
        if isinstance(goal, Region):
            center, half = self._region(goal)
            inner = half - self._scene.stones[0].radius
            return any((abs(p - center)[:2] <= inner).all() and p[2] < center[2] + 0.006 for p in points)
        place = self._place(goal, state, -1)
        return any(
            float(np.hypot(*(p - place)[:2])) < PLACED and abs(p[2] - place[2] - self.half_height) < 0.001
            for p in points
        )

    def _place(self, goal: Intersection | Region, state: SceneState, stone: int) -> Vector:
        if isinstance(goal, Intersection):
            p = self._to_base(intersection_pose(self._scene, (goal.row, goal.column)).p)
            p[2] -= self.half_height
            return p
        return self._free_spot(goal, state, stone)

    def _region(self, goal: Region) -> tuple[Vector, Vector]:
        """Middle on the table's surface, and half edges along the axes of R: W's, turned by 90 degrees."""
        center = self._to_base([*goal.center, self._scene.table.height])
        return center, np.array([goal.half_size[1], goal.half_size[0]])

    def _free_spot(self, goal: Region, state: SceneState, stone: int) -> Vector:
        """The roomiest spot of a grid in the region; of those with room enough the nearest to its middle."""
        center, half = self._region(goal)
        room = np.array(ROOM[::-1])
        inner = np.maximum(half - self._scene.stones[0].radius - INSIDE, 0.0)
        counts = np.floor(2 * inner / room + 1e-6).astype(int) + 1
        others = [self.stone(state, int(k)) for k in state.stone_ids if int(k) != stone]
        spots = [
            center + [x, y, 0.0]
            for x in np.linspace(-1, 1, counts[0]) * inner[0] * (counts[0] > 1)
            for y in np.linspace(-1, 1, counts[1]) * inner[1] * (counts[1] > 1)
        ]

        def crowding(spot: Vector) -> tuple[bool, float]:
            margin = min((float((abs(p - spot)[:2] / room).max()) for p in others), default=2.0)
            return margin < 1.0, float(np.linalg.norm(spot - center)) if margin >= 1.0 else -margin

        return min(spots, key=crowding)
