"""Other things on the table."""

from dataclasses import replace
from math import hypot
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from core.backend import Capability
from core.errors import EpisodeInitializationError
from core.perturbations.base import HIGHEST, Perturbation, Touches, plain
from core.perturbations.table import bright_hue
from core.task import Episode, Task
from core.world.rotations import Pose, matrix_from_quaternion, quaternion_about_z
from core.world.scene import MaterialSpec, ObjectSpec, SceneSpec

POOL = 2 * HIGHEST
PER_LEVEL = 2
CANDIDATES = 100
REGION = ((-0.42, 0.42), (-0.32, 0.16))  # x_W, y_W: what head sees, and a little more (m)
# Half sizes (m). Lower than what the expert carries over them: its stones pass 64 mm above the table.
SIZES = ((0.022, 0.022, 0.018), (0.018, 0.018, 0.022), (0.016, 0.026, 0.014))
PAINTS = tuple(MaterialSpec(color=bright_hue(k / 12, 0.2)) for k in range(12))
SHAPES: tuple[Literal["box", "cylinder", "cone"], ...] = ("box", "cylinder", "cone")
FROM_STONES = 0.085  # m between middles: an open finger's outer side is 39 mm from the stone's
FROM_BOARD = 0.050  # m from the board's edge
FROM_EACH_OTHER = 0.064  # m between middles


class Distractors(Perturbation):
    """Boxes, cylinders and cones stand on the table, drawn and solid, where they bar no stone's way."""

    name: ClassVar[str] = "distractors"
    family: ClassVar[str] = "objects"
    touches: ClassVar[Touches] = Touches.OBJECTS
    unit: ClassVar[str] = "objects"
    levels: ClassVar[tuple[str, ...]] = tuple(str(PER_LEVEL * k) for k in range(1, 6))
    statistic: ClassVar[str] = "number of objects on the table"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.STATIC_OBJECTS, Capability.LIVE_POSES, Capability.LIVE_MATERIALS}
    )

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        (left, right), (near, far) = REGION
        points = np.stack([rng.uniform(left, right, CANDIDATES), rng.uniform(near, far, CANDIDATES)], axis=1)
        return {
            "count": PER_LEVEL * level,
            "points_m": np.round(points.ravel(), 4).tolist(),
            "yaws_rad": plain(rng.uniform(0, 2 * np.pi, POOL)),
            "hues": rng.integers(len(PAINTS), size=POOL).tolist(),
        }

    def prepare(self, scene: SceneSpec) -> SceneSpec:
        pool = tuple(
            ObjectSpec(
                name=f"object_{k}", shape=SHAPES[k % len(SHAPES)], half_size=SIZES[k // 2 % len(SIZES)]
            )
            for k in range(POOL)
        )
        return replace(scene, objects=pool)

    def arrange(self, episode: Episode, draw: dict[str, Any], task: Task) -> Episode:
        scene, points = episode.scene, np.array(draw["points_m"]).reshape(-1, 2)
        points = points[_free(scene, points, episode.state.stone_poses[:, :2])]
        placed: list[tuple[float, float]] = []
        for x, y in points.tolist():
            if len(placed) == draw["count"]:
                break
            if all(hypot(x - a, y - b) >= FROM_EACH_OTHER for a, b in placed):
                placed.append((x, y))
        if len(placed) < draw["count"]:
            raise EpisodeInitializationError(
                f"distractors: only {len(placed)} of {draw['count']} objects found a place among the stones"
            )
        objects = list(scene.objects)
        for k, ((x, y), yaw, hue) in enumerate(zip(placed, draw["yaws_rad"], draw["hues"], strict=False)):
            z = scene.table.height + objects[k].half_size[2]
            objects[k] = ObjectSpec(
                name=objects[k].name,
                shape=objects[k].shape,
                half_size=objects[k].half_size,
                X_WO=Pose((x, y, z), quaternion_about_z(yaw)),
                material=PAINTS[hue],
            )
        return replace(episode, scene=replace(scene, objects=tuple(objects)))


def _free(
    scene: SceneSpec, points: npt.NDArray[np.float64], stones: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Which of points float64[N, 2] (in W) are away from the board and from stones float32[S, 2]."""
    board = scene.board
    offsets = points - board.X_WB.p[:2]
    p_B = offsets @ matrix_from_quaternion(board.X_WB.q)[:2, :2]
    clear = abs(p_B).max(axis=1) >= board.width / 2 + FROM_BOARD
    distances = np.linalg.norm(points[:, None] - stones[None], axis=2)
    for mark in scene.marks:
        clear &= (abs(points - mark.center) - mark.half_size).max(axis=1) >= FROM_STONES
    free: npt.NDArray[np.bool_] = clear & (distances >= FROM_STONES).all(axis=1)
    return free
