"""What changes the motion itself: friction, mass, and what becomes of actions."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.perturbations.base import HIGHEST, Actuation, Perturbation, Touches, sign, spread
from core.world.scene import SceneSpec, StoneSpec, each_stone

_LIVE = frozenset({Capability.LIVE_PHYSICS})


class Friction(Perturbation):
    """Pads become slipperier, never grippier; stone on stone, board and table either way."""

    name: ClassVar[str] = "friction"
    family: ClassVar[str] = "physics"
    touches: ClassVar[Touches] = Touches.PHYSICS
    unit: ClassVar[str] = "friction coefficient of the pads (1 when clean); of surfaces (0.4), factor"
    levels: ClassVar[tuple[str, ...]] = (
        "0.9; 1.1 or its inverse", "0.8; 1.2", "0.7; 1.3", "0.6; 1.4", "0.5; 1.5",
    )  # fmt: skip
    statistic: ClassVar[str] = "friction coefficient of the pads below 1"
    capabilities: ClassVar[frozenset[Capability]] = _LIVE

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        share = level / HIGHEST
        factor = 1 + 0.5 * share * spread(rng)
        pads = 1 - 0.5 * share * spread(rng)
        return {"pads": pads, "surfaces_factor": factor if sign(rng) > 0 else 1 / factor}

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        physics = scene.physics
        return replace(
            scene,
            physics=replace(
                physics,
                pad_stone=physics.pad_stone * draw["pads"],
                surface_stone=physics.surface_stone * draw["surfaces_factor"],
            ),
        )


class StoneMass(Perturbation):
    """All stones are heavier or lighter; their inertia goes with it."""

    name: ClassVar[str] = "stone_mass"
    family: ClassVar[str] = "physics"
    touches: ClassVar[Touches] = Touches.PHYSICS
    unit: ClassVar[str] = "factor or its inverse"
    levels: ClassVar[tuple[str, ...]] = tuple(f"up to {2 ** (0.3 * k):.2f}" for k in range(1, 6))
    statistic: ClassVar[str] = "logarithm of the mass from 5 g, either way"
    capabilities: ClassVar[frozenset[Capability]] = _LIVE

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"factor": float(2 ** (0.3 * level * sign(rng) * spread(rng)))}

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        factor = draw["factor"]

        def weighed(stone: StoneSpec) -> StoneSpec:
            return replace(stone, mass=stone.mass * factor, inertia=stone.inertia * factor)

        return replace(scene, stones=each_stone(scene.stones, weighed))


class ActionLatency(Perturbation):
    """Every action is carried out some control steps after it was given; until the first, nothing is done."""

    name: ClassVar[str] = "action_latency"
    family: ClassVar[str] = "physics"
    touches: ClassVar[Touches] = Touches.CONTROL
    unit: ClassVar[str] = "control steps"
    levels: ClassVar[tuple[str, ...]] = ("1", "2", "3", "4", "5")
    statistic: ClassVar[str] = "control steps until the arm moves"

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"steps": int(level)}

    def actuate(self, actuation: Actuation, draw: dict[str, Any]) -> Actuation:
        return replace(actuation, latency=draw["steps"])


class ActionNoise(Perturbation):
    """The commanded target jitters about where it was commanded to, anew in every step; it does not drift."""

    name: ClassVar[str] = "action_noise"
    family: ClassVar[str] = "physics"
    touches: ClassVar[Touches] = Touches.CONTROL
    unit: ClassVar[str] = "mm, standard deviation along each axis"
    levels: ClassVar[tuple[str, ...]] = ("0.3", "0.6", "0.9", "1.2", "1.5")
    statistic: ClassVar[str] = "mean distance of the commanded target from where the actions put it"

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"sigma_m": 0.0003 * level}

    def actuate(self, actuation: Actuation, draw: dict[str, Any]) -> Actuation:
        return replace(actuation, noise=draw["sigma_m"])
