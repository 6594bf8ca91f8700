"""From actions to joint targets: the same numbers for both engines, to the last bit."""

from math import dist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.control.actions import ActionSpec, Point
from core.world.kinematics import Kinematics
from core.world.rotations import matrix_from_quaternion
from core.world.scene import SceneSpec
from core.world.state import ARM_JOINTS

GRIPPER_SPEED = 0.1  # m/s of each finger's target; a step instead throws the stone (docs/stage.md)

OVERSHOOT = 0.004  # m; at random actions the bound without it is passed by 3.4 mm at most


class ControllerState(NamedTuple):
    """What the controller remembers.

    Attributes:
        target: commanded tool centre point (x, y, z) in R (m).
        joints: float64[9], the joints that were last commanded: arm (rad) and fingers, on their ramp (m).
        opening: the gripper opening that was last asked for, 0..1.
    """

    target: Point
    joints: npt.NDArray[np.float64]
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
        steps = np.arange(1, self._substeps + 1)[:, None]
        self._fractions = steps / self._substeps
        self._ramp = steps * (GRIPPER_SPEED * scene.physics.timestep)
        self._longest = float(self._ramp[-1, 0])
        self.reset(np.asarray(scene.robot.home))

    @property
    def kinematics(self) -> Kinematics:
        """The arm's kinematics, to be used between calls of ``advance``."""
        return self._kinematics

    def reset(self, joints: npt.NDArray[np.float64]) -> None:
        """Commands the present pose: arm ``joints`` float64[7], gripper fully open."""
        p_WT, _ = self._kinematics.tool_pose(joints)
        self.state = ControllerState(
            target=tuple(self.tool_in_base(p_WT).tolist()),
            joints=np.array([*joints, *[self._robot.max_finger_position] * 2], dtype=np.float64),
            opening=1.0,
        )

    def advance(self, action: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Moves the commanded target by one action.

        Args:
            action: float32[4], checked and within the box of ``spec``.

        Returns:
            float64[substeps, 9]: joint targets. The arm's move on a line in joint space to the solution for
            the new target; the fingers' follow their ramp.
        """
        before, opening = self.state, float(action[3])
        target = self.spec.advance(before.target, action)
        joints = before.joints.copy()
        if target != before.target:
            p_WT = self._p_WR + self._R_WR @ target
            found = self._kinematics.inverse(p_WT, before.joints[:ARM_JOINTS])
            if found is not None:
                joints[:ARM_JOINTS] = found
            else:  # the workspace is within reach, so only a robot that starts elsewhere gets here: it stays
                target = before.target
        finger, goal = float(before.joints[ARM_JOINTS]), opening * self._robot.max_finger_position
        way = goal - finger
        done = abs(way) <= self._longest
        joints[ARM_JOINTS:] = goal if done else finger + (self._longest if way > 0 else -self._longest)
        targets: npt.NDArray[np.float64] = before.joints + self._fractions * (joints - before.joints)
        if done and way:  # the ramp ends within this period
            ramp = self._ramp if way > 0 else -self._ramp
            targets[:, ARM_JOINTS:] = (np.minimum if way > 0 else np.maximum)(finger + ramp, goal)
        self.state = ControllerState(target=target, joints=joints, opening=opening)
        self._commanded = dist(before.target, target)
        return targets

    def farthest(self, tool: Point, opening: float, last: float) -> float:
        """How far (m) any point of a finger moves at most in the period that was commanded last.

        The drives follow the commanded target with a lag: the tool neither passes it nor moves faster than
        both the target and the tool itself did before, but for ``OVERSHOOT``.

        Args:
            tool: where the tool centre point is in R (m).
            opening: of the gripper, 0..1.
            last: how far the tool moved in the period before (m); infinity where that is not known.
        """
        finger = abs(float(self.state.joints[ARM_JOINTS]) - opening * self._robot.max_finger_position)
        finger = min(finger, self._longest)  # one that presses a stone lags behind for good
        return min(dist(tool, self.state.target), max(last, self._commanded)) + finger + OVERSHOOT

    def hold_action(self) -> npt.NDArray[np.float32]:
        """The action, float32[4], that changes nothing."""
        xyz = np.zeros(3) if self.spec.mode == "delta" else self.state.target
        return np.array([*xyz, self.state.opening], dtype=np.float32)

    def tool_in_base(self, p_WT: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Converts a tool centre point from W to R (m)."""
        p_RT: npt.NDArray[np.float64] = self._R_WR.T @ (p_WT - self._p_WR)
        return p_RT
