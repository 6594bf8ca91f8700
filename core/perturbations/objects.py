"""Other things on the table."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from core.backend import Capability
from core.errors import EpisodeInitializationError
from core.perturbation import HIGHEST, Level, Perturbation, Touches, plain
from core.perturbations.table import bright_hue
from core.rotations import Pose, matrix_from_quaternion, quaternion_about_z
from core.scene import MaterialSpec, ObjectSpec, SceneSpec
from core.task import Episode, Task

POOL = 2 * HIGHEST
PER_LEVEL = 2
CANDIDATES = 120
REGION = ((-0.40, 0.40), (-0.32, 0.14))  # x_W, y_W that head sees (m)
# Half sizes (m). Lower than what the expert carries over them: its stones pass 64 mm above the table.
SIZES = ((0.022, 0.022, 0.018), (0.018, 0.018, 0.022), (0.016, 0.026, 0.014))
SHAPES = ("box", "cylinder", "cone")
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
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.STATIC_OBJECTS, Capability.LIVE_POSES})

    def draw(self, rng: np.random.Generator, level: Level) -> dict:
        (left, right), (near, far) = REGION
        points = np.stack([rng.uniform(left, right, CANDIDATES), rng.uniform(near, far, CANDIDATES)], axis=1)
        return {
            "count": PER_LEVEL * level,
            "points_m": np.round(points.ravel(), 4).tolist(),
            "yaws_rad": plain(rng.uniform(0, 2 * np.pi, POOL)),
            "hues": plain(rng.uniform(size=POOL)),
        }

    def prepare(self, scene: SceneSpec) -> SceneSpec:
        pool = tuple(
            ObjectSpec(name=f"object_{k}", shape=SHAPES[k % len(SHAPES)], half_size=SIZES[k // 2 % len(SIZES)])
            for k in range(POOL)
        )
        return replace(scene, objects=pool)

    def dress(self, scene: SceneSpec, draw: dict) -> SceneSpec:
        colors = (tuple(plain(bright_hue(hue, 0.2))) for hue in draw["hues"])
        material = MaterialSpec(roughness=0.5)
        objects = tuple(
            replace(thing, material=replace(material, color=color))
            for thing, color in zip(scene.objects, colors, strict=True)
        )
        return replace(scene, objects=objects)

    def arrange(self, episode: Episode, draw: dict, task: Task) -> Episode:
        scene, points = episode.scene, np.array(draw["points_m"]).reshape(-1, 2)
        points, placed = points[_free(scene, points, episode.state.stone_poses[:, :2])], []
        while len(placed) < draw["count"] and len(points):
            placed.append(points[0])
            points = points[np.hypot(*(points - points[0]).T) >= FROM_EACH_OTHER]
        if len(placed) < draw["count"]:
            raise EpisodeInitializationError(
                f"distractors: only {len(placed)} of {draw['count']} objects found a place among the stones"
            )
        objects = list(scene.objects)
        for k, (x, y) in enumerate(placed):
            z = scene.table.height + objects[k].half_size[2]
            pose = Pose((float(x), float(y), z), quaternion_about_z(draw["yaws_rad"][k]))
            objects[k] = replace(objects[k], X_WO=pose)
        return replace(episode, scene=replace(scene, objects=tuple(objects)))


def _free(scene: SceneSpec, points: np.ndarray, stones: np.ndarray) -> np.ndarray:
    """Which of points float64[N, 2] (in W) are away from the board and from stones float32[S, 2]."""
    board = scene.board
    offsets = points - board.X_WB.p[:2]
    p_B = offsets @ matrix_from_quaternion(board.X_WB.q)[:2, :2]
    clear = abs(p_B).max(axis=1) >= board.width / 2 + FROM_BOARD
    distances = np.linalg.norm(points[:, None] - stones[None], axis=2)
    return clear & (distances >= FROM_STONES).all(axis=1)
