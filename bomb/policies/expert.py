"""The scripted expert: it knows the truth, watches what happens, and tries again when it drops a stone.

One attempt is a list of stages, each a place to go to and a condition to go on. Between stages it
looks at the stone: lost on the way up or on the way over, it begins again with whichever stone of the
colour is nearest. Heights are those of the tool centre point, which is also the middle of the pads.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.actions import ActionSpec
from core.policy import Policy
from core.rotations import inverse, matrix_from_quaternion
from core.scene import SceneSpec
from core.state import SceneState
from core.task import Episode

# The pads' lower edge is 9.5 mm below the tool centre point (URDF), so with the tool 7 mm above the
# stone's middle it clears the surface by 1.5 mm while the pads cover the stone's rim.
GRASP_ABOVE_MIDDLE = 0.007
TRAVEL_HEIGHT = 0.075  # above the table: stones on the board pass 40 mm below the carried one
SLOW_HEIGHT = 0.020  # the last stretch down is done at a third of the speed
RELEASE_GAP = 0.0005  # the stone is let go this far above the board
FINGER = 0.0152  # thickness of a finger at the pad (m, URDF)
LEAST_OPENING = 0.58  # 14 mm from the middle to each pad: 3 mm of room around a stone
LOST = 0.015  # a carried stone farther than this from the tool has been dropped
TOUCHING = 1e-4  # the commanded target counts as reached within this (m)


@dataclass(frozen=True, kw_only=True)
class Command:
    """Where the tool goes next (float64[3], m, in R), with which opening, at which share of full speed."""

    target: np.ndarray
    opening: float
    speed: float = 1.0


class Expert(Policy):
    """Places the nearest stone of the named colour on the named intersection."""

    privileged = True

    def reset(
        self,
        instruction: str,
        seed: int,
        *,
        episode: Episode | None = None,
        action_spec: ActionSpec | None = None,
    ) -> None:
        """Begins an episode; the expert needs the episode and what actions mean, not the words."""
        if episode is None or action_spec is None:
            raise TypeError("the expert is privileged: reset it with episode= and action_spec=")
        self._world = World(episode)
        self._spec = action_spec
        # Actions that arrive late are waited for.
        self._late = episode.perturbation.get("action_latency", {}).get("steps", 0)
        self._commanded: np.ndarray | None = None
        self._plan = self._play()
        self._state: SceneState | None = None

    def act(self, observation: dict, truth: SceneState | None = None) -> np.ndarray:
        """One action, float32[1, 4]."""
        if truth is None:
            raise TypeError("the expert is privileged: call act(observation, truth=SceneState)")
        self._state = truth
        if self._commanded is None:
            self._commanded = np.asarray(observation["state"][:3], dtype=np.float64)
        self._tool = np.asarray(observation["state"][:3], dtype=np.float64)
        command = next(self._plan)
        target = command.target
        if command.speed < 1.0:
            step = target - self._commanded
            limit = command.speed * self._spec.max_step
            target = self._commanded + step * min(1.0, limit / max(abs(step).max(), 1e-12))
        action = self._spec.towards(self._commanded, target, command.opening)
        self._commanded = np.array(self._spec.advance(self._commanded, action))
        return action[None]

    # ---- the plan ---------------------------------------------------------------------------

    def _play(self) -> Iterator[Command]:
        """Attempts until the stone stands, then stays away from it."""
        while True:
            stone = self._world.choose(self._state, self._tool)
            if stone is None:
                yield from self._retreat()
                continue
            yield from self._attempt(stone)

    def _attempt(self, stone: int) -> Iterator[Command]:
        world = self._world
        yield from self._rise(1.0)
        above = world.stone(self._state, stone)
        above[2] = world.travel
        yield from self._go(above, 1.0)
        grasp = world.stone(self._state, stone) + [0, 0, GRASP_ABOVE_MIDDLE]
        yield from self._descend(grasp, world.opening_at(grasp))
        yield from self._wait(grasp, 0.0, seconds=0.3)
        if not self._holds(stone):
            return
        yield from self._lift(stone)
        if not self._holds(stone):
            return
        # Along the robot's x first, at the side of the board, then across: so the arm stays behind the
        # goal and the head camera sees it.
        goal = world.goal.copy()
        goal[2] = world.travel
        yield from self._carry([goal[0], self._commanded[1], goal[2]], stone)
        yield from self._carry(goal, stone)
        if not self._holds(stone):
            return
        # The stone rarely sits exactly between the pads: bring the stone, not the tool, over the goal.
        release = world.goal + (self._tool - world.stone(self._state, stone))
        release[2] += world.half_height + RELEASE_GAP
        yield from self._carry([release[0], release[1], world.travel], stone)
        yield from self._descend(release, 0.0)
        release[:2] += world.goal[:2] - world.stone(self._state, stone)[:2]
        yield from self._wait(release, 0.0, seconds=0.15)
        yield from self._wait(release, 1.0, seconds=0.3)
        yield from self._retreat()

    def _retreat(self) -> Iterator[Command]:
        """Straight up, then wait for half a second with the gripper open."""
        yield from self._rise(1.0)
        yield from self._wait(self._commanded, 1.0, seconds=0.5)

    def _rise(self, opening: float) -> Iterator[Command]:
        up = np.array([*self._commanded[:2], max(self._commanded[2], self._world.travel)])
        yield from self._go(up, opening)

    def _lift(self, stone: int) -> Iterator[Command]:
        yield from self._carry([*self._commanded[:2], self._world.travel], stone)

    def _descend(self, target: np.ndarray, opening: float) -> Iterator[Command]:
        yield from self._go(target + [0, 0, SLOW_HEIGHT], opening)
        yield from self._go(target, opening, speed=0.34)
        yield from self._wait(target, opening, seconds=0.1)

    def _carry(self, target, stone: int) -> Iterator[Command]:
        """Goes with a stone in hand; stops going when it is lost."""
        target = np.asarray(target, dtype=np.float64)
        while self._far(target) and self._holds(stone):
            yield Command(target=target, opening=0.0)

    def _go(self, target: np.ndarray, opening: float, speed: float = 1.0) -> Iterator[Command]:
        while self._far(target):
            yield Command(target=target, opening=opening, speed=speed)

    def _wait(self, target: np.ndarray, opening: float, *, seconds: float) -> Iterator[Command]:
        for _ in range(round(seconds * self._spec.control_hz) + self._late):
            yield Command(target=target, opening=opening)

    def _far(self, target: np.ndarray) -> bool:
        reachable = self._spec.clip(target)
        return float(abs(reachable - self._commanded).max()) > TOUCHING

    def _holds(self, stone: int) -> bool:
        """Whether the stone is between the pads."""
        offset = self._world.stone(self._state, stone) - self._tool
        return bool(abs(offset[:2]).max() < LOST and abs(offset[2]) < LOST)


class World:
    """The episode in the robot's base frame R: where stones and the goal are.

    Attributes:
        goal: float64[3], the goal's intersection on the board's surface.
        travel: height for moving about (m).
        half_height: of a stone (m).
    """

    def __init__(self, episode: Episode):
        scene: SceneSpec = episode.scene
        board, goal = scene.board, episode.goal
        self._R_RW = matrix_from_quaternion(inverse(scene.robot.X_WR).q)
        self._p_WR = np.asarray(scene.robot.X_WR.p)
        middle = (board.size - 1) / 2
        p_BG = np.array([(goal.column - middle) * board.pitch, (middle - goal.row) * board.pitch, 0.0])
        self.goal = self._to_base(matrix_from_quaternion(board.X_WB.q) @ p_BG + np.asarray(board.X_WB.p))
        self.travel = scene.table.height - self._p_WR[2] + TRAVEL_HEIGHT
        self.half_height = scene.stones[0].height / 2
        self._board_middle = self._to_base(board.X_WB.p)
        # Along the axes of R, however the board lies.
        self._board_half = float(abs(matrix_from_quaternion(board.X_WB.q)[0, :2]).sum()) * board.width / 2
        self._widest = scene.robot.max_finger_position
        self._colored = {k for k, stone in enumerate(scene.stones) if stone.color == goal.color}
        start = episode.state
        self._on_board = {
            int(k)
            for k, pose in zip(start.stone_ids, start.stone_poses, strict=True)
            if pose[2] > scene.table.height + 1.5 * self.half_height
        }

    def _to_base(self, p_W: np.ndarray) -> np.ndarray:
        return self._R_RW @ (np.asarray(p_W, dtype=np.float64) - self._p_WR)

    def stone(self, state: SceneState, index: int) -> np.ndarray:
        """Where stone ``index`` of the pool is, float64[3] in R (m)."""
        row = int(np.searchsorted(state.stone_ids, index))
        return self._to_base(state.stone_poses[row, :3])

    def opening_at(self, p: np.ndarray) -> float:
        """How far to open over a stone at ``p`` so that no finger comes down on the board's edge, 0..1.

        Stones are laid out where the open gripper fits; one that was dropped may lie closer.
        """
        offset = abs(p - self._board_middle)
        if offset[0] > self._board_half + FINGER or offset[1] < self._board_half:
            return 1.0
        room = offset[1] - self._board_half - FINGER - 0.001
        return float(np.clip(room / self._widest, LEAST_OPENING, 1.0))

    def choose(self, state: SceneState, tool: np.ndarray) -> int | None:
        """The stone to place next: None if one stands on the goal, else the nearest to the tool.

        Stones that were on the board at the start are part of the game and are left alone.
        """
        candidates = []
        for index in sorted(self._colored & {int(k) for k in state.stone_ids} - self._on_board):
            p = self.stone(state, index)
            above = p[2] - self.goal[2] - self.half_height
            if float(np.hypot(*(p[:2] - self.goal[:2]))) < 0.006 and abs(above) < 0.001:
                return None
            candidates.append((float(np.hypot(*(p[:2] - tool[:2]))), index))
        return min(candidates)[1] if candidates else None
