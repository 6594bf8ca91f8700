"""Physics of one engine, pictures of another: ``make_task(backend="mujoco", renderer="robotwin")``.

A second backend is built from the same scene, and only draws: before a picture it is put into the state that
the first one reads. The first one is built without cameras, so its physics is what it is without any renderer,
to the last bit.
"""

from dataclasses import replace

import numpy as np

from core.backend import Backend, CameraImage, Capability, ContactForce
from core.world.scene import CameraSpec, SceneSpec
from core.world.state import SceneState

# What only the engine that moves the bodies needs, and what only the one that draws them does. Everything else
# (poses, shapes, objects) both must be able to change.
PHYSICAL = frozenset({Capability.CONTACT_FORCES, Capability.LIVE_PHYSICS})
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


def joint_capabilities(physics: type[Backend], drawing: type[Backend]) -> frozenset[Capability]:
    """What the two can do together."""
    return frozenset(
        (physics.capabilities & PHYSICAL)
        | (drawing.capabilities & DRAWN)
        | ((physics.capabilities & drawing.capabilities) - PHYSICAL - DRAWN)
    )


class SeparatelyDrawn(Backend):
    """A world that ``physics`` moves and ``drawing`` draws; its name is that of the physics."""

    def __init__(self, physics: Backend, drawing: Backend) -> None:
        self._physics, self._drawing = physics, drawing
        self.name = physics.name
        self.capabilities = joint_capabilities(type(physics), type(drawing))
        self._drawn: SceneState | None = None  # what ``drawing`` holds

    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        self._physics.build(replace(scene, cameras=()), image_size=image_size, supersample=supersample)
        try:
            self._drawing.build(scene, image_size=image_size, supersample=supersample)
        except BaseException:
            self._physics.close()
            raise

    def reset(self, scene: SceneSpec, state: SceneState) -> None:
        self._drawn = None
        self._physics.reset(replace(scene, cameras=()), state)
        self._drawing.reset(scene, state)
        self._drawn = state

    def step(self, joint_targets: np.ndarray) -> None:
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
