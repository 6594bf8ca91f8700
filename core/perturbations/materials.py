"""How board and stones reflect.

Only what both renderers agree on: roughness over its whole range, metallic up to 0.3 (with SAPIEN's stock
shader rough metal is darker than in Filament). Dielectric reflectance is not part of it: Filament's
surfaces all have the same.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from core.backend import Capability
from core.perturbation import HIGHEST, Level, Perturbation, Touches, spread
from core.scene import MaterialSpec, SceneSpec, each_stone

GLOSSY, ROUGH, MOST_METALLIC = 0.12, 0.98, 0.3


class Reflectivity(Perturbation):
    """Board and stones become glossier or duller, and a little metallic, each surface by itself."""

    name: ClassVar[str] = "reflectivity"
    family: ClassVar[str] = "board and stones"
    touches: ClassVar[Touches] = Touches.PICTURE
    unit: ClassVar[str] = "share of the way to roughness 0.12 or 0.98, and metallic"
    levels: ClassVar[tuple[str, ...]] = (
        "up to 0.2, metallic 0.06", "up to 0.4, metallic 0.12", "up to 0.6, metallic 0.18",
        "up to 0.8, metallic 0.24", "up to 1, metallic 0.3",
    )  # fmt: skip
    statistic: ClassVar[str] = "mean absolute difference of the picture from the clean one"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.LIVE_MATERIALS})

    def draw(self, rng: np.random.Generator, level: Level) -> dict:
        return {
            surface: {
                "roughness": (GLOSSY, ROUGH)[int(rng.integers(2))],
                "share": spread(rng) * level / HIGHEST,
                "metallic": MOST_METALLIC * spread(rng) * level / HIGHEST,
            }
            for surface in ("board", "black", "white")
        }

    def dress(self, scene: SceneSpec, draw: dict) -> SceneSpec:
        return replace(
            scene,
            board=replace(scene.board, material=_reflecting(scene.board.material, draw["board"])),
            stones=each_stone(
                scene.stones,
                lambda stone: replace(stone, material=_reflecting(stone.material, draw[stone.color])),
            ),
        )


def _reflecting(material: MaterialSpec, drawn: dict) -> MaterialSpec:
    roughness = material.roughness + drawn["share"] * (drawn["roughness"] - material.roughness)
    return replace(material, roughness=roughness, metallic=drawn["metallic"])
