"""Quaternions (wxyz) and poses, in plain NumPy. Names: X_AB is the pose of frame B in frame A."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# Four numbers, wxyz.
Quaternion = tuple[float, float, float, float] | npt.NDArray[np.floating[Any]]


class Pose(NamedTuple):
    """A rigid transform X_AB: position p_AB (metres) and unit quaternion q_AB (wxyz)."""

    p: tuple[float, float, float] = (0.0, 0.0, 0.0)
    q: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)

    def array(self) -> npt.NDArray[np.float64]:
        """float64[7]: p then q (wxyz)."""
        return np.array([*self.p, *self.q], dtype=np.float64)


def triple(values: Iterable[float]) -> tuple[float, float, float]:
    """Three numbers as plain floats."""
    x, y, z = values
    return float(x), float(y), float(z)


def pose_from(p: Iterable[float], q: Iterable[float]) -> Pose:
    """The pose of a position (m) and a unit quaternion (wxyz), as plain floats."""
    w, x, y, z = q
    return Pose(triple(p), (float(w), float(x), float(y), float(z)))


def quaternion_from_matrix(rotation: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Unit quaternion (wxyz, w >= 0) of a 3x3 rotation matrix. Source: Shepperd (1978)."""
    m = np.asarray(rotation, dtype=np.float64)
    t = np.array([m.trace(), m[0, 0], m[1, 1], m[2, 2]])
    k = int(np.argmax(t))
    if k == 0:
        q = np.array([1 + t[0], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    elif k == 1:
        q = np.array([m[2, 1] - m[1, 2], 1 + 2 * t[1] - t[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]])
    elif k == 2:
        q = np.array([m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], 1 + 2 * t[2] - t[0], m[1, 2] + m[2, 1]])
    else:
        q = np.array([m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 1 + 2 * t[3] - t[0]])
    q /= np.linalg.norm(q)
    return -q if q[0] < 0 else q


def matrix_from_quaternion(q: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """3x3 rotation matrix of a unit quaternion (wxyz)."""
    w, x, y, z = np.asarray(q, dtype=np.float64)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def multiply(a: Quaternion, b: Quaternion) -> npt.NDArray[np.float64]:
    """Hamilton product of two quaternions (wxyz): the rotation ``b`` followed by ``a``."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return np.array(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ]
    )


def quaternion_about_z(angle: float) -> tuple[float, float, float, float]:
    """Rotation by ``angle`` (rad) about z, as wxyz."""
    return (float(np.cos(angle / 2)), 0.0, 0.0, float(np.sin(angle / 2)))


def quaternion_from_rpy(rpy: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """URDF's roll-pitch-yaw (rad; fixed axes x, y, z) as a unit quaternion (wxyz)."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(np.asarray(rpy) / 2), np.sin(np.asarray(rpy) / 2)
    return np.array(
        [
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ]
    )


def compose(X_AB: Pose, X_BC: Pose) -> Pose:
    """X_AC = X_AB * X_BC."""
    p = np.asarray(X_AB.p) + matrix_from_quaternion(X_AB.q) @ np.asarray(X_BC.p)
    q = multiply(X_AB.q, X_BC.q)
    return pose_from(p, q / np.linalg.norm(q))


def inverse(X_AB: Pose) -> Pose:
    """X_BA of X_AB."""
    w, x, y, z = X_AB.q
    q = (w, -x, -y, -z)
    p = -(matrix_from_quaternion(q) @ np.asarray(X_AB.p))
    return pose_from(p, np.array(q))
