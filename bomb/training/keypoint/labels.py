"""Where key points are in a picture, and the maps that an eye is to make of them."""

from dataclasses import dataclass

import numpy as np

from bomb.models.keypoint.format import (
    CAMERAS,
    CORNERS,
    GRID,
    IMAGE_SIZE,
    MAPS,
    REFERENCES,
    UNSHUFFLE,
    anchors,
    intersections,
)
from bomb.training.keypoint.drawing import BLACK, WHITE, Look

HEIGHT, WIDTH = IMAGE_SIZE
NEAR = 1.5  # cells: around a point its offset is learned


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Of one picture.

    Attributes:
        plane: float64[3, 3], homography from x and y of R (m) on the plane z = 0 to pixels.
        points: float64[P, 2], x and y in R (m).
        kinds: int64[P], index in ``MAPS``.
        references: float64[R, 2], the camera's reference points in pixels.
        anchors: float64[8, 2], the robot's anchors in pixels; nothing that covers them is considered.
    """

    plane: np.ndarray
    points: np.ndarray
    kinds: np.ndarray
    references: np.ndarray
    anchors: np.ndarray


def points_of(look: Look, moment: int, camera: int) -> Points:
    """The key points of a picture; stones that nothing shows are left out, and the one in the hand."""
    projection = look.projections[moment, camera]
    plane = projection[:, [0, 1, 3]]
    board = intersections() @ look.board[:, :2].T + look.board[:, 2]
    places, kinds = [*board, *board[list(CORNERS)]], [2] * len(board) + [3, 4, 5, 6]
    parts = look.parts[moment, camera]
    for stone, color in enumerate(look.colors):
        point = look.stones[moment, stone, :2]
        if stone != look.held[moment] and _shown(parts, plane, point, BLACK if color == 1 else WHITE):
            places.append(point)
            kinds.append(int(color) - 1)
    name, state = CAMERAS[camera], look.states[moment]
    marks = REFERENCES[name] + (state[:3] if name == "wrist" else np.zeros(3))
    return Points(
        plane=plane,
        points=np.array(places),
        kinds=np.array(kinds),
        references=_projected(projection, marks),
        anchors=_projected(projection, anchors(name, state)),
    )


def _projected(projection: np.ndarray, points: np.ndarray) -> np.ndarray:
    seen = np.column_stack([points, np.ones(len(points))]) @ projection.T
    return np.asarray(seen[:, :2] / np.maximum(seen[:, 2:], 1e-6))


def _shown(parts: np.ndarray, plane: np.ndarray, point: np.ndarray, value: int) -> bool:
    (pixel,), (front,) = to_pixels(plane, point[None])
    u, v = np.rint(pixel).astype(int) if front else (-9, -9)
    if not (0 <= u < WIDTH and 0 <= v < HEIGHT):
        return False
    return bool((parts[max(0, v - 1) : v + 2, max(0, u - 1) : u + 2] == value).any())


def to_pixels(plane: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels float64[P, 2] of points of the plane, and whether they are before the camera, bool[P]."""
    seen = np.column_stack([points, np.ones(len(points))]) @ plane.T
    front = seen[:, 2] > 1e-6
    return seen[:, :2] / np.where(front, seen[:, 2], 1.0)[:, None], front


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """What an eye is to say of one picture.

    Attributes:
        heat: float32[maps, GRID, GRID], 1 where a point is, falling off around it.
        centers: bool[maps, GRID, GRID], cells that have a point.
        offsets: float32[2, maps, GRID, GRID], from the middle of a cell to the nearest point (cells).
        near: bool[maps, GRID, GRID], where offsets are learned.
        references, anchors: float32[R, 2], float32[8, 2], u and v from -1 to 1.
    """

    heat: np.ndarray
    centers: np.ndarray
    offsets: np.ndarray
    near: np.ndarray
    references: np.ndarray
    anchors: np.ndarray


def targets_of(points: Points, warp: np.ndarray) -> Targets:
    """The maps of a picture that was warped.

    Args:
        points: of the picture as it was drawn.
        warp: float64[3, 3], homography from its pixels to those of the warped picture.
    """
    plane = warp @ points.plane
    pixels, front = to_pixels(plane, points.points)
    inside = front & (np.abs(pixels + 0.5 - WIDTH / 2) <= WIDTH / 2).all(1)
    cells = (pixels[inside] + 0.5) / UNSHUFFLE - 0.5
    kinds = points.kinds[inside]
    shape = (len(MAPS), GRID, GRID)
    heat, near = np.zeros(shape, np.float32), np.zeros(shape, bool)
    offsets, centers = np.zeros((2, *shape), np.float32), np.zeros(shape, bool)
    along = np.arange(GRID)
    for kind in np.unique(kinds):
        mine = cells[kinds == kind]
        du, dv = mine[:, 0, None] - along, mine[:, 1, None] - along
        away = dv[:, :, None] ** 2 + du[:, None, :] ** 2
        nearest = away.argmin(0)
        least = away.min(0)
        heat[kind] = np.exp(-0.5 * least)
        near[kind] = least < NEAR**2
        rows, columns = np.indices((GRID, GRID))
        offsets[0, kind], offsets[1, kind] = du[nearest, columns], dv[nearest, rows]
        at = np.clip(np.rint(mine).astype(int), 0, GRID - 1)
        centers[kind, at[:, 1], at[:, 0]] = True
    references, _ = to_pixels(warp, points.references)
    marks, _ = to_pixels(warp, points.anchors)
    return Targets(
        heat=heat,
        centers=centers,
        offsets=offsets,
        near=near,
        references=_across(references),
        anchors=_across(marks),
    )


def _across(pixels: np.ndarray) -> np.ndarray:
    return ((pixels + 0.5) / (WIDTH / 2) - 1).astype(np.float32)
