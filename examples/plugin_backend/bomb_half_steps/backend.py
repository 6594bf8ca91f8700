"""MuJoCo at half the time step: what a result owes to the step of the engine alone.

It wraps the backend that BOMB has, and shows every method that a backend of one's own must have.
"""

from dataclasses import replace

import numpy as np

from core import Backend, CameraImage, CameraSpec, ContactForce, SceneSpec, SceneState, load_backend

_Whole = load_backend("mujoco")
_PARTS = 2  # steps of ours to one of the scene's


class HalfSteps(Backend):
    """MuJoCo with time steps of 1 ms where the scene has 2 ms."""

    name = "half_steps"
    capabilities = _Whole.capabilities

    def __init__(self) -> None:
        self._engine = _Whole()

    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        self.built = scene
        self._engine.build(_finer(scene), image_size=image_size, supersample=supersample)

    def dress(self, scene: SceneSpec) -> None:
        self._engine.dress(_finer(scene))

    def step(self, joint_targets: np.ndarray) -> None:
        self._engine.step(np.repeat(joint_targets, _PARTS, axis=0))

    def read_state(self) -> SceneState:
        return self._engine.read_state()

    def write_state(self, state: SceneState) -> None:
        self._engine.write_state(state)

    def contact_forces(self) -> list[ContactForce]:
        return self._engine.contact_forces()

    def render(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        return self._engine.render(camera, modalities)

    def set_camera(self, camera: CameraSpec) -> None:
        self._engine.set_camera(camera)

    def close(self) -> None:
        self._engine.close()


def _finer(scene: SceneSpec) -> SceneSpec:
    return replace(scene, physics=replace(scene.physics, timestep=scene.physics.timestep / _PARTS))
