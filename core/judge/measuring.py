"""The checker's view of a scene: which boxes and hulls it measures, and what it sees of states."""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.board.boards import COLORS
from core.judge.checker import FingerChain, PlacementChecker, worth_tracing
from core.world.bodies import table_top_pose
from core.world.kinematics import Kinematics, chain_to_fingers
from core.world.meshes import stone_collision_vertices
from core.world.robot import FINGER_LINKS, panda
from core.world.rotations import Pose, matrix_from_quaternion
from core.world.scene import BoardSpec, MaterialSpec, RobotSpec, SceneSpec, StoneSpec, TableSpec
from core.world.state import SceneState, Trace


def checker_for(scene: SceneSpec) -> PlacementChecker:
    """The checker of one scene. Finger shapes are the URDF's collision boxes, the pad last."""
    plain = MaterialSpec()  # neither looks, masses nor poses ask for another hull, which is slow to make
    stone = scene.stones[0]
    checker = _checker(
        replace(scene.board, X_WB=Pose(), material=plain, labels=False),
        replace(scene.table, height=0.0, material=plain),
        replace(stone, material=plain, mass=0.0, inertia=0.0),
    )
    return checker.moved(board_pose=scene.board.X_WB.array(), table_pose=table_top_pose(scene.table).array())


@lru_cache(maxsize=64)
def _checker(board: BoardSpec, table: TableSpec, stone: StoneSpec) -> PlacementChecker:
    boxes = [
        np.array(
            [
                [*shape.X_LS.p, *shape.X_LS.q, *(shape.half_size or ())]
                for shape in panda().link(name).collisions
            ]
        )
        for name in FINGER_LINKS
    ]
    # The board frame B lies on the top surface; the slab hangs below it.
    return PlacementChecker(
        board_pose=board.X_WB.array(),
        board_half_size=np.array([board.width / 2, board.width / 2, board.thickness / 2]),
        size=board.size,
        pitch=board.pitch,
        table_pose=table_top_pose(table).array(),
        table_half_size=np.array([table.size[0] / 2, table.size[1] / 2, table.thickness / 2]),
        stone_hull=stone_collision_vertices(stone),
        finger_boxes=boxes,
    )


@lru_cache(maxsize=64)
def _chain(robot: RobotSpec) -> FingerChain:
    placements, axes = chain_to_fingers(robot)
    return FingerChain(placements=placements, axes=axes)


class Frame(NamedTuple):
    """What the judge sees of one state.

    Attributes:
        measures: array[S] of ``MEASURE_DTYPE``, one entry per stone in play.
        p_BT: float32[3], tool centre point in the board frame (m).
        p_RT: float32[3], the same in the robot's base frame.
        opening: gripper opening, 0..1.
    """

    measures: npt.NDArray[np.void]
    p_BT: npt.NDArray[np.float32]
    p_RT: npt.NDArray[np.float32]
    opening: float


class Measurer:
    """Measures states of one scene: forward kinematics, then the compiled checker."""

    def __init__(self, scene: SceneSpec, kinematics: Kinematics):
        self._checker = checker_for(scene)
        self._chain = _chain(scene.robot)
        self._kinematics = kinematics
        self._span = 2 * scene.robot.max_finger_position
        # The tool in the board's and in the robot's base frame, both at once: this runs in every step.
        rotations = [matrix_from_quaternion(X_WF.q).T for X_WF in (scene.board.X_WB, scene.robot.X_WR)]
        origins = [scene.board.X_WB.p, scene.robot.X_WR.p]
        self._rotation = np.concatenate(rotations)
        self._offset = -np.concatenate([R @ np.asarray(p) for R, p in zip(rotations, origins, strict=True)])

    def __call__(self, state: SceneState) -> Frame:
        joints = state.joint_positions
        p_WT, fingers = self._kinematics.tool_and_fingers(joints)
        tools = (self._rotation @ p_WT + self._offset).astype(np.float32)
        opening = (float(joints[7]) + float(joints[8])) / self._span
        return Frame(
            measures=self._checker.measure(state.stone_poses, state.stone_velocities, fingers),
            p_BT=tools[:3],
            p_RT=tools[3:],
            opening=min(max(opening, 0.0), 1.0),
        )

    def worth_tracing(self, frame: Frame, reach: float, rise: float) -> bool:
        """Whether the next control step must be traced.

        In it a finger moves by ``reach`` (m) at most, and the tool goes up by ``rise`` (m) at most.
        """
        return worth_tracing(frame.measures, frame.p_BT, reach, rise)

    def sweep(self, before: Frame, frame: Frame, trace: Trace) -> Frame:
        """``frame`` with what happened since ``before``, of which ``trace`` has every state."""
        measures = self._checker.sweep(
            self._chain, trace.joint_positions, trace.stone_poses, before.measures, frame.measures
        )
        return frame._replace(measures=measures)


def stone_colors(scene: SceneSpec, state: SceneState) -> npt.NDArray[np.uint8]:
    """uint8[S], 1 for black and 2 for white, of the stones in play."""
    return np.array([COLORS[scene.stones[k].color] for k in state.stone_ids], dtype=np.uint8)
