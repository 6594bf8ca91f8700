"""Gravity is weaker: a knob of physics."""

from dataclasses import replace

import numpy as np

from core import Capability, Level, Perturbation, SceneSpec, Touches


class Moon(Perturbation):
    """Gravity is weaker, down to half of the earth's."""

    name = "moon"
    family = "physics"
    touches = Touches.PHYSICS
    unit = "percent of the earth's gravity"
    levels = ("90", "80", "70", "60", "50")
    statistic = "how much weaker gravity is than the earth's"
    capabilities = frozenset({Capability.LIVE_PHYSICS})
    after = "friction"

    def draw(self, rng: np.random.Generator, level: Level) -> dict:
        return {"factor": 1 - 0.1 * level}

    def dress(self, scene: SceneSpec, draw: dict) -> SceneSpec:
        gravity = scene.physics.gravity * draw["factor"]
        return replace(scene, physics=replace(scene.physics, gravity=gravity))
