"""Which moments of a demonstration are drawn: some as they were, others with the arm where it might be.

A policy that looks while it is a little off sees its hand beside the stone. The expert's hand is never there,
so the arm of a recorded moment is put elsewhere by inverse kinematics, a stone in the hand with it.
"""

from dataclasses import replace

import numpy as np

from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.stages import STAGES, stages_of
from core.control.actions import WORKSPACE_HIGH, WORKSPACE_LOW
from core.world.kinematics import Kinematics
from core.world.rotations import matrix_from_quaternion
from core.world.scene import SceneSpec
from core.world.state import ARM_JOINTS, SceneState

NONE = -1  # no stone is held
CARRIED = ("lift", "carry", "place")
HELD = 0.012  # m: a stone this near to the tool while it is carried is in the hand
SPREAD = 0.012  # m, standard deviation of the hand beside what it goes to


class MomentChooser:
    """Chooses moments of demonstrations.

    Args:
        scene: of the first demonstration; the robot is the same in all.
    """

    def __init__(self, scene: SceneSpec):
        self._kinematics = Kinematics(scene.robot)
        self._p_WR = np.asarray(scene.robot.X_WR.p)
        self._widest = scene.robot.max_finger_position
        self._R_WR = matrix_from_quaternion(scene.robot.X_WR.q)

    def to_base(self, points: np.ndarray) -> np.ndarray:
        """Points of W, float64[..., 3] (m), in R."""
        return np.asarray((np.asarray(points, dtype=np.float64) - self._p_WR) @ self._R_WR)

    def choose(
        self, demonstration: Demonstration, scene: SceneSpec, rng: np.random.Generator
    ) -> list[tuple[SceneState, int]]:
        """Eight states of a demonstration, each with the index of the stone in the hand, or ``NONE``.

        The first, one of all, one while a stone is carried; two over stones of the table, one anywhere with
        an empty hand, two over the board with a stone in the hand.

        Args:
            demonstration: of an episode with one move.
            scene: as it is dressed for the episode.
            rng: what chooses.
        """
        stages = stages_of(demonstration)
        carried = np.flatnonzero(np.isin(stages, [STAGES.index(name) for name in CARRIED]))
        any_row, held_row = int(rng.integers(demonstration.length + 1)), int(rng.choice(carried))
        start = demonstration.world(0)
        chosen = [
            (start, NONE),
            self._recorded(demonstration, any_row, any_row in carried),
            self._recorded(demonstration, held_row, held=True),
            (self._over_stone(start, scene, rng), NONE),
            (self._over_stone(start, scene, rng), NONE),
            (self._anywhere(start, rng), NONE),
        ]
        for _ in range(2):
            state, stone = self._recorded(demonstration, int(rng.choice(carried)), held=True)
            chosen.append((self._over_board(state, stone, scene, rng), stone))
        return chosen

    def _recorded(self, demonstration: Demonstration, row: int, held: bool) -> tuple[SceneState, int]:
        state = demonstration.world(row)
        if not held:
            return state, NONE
        tool, _ = self._kinematics.tool_pose(state.joint_positions)
        away = np.linalg.norm(state.stone_poses[:, :3] - tool, axis=1)
        nearest = int(away.argmin())
        return state, int(state.stone_ids[nearest]) if away[nearest] < HELD else NONE

    def _over_stone(self, state: SceneState, scene: SceneSpec, rng: np.random.Generator) -> SceneState:
        table = np.flatnonzero(state.stone_poses[:, 2] < scene.board.X_WB.p[2])
        stone = self.to_base(state.stone_poses[int(rng.choice(table)), :3])
        height = rng.uniform(0.008, 0.12)
        offset = rng.normal(0.0, min(SPREAD, 0.15 * height + 0.001), 2)
        target = [*(stone[:2] + offset), stone[2] + height]
        return self._moved(state, target, NONE, opening=rng.uniform(0.58, 1.0))

    def _anywhere(self, state: SceneState, rng: np.random.Generator) -> SceneState:
        low = np.array([*WORKSPACE_LOW[:2], 0.03])
        target = rng.uniform(low, np.array([*WORKSPACE_HIGH[:2], 0.26]))
        return self._moved(state, target, NONE, opening=rng.uniform(0.58, 1.0))

    def _over_board(
        self, state: SceneState, stone: int, scene: SceneSpec, rng: np.random.Generator
    ) -> SceneState:
        size, board = scene.board.size, scene.board
        p_B = [*board.point(int(rng.integers(size)), int(rng.integers(size))), 0.0]
        p_W = matrix_from_quaternion(board.X_WB.q) @ np.asarray(p_B) + np.asarray(board.X_WB.p)
        place = self.to_base(p_W)
        offset = rng.normal(0.0, SPREAD, 2)
        return self._moved(state, [*(place[:2] + offset), place[2] + rng.uniform(0.012, 0.09)], stone)

    def _moved(
        self, state: SceneState, target: object, stone: int, opening: float | None = None
    ) -> SceneState:
        """The state with the tool at ``target`` (m, in R), what it holds with it; as it was, out of reach."""
        p_R = np.clip(np.asarray(target, dtype=np.float64), WORKSPACE_LOW, WORKSPACE_HIGH)
        tool, _ = self._kinematics.tool_pose(state.joint_positions)
        p_W = self._R_WR @ p_R + self._p_WR
        arm = self._kinematics.inverse(p_W, state.joint_positions[:ARM_JOINTS].astype(np.float64))
        if arm is None:
            return state
        joints = state.joint_positions.copy()
        joints[:ARM_JOINTS] = arm
        if opening is not None:
            joints[ARM_JOINTS:] = opening * self._widest
        poses = state.stone_poses.copy()
        if stone != NONE:
            poses[int(np.searchsorted(state.stone_ids, stone)), :3] += (p_W - tool).astype(poses.dtype)
        return replace(state, joint_positions=joints.astype(state.joint_positions.dtype), stone_poses=poses)


def board_in_base(scene: SceneSpec, chooser: MomentChooser) -> np.ndarray:
    """float64[2, 3], from (x_B, y_B, 1) to x and y of R (m)."""
    middle = np.asarray(scene.board.X_WB.p)
    turn = matrix_from_quaternion(scene.board.X_WB.q)
    origin, tip_x, tip_y = (chooser.to_base(middle + v)[:2] for v in (0 * middle, turn[:, 0], turn[:, 1]))
    return np.column_stack([tip_x - origin, tip_y - origin, origin])
