"""Forward and inverse kinematics of the Panda with pinocchio, on the one robot description.

It lives in core so that both engines get the same joint targets to the last bit. Frames: W is the
world, R the robot's base, T the tool centre point (URDF frame ``panda_hand_tcp``).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf

import numpy as np
import numpy.typing as npt
import pinocchio
from eigenpy import CompleteOrthogonalDecomposition  # Eigen's, four times as quick here as numpy's

from core.errors import BombError
from core.world.robot import FINGER_LINKS, JOINT_NAMES, TOOL_FRAME, panda, panda_folder
from core.world.rotations import matrix_from_quaternion
from core.world.scene import RobotSpec
from core.world.state import ARM_JOINTS, JOINTS

# Hand pointing straight down, fingers opening along the base's y axis: T's z axis is -z of R.
R_RT_DOWN = np.diag([1.0, -1.0, -1.0])

POSTURE_GAIN = 0.02  # share of the distance to the posture that one solution takes back


@lru_cache
def panda_model(robot: RobotSpec) -> pinocchio.Model:
    """The Panda standing at ``robot.X_WR``: nine joints in the order of ``JOINT_NAMES``, poses in W."""
    model = pinocchio.buildModelFromUrdf(str(panda_folder() / "urdf" / "panda.urdf"))
    if tuple(model.names)[1:] != JOINT_NAMES:
        raise BombError(f"unexpected joint order {tuple(model.names)[1:]}, expected {JOINT_NAMES}")
    X_WR = pinocchio.SE3(matrix_from_quaternion(robot.X_WR.q), np.asarray(robot.X_WR.p))
    model.jointPlacements[1] = X_WR * model.jointPlacements[1]
    for frame in model.frames:
        if frame.parentJoint == 0:  # the base, which no joint carries
            frame.placement = X_WR * frame.placement
    return model


def chain_to_fingers(robot: RobotSpec) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The joints as the checker takes them, for the states between control steps.

    Returns:
        float64[9, 7]: pose of each joint in the one before it (p in m, q as wxyz), of the first in W, of both
        fingers in the arm's last; float64[9, 3]: the joints' axes, each in its own frame.
    """
    model = panda_model(robot)
    placements = [pinocchio.SE3ToXYZQUATtuple(X_PJ) for X_PJ in list(model.jointPlacements)[1:]]
    description = panda()
    axes = {joint.name: joint.axis for joint in description.joints}
    return (
        np.array([[*p, qw, qx, qy, qz] for *p, qx, qy, qz, qw in placements]),
        np.array([axes[name] for name in JOINT_NAMES]),
    )


@lru_cache
def home_position(robot: RobotSpec) -> tuple[float, float, float]:
    """Where the tool centre point is at home, in W (m)."""
    return tuple(Kinematics(robot).tool_pose(np.asarray(robot.home))[0].tolist())


class Kinematics:
    """One arm's kinematics. Keeps scratch memory, so every environment has its own.

    The arm's one redundant degree of freedom is pulled towards the robot's home configuration.

    Attributes:
        lower, upper: float64[7], joint limits of the arm (rad).
    """

    def __init__(self, robot: RobotSpec) -> None:
        self._posture = np.asarray(robot.home, dtype=np.float64)
        self._down = matrix_from_quaternion(robot.X_WR.q) @ R_RT_DOWN
        self._model = panda_model(robot)
        self._data = self._model.createData()
        self._tool = self._model.getFrameId(TOOL_FRAME)
        self._fingers = [self._model.getFrameId(name) for name in FINGER_LINKS]
        self._q = np.zeros(JOINTS)
        arm = slice(0, ARM_JOINTS)
        self.lower = self._model.lowerPositionLimit[arm].copy()
        self.upper = self._model.upperPositionLimit[arm].copy()

    def tool_pose(
        self, joint_positions: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Position float64[3] and rotation float64[3, 3] of T in W, for 7 or 9 joint positions."""
        self._q[: len(joint_positions)] = joint_positions
        pinocchio.forwardKinematics(self._model, self._data, self._q)
        X_WT = pinocchio.updateFramePlacement(self._model, self._data, self._tool)
        return X_WT.translation.copy(), X_WT.rotation.copy()

    def tool_and_fingers(
        self, joint_positions: npt.NDArray[np.floating]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Where the gripper is, for nine measured joint positions (rad, m).

        Returns:
            p_WT float64[3], and float64[2, 7]: poses in W (p, q as wxyz) of the left and right finger.
        """
        self._q[:] = joint_positions
        model, data = self._model, self._data
        pinocchio.forwardKinematics(model, data, self._q)
        p_WT = pinocchio.updateFramePlacement(model, data, self._tool).translation.copy()
        return p_WT, np.array([self._pose(frame) for frame in self._fingers])

    def link_poses(
        self, joint_positions: npt.NDArray[np.floating], links: Sequence[str]
    ) -> npt.NDArray[np.float64]:
        """Poses in W (p, q as wxyz), float64[len(links), 7], for nine joint positions (rad, m)."""
        self._q[:] = joint_positions
        pinocchio.forwardKinematics(self._model, self._data, self._q)
        return np.array([self._pose(self._model.getFrameId(name)) for name in links])

    def _pose(self, frame: int) -> tuple[float, ...]:
        """Of a frame, after ``forwardKinematics``."""
        x, y, z, qx, qy, qz, qw = pinocchio.SE3ToXYZQUATtuple(
            pinocchio.updateFramePlacement(self._model, self._data, frame)
        )
        return (x, y, z, qw, qx, qy, qz)

    def inverse(
        self,
        p_WT: npt.NDArray[np.float64],
        start: npt.NDArray[np.float64],
        *,
        iterations: int = 30,
        tolerance: float = 3e-5,
    ) -> npt.NDArray[np.float64] | None:
        """Arm joints that put the tool at ``p_WT`` with the hand pointing down.

        The pseudoinverse method on the six-dimensional error (Buss 2004, "Introduction to inverse kinematics
        with Jacobian transpose, pseudoinverse and damped least squares"), warm-started and undamped: the
        workspace is far from singular. The arm's one
        redundant degree of freedom is pulled towards home before the error is removed, which leaves
        the pull's share in the null space: so the elbow does not wander over a long episode.

        Args:
            p_WT: float64[3] (m).
            start: float64[7], where to begin (rad).
            iterations: at most this many.
            tolerance: stops once the norm of the error (m, rad) is below this; 30 um are nothing beside what
                the drives lag.

        Returns:
            float64[7], within the joint limits; None if the target is out of reach or too far from
            ``start`` to be found.
        """
        q, model, data, frame = self._q, self._model, self._data, self._tool
        q[:ARM_JOINTS] = start
        q[ARM_JOINTS:] = 0.0
        arm = q[:ARM_JOINTS]
        target = pinocchio.SE3(self._down, p_WT)
        # A chord method: the pseudoinverse at the start serves until the error stops shrinking, because one
        # factorisation costs as much as three evaluations of the error.
        pseudoinverse = self._pseudoinverse()
        pull = POSTURE_GAIN * (self._posture - arm)
        arm += pull
        last = inf
        pinocchio.forwardKinematics(model, data, q)
        for _ in range(iterations):
            X_WT = pinocchio.updateFramePlacement(model, data, frame)
            error = pinocchio.log6(X_WT.actInv(target)).vector
            size = error @ error
            if size < tolerance * tolerance:
                solution = arm.copy()
                return solution if (solution.clip(self.lower, self.upper) == solution).all() else None
            if size > 0.25 * last:
                pseudoinverse = self._pseudoinverse()
            last = size
            arm += pseudoinverse @ error
            pinocchio.forwardKinematics(model, data, q)
        return None

    def _pseudoinverse(self) -> npt.NDArray[np.float64]:
        """The inverse, float64[7, 6], of the tool's Jacobian in its own frame at the present ``_q``."""
        jacobian = pinocchio.computeFrameJacobian(self._model, self._data, self._q, self._tool)
        inverse: npt.NDArray[np.float64] = CompleteOrthogonalDecomposition(
            jacobian[:, :ARM_JOINTS]
        ).pseudoInverse()
        return inverse
