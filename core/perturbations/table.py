"""Table and wall: colour and texture."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.perturbations.base import HIGHEST, Perturbation, Touches, spread
from core.world.rotations import triple
from core.world.scene import MaterialSpec, SceneSpec, TextureSpec
from core.world.textures import WOOD_DARK, WOOD_LIGHT

# Textures and their pairs of linear colours (light, dark). Nothing of one set is in the other.
SEEN = ("wood", "marble", "felt", "checker")
UNSEEN = ("noise", "stripes", "bricks", "terrazzo", "dots")
SEEN_COLORS = (
    ((0.45, 0.30, 0.16), (0.26, 0.15, 0.07)),
    ((0.55, 0.55, 0.52), (0.30, 0.31, 0.33)),
    ((0.10, 0.32, 0.16), (0.06, 0.20, 0.10)),
    ((0.34, 0.36, 0.42), (0.16, 0.18, 0.24)),
)
UNSEEN_COLORS = (
    ((0.20, 0.34, 0.55), (0.08, 0.14, 0.30)),
    ((0.55, 0.26, 0.20), (0.30, 0.10, 0.08)),
    ((0.50, 0.44, 0.20), (0.26, 0.22, 0.08)),
    ((0.42, 0.22, 0.46), (0.18, 0.08, 0.22)),
)
SETS = {
    "seen": f"one of {', '.join(SEEN)} in four pairs of colours; may be trained on",
    "unseen": f"one of {', '.join(UNSEEN)} in four other pairs; held out",
}
LUMINANCE = (0.2126, 0.7152, 0.0722)
_LIVE = frozenset({Capability.LIVE_MATERIALS})


def bright_hue(hue: float, luminance: float) -> tuple[float, float, float]:
    """A saturated linear colour of a hue in [0, 1) with about the given luminance, no channel above 0.9."""
    distances = (abs((3 * hue - k + 1.5) % 3 - 1.5) for k in range(3))  # from red, green and blue
    channels = [0.12 + 0.88 * min(max(1.5 - 1.5 * distance, 0.0), 1.0) for distance in distances]
    factor = luminance / sum(weight * channel for weight, channel in zip(LUMINANCE, channels, strict=True))
    return triple(min(channel * factor, 0.9) for channel in channels)


def luminance(color: tuple[float, float, float]) -> float:
    """Of a linear colour (Rec. 709)."""
    return sum(weight * value for weight, value in zip(LUMINANCE, color, strict=True))


def mixed(color: Iterable[float], target: Iterable[float], share: float) -> tuple[float, float, float]:
    """``color`` moved towards ``target``."""
    return triple(a * (1 - share) + b * share for a, b in zip(color, target, strict=True))


def draw_texture(rng: np.random.Generator, level: str) -> dict[str, Any]:
    """A texture of a set, with a pair of colours and the seed of its pattern."""
    names, colors = (SEEN, SEEN_COLORS) if level == "seen" else (UNSEEN, UNSEEN_COLORS)
    light, dark = colors[int(rng.integers(len(colors)))]
    return {
        "texture": names[int(rng.integers(len(names)))],
        "light": list(light),
        "dark": list(dark),
        "pattern": int(rng.integers(1000)),
    }


def textured(material: MaterialSpec, draw: dict[str, Any]) -> MaterialSpec:
    """``material`` with the drawn texture."""
    params = (("light", tuple(draw["light"])), ("dark", tuple(draw["dark"])), ("seed", draw["pattern"]))
    return replace(material, color=(1.0, 1.0, 1.0), texture=TextureSpec(name=draw["texture"], params=params))


def tinted(material: MaterialSpec, hue: float, share: float) -> MaterialSpec:
    """``material`` with its colours moved towards a hue; each keeps about its luminance."""
    if material.texture is None:
        target = bright_hue(hue, luminance(material.color))
        return replace(material, color=mixed(material.color, target, share))
    params: dict[str, Any] = {"light": WOOD_LIGHT, "dark": WOOD_DARK, **dict(material.texture.params)}
    for name in ("light", "dark"):
        params[name] = mixed(params[name], bright_hue(hue, luminance(params[name])), share)
    return replace(material, texture=replace(material.texture, params=tuple(sorted(params.items()))))


class _Color(Perturbation):
    touches: ClassVar[Touches] = Touches.PICTURE
    unit: ClassVar[str] = "share of the way to another hue of equal luminance"
    levels: ClassVar[tuple[str, ...]] = ("up to 0.2", "up to 0.4", "up to 0.6", "up to 0.8", "up to 1")
    statistic: ClassVar[str] = "mean absolute difference of the picture from the clean one"
    capabilities: ClassVar[frozenset[Capability]] = _LIVE

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        hue, share = float(rng.uniform()), spread(rng)
        return {"hue": hue, "share": share * level / HIGHEST}


class TableColor(_Color):
    """The table's two colours turn towards a drawn hue."""

    name: ClassVar[str] = "table_color"
    family: ClassVar[str] = "table and wall"

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        material = tinted(scene.table.material, draw["hue"], draw["share"])
        return replace(scene, table=replace(scene.table, material=material))


class WallColor(_Color):
    """The wall turns towards a drawn hue."""

    name: ClassVar[str] = "wall_color"
    family: ClassVar[str] = "table and wall"

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        return replace(
            scene, wall=replace(scene.wall, material=tinted(scene.wall.material, draw["hue"], draw["share"]))
        )


class _Texture(Perturbation):
    touches: ClassVar[Touches] = Touches.PICTURE
    sets: ClassVar[dict[str, str]] = SETS
    capabilities: ClassVar[frozenset[Capability]] = _LIVE

    def draw(self, rng: np.random.Generator, level: str) -> dict[str, Any]:
        return draw_texture(rng, level)


class TableTexture(_Texture):
    """The table is covered with another material."""

    name: ClassVar[str] = "table_texture"
    family: ClassVar[str] = "table and wall"

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        return replace(scene, table=replace(scene.table, material=textured(scene.table.material, draw)))


class WallTexture(_Texture):
    """The wall is covered with another material."""

    name: ClassVar[str] = "wall_texture"
    family: ClassVar[str] = "table and wall"

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        return replace(scene, wall=replace(scene.wall, material=textured(scene.wall.material, draw)))
