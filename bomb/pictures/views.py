"""Where in a picture things of the world are seen, and rings around a target for those who look on.

What is drawn here is for people: it goes into videos and pages, never into what a policy sees.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.board.goals import Goal, Intersection, Region, alternatives
from core.environment import Environment
from core.world.rotations import Pose, compose, matrix_from_quaternion
from core.world.scene import CameraSpec, SceneSpec

RING = (230, 20, 120)  # of neither stones, board, robot nor table
_FINE = 4  # times larger than the picture
_TURN = np.linspace(0, 2 * np.pi, 49)


def project(
    camera: CameraSpec, points: npt.NDArray[np.float64], size: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Where a pinhole camera sees points.

    Args:
        camera: stands in the world.
        points: float64[N, 3] in W (m).
        size: (height, width) of the picture.

    Returns:
        float64[N, 2], pixels as (row, column); a pixel's middle is a whole number.
    """
    forward = np.array(camera.forward) / np.linalg.norm(camera.forward)
    right = np.cross(forward, camera.up)
    right /= np.linalg.norm(right)
    offset = points - np.array(camera.eye)
    focal = size[0] / 2 / np.tan(camera.fovy / 2)
    depth = offset @ forward
    x, y = offset @ right / depth, offset @ np.cross(right, forward) / depth
    return np.stack([size[0] / 2 - focal * y - 0.5, size[1] / 2 + focal * x - 0.5], axis=1)


def goal_in_world(scene: SceneSpec, goal: Intersection) -> npt.NDArray[np.float64]:
    """The goal's intersection, float64[3] in W (m)."""
    X_WG = compose(scene.board.X_WB, Pose((*scene.board.point(goal.row, goal.column), 0.0)))
    return np.array(X_WG.p)


def outlines(scene: SceneSpec, goal: Goal, radius: float) -> list[npt.NDArray[np.float64]]:
    """Closed lines around what a goal asks for, float64[N, 3] each, in W (m).

    An intersection has a circle of ``radius`` on the board, a region its rectangle on the table.
    """
    lines = []
    for place in alternatives(goal):
        if isinstance(place, Region):
            (x, y), (dx, dy) = place.center, place.half_size
            corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
            lines.append(np.array([(x + dx * i, y + dy * j, scene.table.height) for i, j in corners]))
        else:
            circle = radius * np.stack([np.cos(_TURN), np.sin(_TURN), 0 * _TURN], axis=1)
            R_WB = matrix_from_quaternion(scene.board.X_WB.q)
            lines.append(goal_in_world(scene, place) + circle @ R_WB.T)
    return lines


def ringed(env: Environment, camera: str, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A copy of a frame uint8[H, W, 3] of a camera in the world, with the present target ringed."""
    scene = env.episode.scene
    view = next(spec for spec in scene.cameras if spec.name == camera)
    # A third wider than the tolerance, so that the stone inside of it stays in sight.
    return outlined(frame, view, outlines(scene, env.move.goal, env.tolerances.distance * 4 / 3))


def outlined(frame: np.ndarray, view: CameraSpec, lines: Sequence[np.ndarray]) -> np.ndarray:
    """A copy of a frame uint8[H, W, 3] of a camera in the world, with lines float64[N, 3] in W (m)."""
    from PIL import Image, ImageDraw

    height, width = frame.shape[:2]
    # Drawn larger and filtered down: a ring is only some pixels wide.
    ink = Image.new("L", (width * _FINE, height * _FINE), 0)
    draw = ImageDraw.Draw(ink)
    for line in lines:
        pixels = (project(view, line, (height, width)) + 0.5) * _FINE
        draw.line(
            [(x, y) for y, x in pixels], fill=255, width=max(_FINE, height * _FINE // 150), joint="curve"
        )
    share = np.asarray(ink.resize((width, height), Image.Resampling.BOX), dtype=np.float32)[..., None] / 255
    return np.rint(frame * (1 - share) + np.array(RING) * share).astype(np.uint8)
