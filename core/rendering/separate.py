"""Physics of one engine, pictures of another: ``make_task(backend="mujoco", renderer="robotwin")``.

A second backend is built from the same scene, and only draws: before a picture it is put into the state that
the first one reads. The first one is built without cameras, so its physics is to the last bit what it is
without any renderer.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from core.backend import Backend, CameraImage, Capability, ContactForce
from core.world.scene import CameraSpec, SceneSpec
from core.world.state import SceneState

# What only the engine that moves the bodies needs, and what only the one that draws them does. The rest
# (poses, shapes, objects) both must be able to change.
PHYSICAL = frozenset({Capability.CONTACT_FORCES, Capability.CONTACT_FRICTION, Capability.LIVE_PHYSICS})
DRAWN = frozenset(
    {
        Capability.RGB,
        Capability.DEPTH,
        Capability.SEGMENTATION,
        Capability.LIVE_MATERIALS,
        Capability.LIVE_LIGHTS,
        Capability.LIVE_CAMERAS,
        Capability.LIVE_SHADOWS,
    }
)


def separately_drawn(physics: type[Backend], drawing: type[Backend]) -> type[Backend]:
    """The backend that ``physics`` moves and names, and ``drawing`` draws."""
    both = physics.capabilities & drawing.capabilities
    own = (physics.capabilities & PHYSICAL) | (drawing.capabilities & DRAWN)
    members = {
        "name": physics.name,
        "capabilities": frozenset(own | (both - PHYSICAL - DRAWN)),
        "__doc__": f"Moved by {physics.name}, drawn by {drawing.name}.",
        "_kinds": (physics, drawing),
    }
    return type(f"{physics.__name__}DrawnBy{drawing.__name__}", (SeparatelyDrawn,), members)


class SeparatelyDrawn(Backend):
    """A world that one engine moves and another draws; see ``separately_drawn``."""

    _kinds: ClassVar[tuple[type[Backend], type[Backend]]]

    def __init__(self) -> None:
        physics, drawing = self._kinds
        self._physics, self._drawing = physics(), drawing()
        self._drawn: SceneState | None = None  # what ``_drawing`` holds
        self._scene: SceneSpec | None = None
        self._blind: SceneSpec | None = None  # ``_scene`` without its cameras

    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        self._physics.build(self._without_cameras(scene), image_size=image_size, supersample=supersample)
        self.built = scene
        try:
            self._drawing.build(scene, image_size=image_size, supersample=supersample)
        except BaseException:
            self._physics.close()
            raise

    def dress(self, scene: SceneSpec) -> None:
        self._drawn = None  # other materials and lights make another picture of the same state
        self._physics.dress(self._without_cameras(scene))
        self._drawing.dress(scene)

    def step(self, joint_targets: npt.NDArray[np.float64]) -> None:
        self._physics.step(joint_targets)

    def read_state(self) -> SceneState:
        return self._physics.read_state()

    def write_state(self, state: SceneState) -> None:
        self._physics.write_state(state)

    def contact_forces(self) -> list[ContactForce]:
        return self._physics.contact_forces()

    def render(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        state = self._physics.read_state()
        if state is not self._drawn:
            self._drawing.write_state(state)
            self._drawn = state
        return self._drawing.render(camera, modalities)

    def set_camera(self, camera: CameraSpec) -> None:
        self._drawing.set_camera(camera)

    def close(self) -> None:
        try:
            self._physics.close()
        finally:
            self._drawing.close()

    def _without_cameras(self, scene: SceneSpec) -> SceneSpec:
        """The same object for the same scene: engines compare what they are given by identity first."""
        if scene is not self._scene or self._blind is None:
            self._scene, self._blind = scene, replace(scene, cameras=())
        return self._blind
