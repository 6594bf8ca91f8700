"""Pinhole cameras as computer vision writes them: intrinsics, extrinsics, projection.

The camera frame C is OpenCV's: x to the right of the picture, y down, z along the optical axis. Pixel
coordinates (u, v) count columns and rows; the middle of the top left pixel is (0, 0), so the picture spans
-0.5 to width - 0.5 and -0.5 to height - 0.5.
"""

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from core.perturbations.camera import TOOL_IN_HAND
from core.world.rotations import matrix_from_quaternion
from core.world.scene import CameraSpec, RobotSpec, SceneSpec
from core.world.state import SceneState

if TYPE_CHECKING:
    from core.world.kinematics import Kinematics

Matrix: TypeAlias = npt.NDArray[np.float64]


def intrinsics(camera: CameraSpec, image_size: tuple[int, int]) -> Matrix:
    """K, float64[3, 3]: ``(u, v, 1) ~ K p_C``. Pixels are square; ``fovy`` is the vertical field of view."""
    height, width = image_size
    focal = height / 2 / np.tan(camera.fovy / 2)
    return np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])


def camera_in_parent(camera: CameraSpec) -> Matrix:
    """X_PC, float64[4, 4]: the camera frame in the frame of ``camera.parent``."""
    forward = np.asarray(camera.forward, dtype=np.float64)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, camera.up)
    right /= np.linalg.norm(right)
    return _matrix(np.column_stack([right, np.cross(forward, right), forward]), np.asarray(camera.eye))


def inverse(X: Matrix) -> Matrix:
    """The inverse of a rigid transform, float64[4, 4]."""
    return _matrix(X[:3, :3].T, -X[:3, :3].T @ X[:3, 3])


class Cameras:
    """The cameras of one scene, perturbed as it is.

    Args:
        scene: of the episode.
        image_size: (height, width) in pixels.
    """

    def __init__(self, scene: SceneSpec, image_size: tuple[int, int]):
        self.scene, self._image_size = scene, image_size
        self._robot = scene.robot
        self.K = {camera.name: intrinsics(camera, image_size) for camera in scene.cameras}
        self._in_parent = {camera.name: camera_in_parent(camera) for camera in scene.cameras}
        self._on_hand = {camera.name for camera in scene.cameras if camera.parent != "world"}
        self.X_WR = _matrix(matrix_from_quaternion(scene.robot.X_WR.q), np.asarray(scene.robot.X_WR.p))

    def camera_in_world(self, camera: str, state: SceneState) -> Matrix:
        """X_WC, float64[4, 4]; cameras on the hand go with the arm."""
        X_PC = self._in_parent[camera]
        if camera not in self._on_hand:
            return X_PC
        X_WC: Matrix = self._hand(state) @ X_PC
        return X_WC

    def extrinsics(self, camera: str, state: SceneState) -> Matrix:
        """X_CR, float64[4, 4]: takes points of the robot's base frame R to the camera frame (m)."""
        X_CR: Matrix = inverse(self.camera_in_world(camera, state)) @ self.X_WR
        return X_CR

    def pixels(self, camera: str, state: SceneState, points: npt.NDArray[np.floating]) -> Matrix:
        """Where points are seen.

        Args:
            camera: its name.
            state: the world.
            points: float[N, 3] in W (m).

        Returns:
            float64[N, 3]: u, v, and 1 if the point is in front of the camera and inside the picture, else 0.
            Nothing that covers it is considered. Points behind the camera have (-1, -1, 0).
        """
        X_CW = inverse(self.camera_in_world(camera, state))
        p_C = np.asarray(points, dtype=np.float64).reshape(-1, 3) @ X_CW[:3, :3].T + X_CW[:3, 3]
        seen = np.full((len(p_C), 3), (-1.0, -1.0, 0.0))
        front = p_C[:, 2] > 1e-6
        uvw = p_C[front] @ self.K[camera].T
        seen[front, :2] = uvw[:, :2] / uvw[:, 2:]
        height, width = self._image_size
        u, v = seen[:, 0], seen[:, 1]
        seen[:, 2] = front & (u >= -0.5) & (u <= width - 0.5) & (v >= -0.5) & (v <= height - 0.5)
        return seen

    @cached_property
    def _kinematics(self) -> "Kinematics":
        return _kinematics(self._robot)

    def _hand(self, state: SceneState) -> Matrix:
        p_WT, R_WT = self._kinematics.tool_pose(state.joint_positions)
        return _matrix(R_WT, p_WT - R_WT @ np.asarray(TOOL_IN_HAND))


@lru_cache(maxsize=4)
def _kinematics(robot: RobotSpec) -> "Kinematics":
    from core.world.kinematics import Kinematics

    return Kinematics(robot)


def _matrix(rotation: Matrix, position: Matrix) -> Matrix:
    X = np.eye(4)
    X[:3, :3], X[:3, 3] = rotation, position
    return X
