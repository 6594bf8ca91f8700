"""From actions to joint targets: the same numbers for both engines, to the last bit."""

from dataclasses import dataclass

import numpy as np

from core.actions import ActionSpec, Point
from core.kinematics import Kinematics
from core.rotations import matrix_from_quaternion
from core.scene import SceneSpec
from core.state import ARM_JOINTS, JOINTS

GRIPPER_SPEED = 0.1  # m/s of each finger's target; a step instead throws the stone (docs/stage.md)


@dataclass(frozen=True, kw_only=True, eq=False)
class ControllerState:
    """What the controller remembers.

    Attributes:
        target: commanded tool centre point (x, y, z) in R (m).
        joints: float64[7], the arm joints that were last commanded (rad).
        finger: commanded finger joint position, on its ramp (m).
        opening: the gripper opening that was last asked for, 0..1.
    """

    target: Point
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
        self._R_RW = self._R_WR.T
        self._p_RW = -self._R_RW @ self._p_WR
        self._substeps = round(1 / (spec.control_hz * scene.physics.timestep))
        steps = np.arange(1, self._substeps + 1)[:, None]
        self._fractions = steps / self._substeps
        self._ramp = steps * (GRIPPER_SPEED * scene.physics.timestep)
        self.reset(np.asarray(scene.robot.home))

    @property
    def kinematics(self) -> Kinematics:
        """The arm's kinematics, to be used between calls of ``advance``."""
        return self._kinematics

    def reset(self, joints: np.ndarray) -> None:
        """Commands the present pose: arm ``joints`` float64[7], gripper fully open."""
        p_WT, _ = self._kinematics.tool_pose(joints)
        self.state = ControllerState(
            target=tuple(self.tool_in_base(p_WT).tolist()),
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
        before, opening = self.state, float(action[3])
        target = self.spec.advance(before.target, action)
        joints = before.joints
        if target != before.target:
            found = self._kinematics.inverse(self._p_WR + self._R_WR @ target, before.joints)
            # The workspace is within reach, so this happens only with a robot that starts elsewhere: stay.
            joints, target = (before.joints, before.target) if found is None else (found, target)
        targets = np.empty((self._substeps, JOINTS))
        arm = targets[:, :ARM_JOINTS]
        np.multiply(self._fractions, joints - before.joints, out=arm)
        arm += before.joints
        goal = opening * self._robot.max_finger_position
        if goal == before.finger:
            targets[:, ARM_JOINTS:] = goal
        elif goal < before.finger:
            targets[:, ARM_JOINTS:] = np.maximum(before.finger - self._ramp, goal)
        else:
            targets[:, ARM_JOINTS:] = np.minimum(before.finger + self._ramp, goal)
        finger = float(targets[-1, ARM_JOINTS])
        self.state = ControllerState(target=target, joints=joints, finger=finger, opening=opening)
        return targets

    def hold_action(self) -> np.ndarray:
        """The action, float32[4], that changes nothing."""
        xyz = np.zeros(3) if self.spec.mode == "delta" else self.state.target
        return np.array([*xyz, self.state.opening], dtype=np.float32)

    def tool_in_base(self, p_WT: np.ndarray) -> np.ndarray:
        """Converts a tool centre point from W to R (m)."""
        return self._R_RW @ p_WT + self._p_RW
