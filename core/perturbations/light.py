"""Lights and shadows."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.perturbations.base import HIGHEST, Perturbation, Touches, plain, sign, spread
from core.perturbations.table import bright_hue, luminance, mixed
from core.world.scene import LightSpec, SceneSpec

STOPS = 0.2  # a severity
_LIVE = frozenset({Capability.LIVE_LIGHTS})


class _Light(Perturbation):
    family: ClassVar[str] = "light"
    touches: ClassVar[Touches] = Touches.PICTURE
    statistic: ClassVar[str] = "mean absolute difference of the picture from the clean one"
    capabilities: ClassVar[frozenset[Capability]] = _LIVE

    def light(self, light: LightSpec, draw: dict[str, Any]) -> LightSpec:
        """One light with the draw applied."""
        return light

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        return replace(scene, lights=tuple(self.light(light, draw) for light in scene.lights))


class LightIntensity(_Light):
    """All lights become brighter or darker together."""

    name: ClassVar[str] = "light_intensity"
    unit: ClassVar[str] = "photographic stops"
    levels: ClassVar[tuple[str, ...]] = tuple(f"+-{STOPS * k:g}" for k in range(1, 6))

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"factor": float(2 ** (STOPS * level * sign(rng) * spread(rng)))}

    def light(self, light: LightSpec, draw: dict[str, Any]) -> LightSpec:
        return replace(light, color=tuple(value * draw["factor"] for value in light.color))


class LightColor(_Light):
    """All lights but the ambient one turn towards a hue, each its own, of equal luminance."""

    name: ClassVar[str] = "light_color"
    unit: ClassVar[str] = "share of the way to another hue"
    levels: ClassVar[tuple[str, ...]] = tuple(f"up to {0.14 * k:g}" for k in range(1, 6))

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        share = 0.7 * spread(rng) * level / HIGHEST
        return {"share": share, "hues": {name: float(rng.uniform()) for name in ("sun", "left", "right")}}

    def light(self, light: LightSpec, draw: dict[str, Any]) -> LightSpec:
        if light.name not in draw["hues"]:
            return light
        hue = bright_hue(draw["hues"][light.name], 0.2)  # far from where a channel would be cut off
        factor = luminance(light.color) / luminance(hue)
        target = tuple(value * factor for value in hue)
        return replace(light, color=mixed(light.color, target, draw["share"]))


class LightDirection(_Light):
    """The sun stands elsewhere."""

    name: ClassVar[str] = "light_direction"
    unit: ClassVar[str] = "degrees"
    levels: ClassVar[tuple[str, ...]] = tuple(f"up to {7 * k}" for k in range(1, 6))

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {
            "towards_rad": float(rng.uniform(0, 2 * np.pi)),
            "angle_rad": float(np.radians(7 * level) * spread(rng)),
        }

    def light(self, light: LightSpec, draw: dict[str, Any]) -> LightSpec:
        if light.kind != "directional":
            return light
        d = np.asarray(light.direction) / np.linalg.norm(light.direction)
        x = np.cross(d, (1.0, 0.0, 0.0))
        x /= np.linalg.norm(x)
        side = np.cos(draw["towards_rad"]) * x + np.sin(draw["towards_rad"]) * np.cross(d, x)
        return replace(
            light, direction=tuple(plain(np.cos(draw["angle_rad"]) * d + np.sin(draw["angle_rad"]) * side))
        )


class Shadows(_Light):
    """Whether the sun casts shadows."""

    name: ClassVar[str] = "shadows"
    sets: ClassVar[dict[str, str]] = {"off": "the sun casts none"}
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.LIVE_SHADOWS})

    def draw(self, rng: np.random.Generator, level: str) -> dict[str, Any]:
        return {}

    def light(self, light: LightSpec, draw: dict[str, Any]) -> LightSpec:
        return replace(light, cast_shadow=False)
