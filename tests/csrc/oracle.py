"""Slow answers to the checker's questions, by other methods than its own.

*Distance of two convex bodies.* The checker walks simplices (Gilbert-Johnson-Keerthi). Here the
nearest point to the origin among all convex combinations of {a - b} is found as a least distance
problem by non-negative least squares (Lawson and Hanson, *Solving Least Squares Problems*, 1974,
chapter 23), over every pair of vertices. The answer carries its own proof: the point found is an
upper bound, the plane across it a lower bound, and both are returned. Not to be trusted below
about a nanometre, where bodies just touch.

*Lowest point, nearest intersection.* By looking at every vertex and every intersection.
"""

import itertools

import numpy as np
from scipy.optimize import nnls

from . import worlds


def box_corners(pose: np.ndarray, half_size: np.ndarray) -> np.ndarray:
    """(8, 3) corners in the world of a box at `pose`."""
    signs = np.array(list(itertools.product((-1, 1), repeat=3)))
    return pose[:3] + (signs * half_size) @ worlds.matrix(pose[3:]).T


def hull_points(pose: np.ndarray, hull: np.ndarray) -> np.ndarray:
    """(V, 3) vertices in the world of a hull at `pose`."""
    return pose[:3] + hull @ worlds.matrix(pose[3:]).T


def distance_bounds(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Lower and upper bound (m) of the distance between the convex hulls of two point sets."""
    differences = (a[:, None, :] - b[None, :, :]).reshape(-1, 3)
    scale = 1 / np.linalg.norm(differences, axis=1).min()
    system = np.vstack([differences.T * scale, np.ones(len(differences))])
    weights, _ = nnls(system, np.array([0.0, 0.0, 0.0, 1.0]), maxiter=10 * len(differences))
    nearest = differences.T @ weights / weights.sum()
    upper = float(np.linalg.norm(nearest))
    if upper < 1e-9:
        return 0.0, upper
    return max(0.0, float((differences @ (nearest / upper)).min())), upper


def finger_bounds(stone: np.ndarray, hull: np.ndarray, finger: np.ndarray, boxes: np.ndarray):
    """Lower and upper bounds of the distance from a stone to any of a finger's boxes."""
    points = hull_points(stone, hull)
    each = [distance_bounds(points, box_corners(worlds.compose(finger, box[:7]), box[7:])) for box in boxes]
    return min(low for low, _ in each), min(high for _, high in each)


def slab_bounds(stone: np.ndarray, hull: np.ndarray, centre: np.ndarray, half_size: np.ndarray):
    """The same to one box, given the pose of its centre."""
    return distance_bounds(hull_points(stone, hull), box_corners(centre, half_size))


def nearest_intersection(p_B: np.ndarray, size: int, pitch: float) -> tuple[int, int]:
    """Row and column by comparing all of them."""
    half = (size - 1) / 2
    return min(
        itertools.product(range(size), range(size)),
        key=lambda rc: (p_B[0] - (rc[1] - half) * pitch) ** 2 + (p_B[1] - (half - rc[0]) * pitch) ** 2,
    )
