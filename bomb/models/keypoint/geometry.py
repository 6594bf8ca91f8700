"""Homographies and boards from points."""

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.format import PITCH, intersections


def homography(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The homography float64[3, 3] that takes points float64[P, 2] nearest to others, P >= 4.

    The direct linear transform on normalised points (Hartley and Zisserman, "Multiple View Geometry", 2nd
    edition, algorithm 4.2).

    Raises:
        numpy.linalg.LinAlgError: if points are not finite.
    """
    (p, T), (q, S) = _normalised(before), _normalised(after)
    rows = np.zeros((2 * len(p), 9))
    rows[0::2, 0:2], rows[0::2, 2] = p, 1
    rows[0::2, 6:8], rows[0::2, 8] = -q[:, :1] * p, -q[:, 0]
    rows[1::2, 3:5], rows[1::2, 5] = p, 1
    rows[1::2, 6:8], rows[1::2, 8] = -q[:, 1:] * p, -q[:, 1]
    normal = np.linalg.svd(rows)[2][-1].reshape(3, 3)
    made = np.linalg.solve(S, normal @ T)
    return made / (made[2, 2] if abs(made[2, 2]) > 1e-12 else 1.0)


def plane_of(
    pixels: npt.NDArray[np.float64], points: npt.NDArray[np.float64], height: float
) -> npt.NDArray[np.float64]:
    """The homography float64[3, 3] from pixels to x and y on a plane z = ``height``.

    Args:
        pixels: float64[P, 2], where points are seen.
        points: float64[P, 3]; on one plane, which is then the plane that is meant, or on several.
        height: of the plane.
    """
    if np.ptp(points[:, 2]) == 0.0:
        return homography(pixels, points[:, :2])
    projection = camera_of(points, pixels)
    plane = np.column_stack(
        [projection[:, 0], projection[:, 1], projection[:, 2] * height + projection[:, 3]]
    )
    return np.linalg.inv(plane).astype(np.float64, copy=False)


def camera_of(points: npt.NDArray[np.float64], pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The projection float64[3, 4], up to a factor, that shows points float64[P, 3] at pixels float64[P, 2].

    At least six points are needed, and not all on one plane.

    The direct linear transform (Hartley and Zisserman, algorithm 7.1 without its last step).
    """
    q, S = _normalised(pixels)
    middle, size = points.mean(0), max(float(np.linalg.norm(points - points.mean(0), axis=1).mean()), 1e-12)
    p = np.column_stack([(points - middle) / size, np.ones(len(points))])
    rows = np.zeros((2 * len(p), 12))
    rows[0::2, 0:4], rows[0::2, 8:12] = p, -q[:, :1] * p
    rows[1::2, 4:8], rows[1::2, 8:12] = p, -q[:, 1:] * p
    T = np.vstack([np.column_stack([np.eye(3) / size, -middle / size]), [0, 0, 0, 1]])
    return np.linalg.solve(S, np.linalg.svd(rows)[2][-1].reshape(3, 4) @ T)


def _normalised(points: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    points = np.asarray(points, dtype=np.float64)
    middle = points.mean(0)
    size = np.sqrt(2) / max(float(np.linalg.norm(points - middle, axis=1).mean()), 1e-12)
    T = np.array([[size, 0, -size * middle[0]], [0, size, -size * middle[1]], [0, 0, 1.0]])
    return (points - middle) * size, T


def transformed(H: npt.NDArray[np.float64], points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Points float64[P, 2] after a homography; those on its horizon are far away."""
    seen = np.column_stack([np.asarray(points, dtype=np.float64).reshape(-1, 2), np.ones(len(points))]) @ H.T
    depth = np.where(np.abs(seen[:, 2]) > 1e-9, seen[:, 2], 1e-9)
    return seen[:, :2] / depth[:, None]


def board_pose(
    p_B: npt.NDArray[np.float64], p_R: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The board that points lie on: float64[2, 3], from (x_B, y_B, 1) to x and y of R.

    Rigid, by weighted least squares (Umeyama 1991, without scale). x_B and y_B are right-handed in R, too.

    Args:
        p_B: float64[P, 2], where they are on the board (m).
        p_R: float64[P, 2], where they are seen (m), P >= 2.
        weights: float64[P], positive.
    """
    w = weights / weights.sum()
    b, r = w @ p_B, w @ p_R
    across = (p_R - r).T @ ((p_B - b) * w[:, None])
    u, _, vt = np.linalg.svd(across)
    turn = u @ np.diag([1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return np.column_stack([turn, r - turn @ b])


def on_board(pose: npt.NDArray[np.float64], p_B: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Points of the board, float64[..., 2], in R (m)."""
    return np.asarray(p_B) @ pose[:, :2].T + pose[:, 2]


def refined_board(
    pose: npt.NDArray[np.float64],
    seen: npt.NDArray[np.float64],
    heats: npt.NDArray[np.float64],
    *,
    reach: float = 0.4 * PITCH,
    rounds: int = 4,
) -> tuple[npt.NDArray[np.float64], int, float]:
    """A board that is roughly known, moved onto intersections that are seen.

    Each is taken for the one that is nearest, as long as it is near; the reach falls with every round.

    Args:
        pose: float64[2, 3], about where the board is.
        seen: float64[P, 2], intersections in R (m).
        heats: float64[P], how sure each is.
        reach: how far the first round looks (m).
        rounds: of matching and fitting.

    Returns:
        The pose, how many intersections it rests on, and their root mean square distance (m; inf of none).
    """
    grid, count, residual = intersections(), 0, float("inf")
    for k in range(rounds):
        nodes = on_board(pose, grid)
        if not len(seen):
            break
        away = np.linalg.norm(seen[:, None] - nodes[None], axis=2)
        nearest, far = away.argmin(1), away.min(1)
        good = far < max(reach * 0.6**k, 0.006)
        if good.sum() < 2 or len(set(nearest[good].tolist())) < 2:
            break
        pose = board_pose(grid[nearest[good]], seen[good], heats[good])
        left = seen[good] - on_board(pose, grid[nearest[good]])
        count, residual = int(good.sum()), float(np.sqrt((left**2).sum(1).mean()))
    return pose, count, residual
