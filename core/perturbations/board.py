"""Where the board lies."""

from dataclasses import replace
from math import copysign
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.perturbations.base import HIGHEST, Perturbation, Touches, plain, sign, spread
from core.world.rotations import Pose, multiply, quaternion_about_z
from core.world.scene import SceneSpec

# Along y_W the arm's reach ends 6 cm beyond the board: there the board moves by a third only.
SHIFT_X, SHIFT_Y = 0.060, 0.020  # m
YAW = np.radians(15.0)


class BoardPose(Perturbation):
    """The board is shifted and turned on the table; the stones are laid out around it as it lies.

    Stones on the board keep their intersections. A marked area stays, and the board shifts away from it.
    """

    name: ClassVar[str] = "board_pose"
    family: ClassVar[str] = "the board"
    touches: ClassVar[Touches] = Touches.LAYOUT
    unit: ClassVar[str] = "mm along x and degrees about z (along y a third)"
    levels: ClassVar[tuple[str, ...]] = ("12 mm, 3", "24 mm, 6", "36 mm, 9", "48 mm, 12", "60 mm, 15")
    statistic: ClassVar[str] = "distance of the board's middle, and its yaw, from the clean pose"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.LIVE_POSES})

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        angle, far, turn = rng.uniform(0, 2 * np.pi), spread(rng), sign(rng) * spread(rng)
        share = level / HIGHEST
        shift = far * share * np.array([SHIFT_X * np.cos(angle), SHIFT_Y * np.sin(angle)])
        return {"shift_m": plain(shift), "yaw_rad": float(YAW * turn * share)}

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        (x, y, z), (dx, dy) = scene.board.X_WB.p, draw["shift_m"]
        for mark in scene.marks:
            dx = -copysign(dx, mark.center[0] - x)
        q = multiply(quaternion_about_z(draw["yaw_rad"]), scene.board.X_WB.q)
        return replace(scene, board=replace(scene.board, X_WB=Pose((x + dx, y + dy, z), tuple(plain(q)))))
