"""What is compared of two courses: how far apart they end, how far things went, what became of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bomb.parity.contact.bench import RADIUS
from bomb.parity.contact.courses import Course

MOVED = 0.001  # m; a stone that ends farther than this from its start has moved
LIFTED = 0.020  # m, as the checker has it


def stones_apart(a: Course, b: Course) -> float:
    """Distance between the ends of the stone that they put farthest apart (m)."""
    return float(np.linalg.norm(a.stones[-1, :, :3] - b.stones[-1, :, :3], axis=-1).max())


def stones_went(course: Course) -> float:
    """How far the stone that went farthest is from its start (m)."""
    return float(_way(course).max())


def tools_apart(a: Course, b: Course) -> float:
    """Distance between the two paths of the tool centre point, root mean square over control periods (m)."""
    return float(np.sqrt(np.mean(np.sum((a.tool - b.tool) ** 2, axis=-1))))


def tool_went(course: Course) -> float:
    """How far the tool was from home, along the surface, on the average of the control periods (m)."""
    return float(np.linalg.norm(course.tool[:, :2] - course.tool[0, :2], axis=-1).mean())


def rims_apart(a: Course, b: Course) -> float:
    """By how much the stones turned differently, as an arc along the rim (m)."""
    return abs(rim_went(a) - rim_went(b))


def rim_went(course: Course) -> float:
    """How far the first stone turned about its axis, as an arc along its rim (m)."""
    w, z = course.stones[:, 0, 3], course.stones[:, 0, 6]
    return float(RADIUS * abs(np.ptp(np.unwrap(2 * np.arctan2(z, w)))))


def moved(course: Course) -> tuple[bool, ...]:
    """Which stones ended elsewhere than they began."""
    return tuple((_way(course) > MOVED).tolist())


def lifted(course: Course) -> bool:
    """Whether any stone was ever off its place upwards by what counts as lifted."""
    return bool((course.stones[:, :, 2] - course.stones[0, :, 2]).max() > LIFTED)


def flipped(course: Course) -> bool:
    """Whether the first stone ended on its other face."""
    x, y = course.stones[[0, -1], 0, 4], course.stones[[0, -1], 0, 5]
    up = 1 - 2 * (x**2 + y**2)  # z of W of the stone's axis
    return bool(up[0] * up[1] < 0)


def _way(course: Course) -> npt.NDArray[np.float64]:
    far: npt.NDArray[np.float64] = np.linalg.norm(course.stones[-1, :, :3] - course.stones[0, :, :3], axis=-1)
    return far


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What is measured of a situation.

    Attributes:
        apart: how far two courses are apart (m).
        went: how far a course went (m); the bias is the difference of the two engines'.
    """

    apart: Callable[[Course, Course], float]
    went: Callable[[Course], float]


STONES = Scale(apart=stones_apart, went=stones_went)
TOOL = Scale(apart=tools_apart, went=tool_went)
RIM = Scale(apart=rims_apart, went=rim_went)
