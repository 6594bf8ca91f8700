"""The mapping of openpi's DROID policies: they see joints and command joint velocities.

BOMB's observation has no joints. They follow from the tool centre point, because the hand points down and
the elbow is pulled towards home: inverse kinematics gives them. Velocities go the other way: the joints are
moved by them, and where that takes the tool is what BOMB is asked for. What turns the hand is lost.
"""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bomb.integrations.openpi.mapping import PROMPT, Mapping
from core.control.actions import ActionSpec
from core.errors import StateError
from core.world.kinematics import Kinematics
from core.world.rotations import matrix_from_quaternion
from core.world.scene import RobotSpec

# DROID's robot_ik_solver.py: a velocity of 1 is 0.2 rad in one of its 15 Hz periods.
FULL_SPEED = 0.2 * 15  # rad/s


class DroidMapping(Mapping):
    """Two pictures, seven joints, and a gripper that is 1 when closed."""

    name = "droid"
    pictures: ClassVar = {
        "head": "observation/exterior_image_1_left",
        "wrist": "observation/wrist_image_left",
    }
    size = (224, 224)
    action_dim = 8
    mode = "delta"
    state = (
        "observation/joint_position float32[7] (rad), by inverse kinematics of the tool centre point; "
        "observation/gripper_position float32[1], 0 open, 1 closed"
    )
    action = "seven joint velocities (1 is 3 rad/s, clipped to -1..1), gripper 0 open to 1 closed"

    def __init__(self) -> None:
        robot = RobotSpec()
        self._kinematics, self._home = Kinematics(robot), np.asarray(robot.home)
        self._p_WT_home, _ = self._kinematics.tool_pose(self._home)
        self._p_WR, self._R_WR = np.asarray(robot.X_WR.p), matrix_from_quaternion(robot.X_WR.q)

    def request(self, observation: dict[str, Any]) -> dict[str, Any]:
        joints, opening = self._joints(observation), float(observation["state"][3])
        return {
            **self._pictures(observation),
            "observation/joint_position": joints.astype(np.float32),
            "observation/gripper_position": np.array([1.0 - opening], dtype=np.float32),
            PROMPT: observation["instruction"],
        }

    def actions(
        self, actions: npt.NDArray[Any], observation: dict[str, Any], spec: ActionSpec
    ) -> npt.NDArray[np.float32]:
        joints = self._joints(observation)
        moves = actions[:, :7].clip(-1.0, 1.0) * (FULL_SPEED / spec.control_hz)
        path = np.array([self._tool(q) for q in [joints, *(joints + moves.cumsum(axis=0))]])
        steps = np.diff(path, axis=0) / spec.max_step
        return np.concatenate([steps, 1.0 - actions[:, 7:].clip(0.0, 1.0)], axis=1).astype(np.float32)

    def _joints(self, observation: dict[str, Any]) -> npt.NDArray[np.float64]:
        p_RT = np.asarray(observation["state"][:3], dtype=np.float64)
        goal = self._p_WR + self._R_WR @ p_RT
        joints: npt.NDArray[np.float64] | None = self._home
        # In a few strides: at the rim of the workspace one from home finds no way.
        for share in (0.25, 0.5, 0.75, 1.0):
            if joints is not None:
                joints = self._kinematics.inverse(self._p_WT_home + share * (goal - self._p_WT_home), joints)
        if joints is None:
            raise StateError(
                f"no joint positions for the tool centre point {p_RT.round(4).tolist()} (m, in R)"
            )
        return joints

    def _tool(self, joints: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        p_RT: npt.NDArray[np.float64] = self._R_WR.T @ (self._kinematics.tool_pose(joints)[0] - self._p_WR)
        return p_RT
