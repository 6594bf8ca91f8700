"""From actions to joint targets: the same numbers for both engines, to the last bit."""

from dataclasses import dataclass

import numpy as np

from core.actions import ActionSpec
from core.kinematics import Kinematics
from core.rotations import matrix_from_quaternion
from core.scene import SceneSpec
from core.state import ARM_JOINTS, JOINTS

GRIPPER_SPEED = 0.1  # m/s of each finger's target; a step instead throws the stone (docs/stage.md)


@dataclass(frozen=True, kw_only=True, eq=False)
class ControllerState:
    """What the controller remembers.

    Attributes:
        target: float64[3], commanded tool centre point in R (m).
        joints: float64[7], the arm joints that were last commanded (rad).
        finger: commanded finger joint position, on its ramp (m).
        opening: the gripper opening that was last asked for, 0..1.
    """

    target: np.ndarray
    joints: np.ndarray
    finger: float
    opening: float


class Controller:
    """Turns one action into the drive targets of every time step of a control period.

    Attributes:
        state: what it remembers; replaced, never changed in place.
    """

    def __init__(self, spec: ActionSpec, scene: SceneSpec):
        self.spec = spec
        self._robot = scene.robot
        self._kinematics = Kinematics(scene.robot)
        self._p_WR = np.asarray(scene.robot.X_WR.p)
        self._R_WR = matrix_from_quaternion(scene.robot.X_WR.q)
        self._substeps = round(1 / (spec.control_hz * scene.physics.timestep))
        self._ramp = GRIPPER_SPEED * scene.physics.timestep
        self._fractions = np.arange(1, self._substeps + 1) / self._substeps
        self.reset(np.asarray(scene.robot.home))

    @property
    def kinematics(self) -> Kinematics:
        """The arm's kinematics, to be used between calls of ``advance``."""
        return self._kinematics

    def reset(self, joints: np.ndarray) -> None:
        """Commands the present pose: arm ``joints`` float64[7], gripper fully open."""
        p_WT, _ = self._kinematics.tool_pose(joints)
        self.state = ControllerState(
            target=self._R_WR.T @ (p_WT - self._p_WR),
            joints=np.array(joints, dtype=np.float64),
            finger=self._robot.max_finger_position,
            opening=1.0,
        )

    def advance(self, action: np.ndarray) -> np.ndarray:
        """Moves the commanded target by one action.

        Args:
            action: float32[4], checked and within the box of ``spec``.

        Returns:
            float64[substeps, 9]: joint targets. The arm's move on a line in joint space to the solution for
            the new target; the fingers' follow their ramp.
        """
        before = self.state
        target = self.spec.advance(before.target, action)
        opening = float(action[3])
        joints = before.joints
        if (target != before.target).any():
            found = self._kinematics.inverse(self._p_WR + self._R_WR @ target, before.joints)
            # The workspace is within reach, so this happens only with a robot that starts elsewhere: stay.
            joints, target = (before.joints, before.target) if found is None else (found, target)
        targets = np.empty((self._substeps, JOINTS))
        np.multiply(self._fractions[:, None], joints - before.joints, out=targets[:, :ARM_JOINTS])
        targets[:, :ARM_JOINTS] += before.joints
        goal = opening * self._robot.max_finger_position
        finger = goal
        if goal == before.finger:
            targets[:, ARM_JOINTS:] = goal
        else:
            ramp = np.arange(1, self._substeps + 1) * self._ramp
            fingers = np.maximum(before.finger - ramp, goal) if goal < before.finger else np.minimum(
                before.finger + ramp, goal
            )
            targets[:, ARM_JOINTS:] = fingers[:, None]
            finger = float(fingers[-1])
        self.state = ControllerState(target=target, joints=joints, finger=finger, opening=opening)
        return targets

    def hold_action(self) -> np.ndarray:
        """The action, float32[4], that changes nothing."""
        xyz = np.zeros(3) if self.spec.mode == "delta" else self.state.target
        return np.array([*xyz, self.state.opening], dtype=np.float32)

    def tool_in_base(self, p_WT: np.ndarray) -> np.ndarray:
        """Converts a tool centre point from W to R (m)."""
        return self._R_WR.T @ (p_WT - self._p_WR)
