"""States and actions as Open X-Embodiment data has them."""

import numpy as np

from bomb.demonstrations.demonstration import Demonstration
from core.world.kinematics import R_RT_DOWN, Kinematics
from core.world.rotations import matrix_from_quaternion
from core.world.scene import RobotSpec
from core.world.state import JOINTS

# Which entries of an action are normalised; the gripper is not.
MASK = (True,) * 6 + (False,)


def open_x_actions(actions: np.ndarray) -> np.ndarray:
    """``EEF_POS``: float32[T, 7], x, y, z of the action, no rotation, gripper (0 closed, 1 open).

    Args:
        actions: float32[T, 4].
    """
    made = np.zeros((len(actions), 7), dtype=np.float32)
    made[:, :3], made[:, 6] = actions[:, :3], actions[:, 3]
    return made


def open_x_states(demonstration: Demonstration) -> np.ndarray:
    """``POS_EULER``: float32[T, 8], x, y, z (m, in R), roll, pitch, yaw (rad), padding 0, gripper (0..1).

    The angles turn the tool from pointing straight down with its fingers along y of R, so that they stay near
    zero; about fixed axes x, y, z, as in URDF.
    """
    kinematics, robot = Kinematics(RobotSpec()), RobotSpec()
    upright = (matrix_from_quaternion(robot.X_WR.q) @ R_RT_DOWN).T
    made = np.zeros((demonstration.length, 8), dtype=np.float32)
    made[:, :3] = demonstration.observations[:-1, :3]
    made[:, 7] = demonstration.observations[:-1, 3]
    for t in range(demonstration.length):
        _, R_WT = kinematics.tool_pose(demonstration.joints[t, :JOINTS])
        made[t, 3:6] = roll_pitch_yaw(upright @ R_WT)
    return made


def roll_pitch_yaw(rotation: np.ndarray) -> tuple[float, float, float]:
    """Angles (rad) about the fixed axes x, y, z of a rotation matrix, pitch within +-pi/2."""
    return (
        float(np.arctan2(rotation[2, 1], rotation[2, 2])),
        float(np.arctan2(-rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0]))),
        float(np.arctan2(rotation[1, 0], rotation[0, 0])),
    )
