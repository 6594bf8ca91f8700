"""A simulator that is wrong on purpose: MuJoCo with fingers of ice."""

from dataclasses import replace
from typing import ClassVar

from backends.mujoco import MujocoBackend
from core.world.scene import SceneSpec


class SlipperyBackend(MujocoBackend):
    """MuJoCo in which nothing can be held."""

    name: ClassVar[str] = "slippery"

    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        super().build(_iced(scene), image_size=image_size, supersample=supersample)

    def dress(self, scene: SceneSpec) -> None:
        super().dress(_iced(scene))


def _iced(scene: SceneSpec) -> SceneSpec:
    return replace(scene, physics=replace(scene.physics, pad_stone=0.001))
