"""How board and stones reflect.

Only what both renderers agree on: roughness and the reflectance of dielectrics over their whole range,
metallic up to 0.3 (with SAPIEN's stock shader rough metal is darker than in Filament). A surface is either a
little metallic or a dielectric of another reflectance: the specular of metals, Filament cannot change.
"""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.perturbations.base import HIGHEST, Perturbation, Touches, spread
from core.world.scene import MaterialSpec, SceneSpec, each_stone

GLOSSY, ROUGH, MOST_METALLIC = 0.12, 0.98, 0.3
SPECULAR = 0.5  # of clean surfaces


class Reflectivity(Perturbation):
    """Board and stones become glossier or duller, and a little metallic, or reflect more or less.

    Each surface by itself. Glossy dielectrics reflect more, up to 8 percent instead of 4, dull ones less,
    down to nothing: the one never hides the other.
    """

    name: ClassVar[str] = "reflectivity"
    family: ClassVar[str] = "board and stones"
    touches: ClassVar[Touches] = Touches.PICTURE
    unit: ClassVar[str] = "share of the way to roughness 0.12 or 0.98; metallic, or specular from 0.5"
    levels: ClassVar[tuple[str, ...]] = tuple(
        f"up to {0.2 * k:g}; {0.06 * k:g}, or +-{0.1 * k:g}" for k in range(1, 6)
    )
    statistic: ClassVar[str] = "mean absolute difference of the picture from the clean one"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.LIVE_MATERIALS})

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {surface: self._surface(rng, level / HIGHEST) for surface in ("board", "black", "white")}

    def _surface(self, rng: np.random.Generator, most: float) -> dict[str, Any]:
        roughness, share = (GLOSSY, ROUGH)[int(rng.integers(2))], spread(rng) * most
        metal, far = bool(rng.integers(2)), spread(rng) * most
        return {
            "roughness": roughness,
            "share": share,
            "metallic": MOST_METALLIC * far if metal else 0.0,
            "specular": SPECULAR if metal else SPECULAR * (1 + far if roughness == GLOSSY else 1 - far),
        }

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        return replace(
            scene,
            board=replace(scene.board, material=_reflecting(scene.board.material, draw["board"])),
            stones=each_stone(
                scene.stones,
                lambda stone: replace(stone, material=_reflecting(stone.material, draw[stone.color])),
            ),
        )


def _reflecting(material: MaterialSpec, drawn: dict[str, Any]) -> MaterialSpec:
    roughness = material.roughness + drawn["share"] * (drawn["roughness"] - material.roughness)
    return replace(material, roughness=roughness, metallic=drawn["metallic"], specular=drawn["specular"])
