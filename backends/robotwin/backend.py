"""The backend on SAPIEN's PhysX and renderer."""

from typing import ClassVar

import numpy as np
import sapien
from sapien import physx

from backends.robotwin import options
from backends.robotwin.compile import World, compile_world
from core.backend import Backend, CameraImage, Capability, ContactForce
from core.errors import RenderError, StateError
from core.scene import CameraSpec, SceneSpec
from core.state import JOINTS, SceneState

# What ``PhysxCpuSystem.pack`` writes, as float32: per rigid body q (wxyz), p, v, w; then per articulation
# its root (the same), joint positions, joint velocities, and per joint a position and a velocity target.
_BODY = 13
_P_FIRST = [4, 5, 6, 0, 1, 2, 3, *range(7, _BODY)]  # to p, q, v, w
_Q_FIRST = [3, 4, 5, 6, 0, 1, 2, *range(7, _BODY)]  # and back


class RobotwinBackend(Backend):
    """RoboTwin2's stage in SAPIEN."""

    name: ClassVar[str] = "robotwin"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self) -> None:
        self._world: World | None = None
        self._scene: SceneSpec | None = None
        self._physics: sapien.Scene | None = None

    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        self._scene = scene
        self._world = compile_world(scene)
        self._root = np.zeros(_BODY, dtype=np.float32)
        self._root[:7] = scene.robot.X_WR.array()[_Q_FIRST[:7]]
        self._setters = [joint.set_drive_target for joint in self._world.articulation.active_joints]
        self._written: SceneState | None = None

    def reset(self, scene: SceneSpec, state: SceneState) -> None:
        self.write_state(state)

    def write_state(self, state: SceneState) -> None:
        state.validated()
        world, ids = self._world, state.stone_ids
        if len(ids) and ids[-1] >= len(world.stones):
            raise StateError(f"stone_ids {ids.tolist()} name stones beyond the pool of {len(world.stones)}")
        # A fresh PhysX scene (0.1 ms) is the one sure way to forget contact caches, warm starts, sleep
        # counters and the order of bodies. Stones that are not in play are in no scene: they cost nothing.
        self._leave_scene()
        physx.set_scene_config(options.scene_config(self._scene.physics))
        system = physx.PhysxCpuSystem()
        system.timestep = self._scene.physics.timestep
        self._system, self._physics = system, sapien.Scene([system])
        for entity in (*world.statics.values(), *world.links, *(world.stones[k] for k in ids)):
            self._physics.add_entity(entity)
        bodies = np.hstack([state.stone_poses, state.stone_velocities])[:, _Q_FIRST]
        targets = np.zeros((JOINTS, 2), dtype=np.float32)
        targets[:, 0] = state.joint_positions
        system.unpack(
            b"".join(
                np.asarray(part, dtype=np.float32).tobytes()
                for part in (bodies, self._root, state.joint_positions, state.joint_velocities, targets)
            )
        )
        self._targets = targets[:, 0].tolist()
        self._step = system.step
        self._ids, self._written = ids.copy(), state

    def _leave_scene(self) -> None:
        if self._physics is not None:
            for entity in self._physics.entities:
                self._physics.remove_entity(entity)
        self._physics = self._system = self._step = None

    def step(self, joint_targets: np.ndarray) -> None:
        self._written = None
        step, setters, before = self._step, self._setters, self._targets
        # Targets change by a finger or not at all within a control period: set only what changed.
        for row in joint_targets.astype(np.float32).tolist():
            if row != before:
                for set_target, target, old in zip(setters, row, before, strict=True):
                    if target != old:
                        set_target(target)
                before = row
            step()
        self._targets = before

    def read_state(self) -> SceneState:
        if self._written is not None:
            return self._written
        numbers = np.frombuffer(self._system.pack(), dtype=np.float32)
        count = len(self._ids)
        bodies = numbers[: _BODY * count].reshape(count, _BODY)[:, _P_FIRST]
        joints = numbers[_BODY * (count + 1) :]
        return SceneState(
            joint_positions=joints[:JOINTS].copy(),
            joint_velocities=joints[JOINTS : 2 * JOINTS].copy(),
            stone_ids=self._ids,
            stone_poses=bodies[:, :7].copy(),
            stone_velocities=bodies[:, 7:].copy(),
        )

    def contact_forces(self) -> list[ContactForce]:
        names, seconds = self._world.shape_names, self._scene.physics.timestep
        return [
            ContactForce(
                bodies=tuple(names[shape] for shape in contact.shapes),
                position=tuple(map(float, point.position)),
                force=tuple(float(value) / seconds for value in point.impulse),
            )
            for contact in self._system.get_contacts()
            for point in contact.points
            if point.impulse.any()
        ]

    def render(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        raise RenderError("pictures are not built yet")

    def set_camera(self, camera: CameraSpec) -> None:
        raise RenderError("pictures are not built yet")

    def close(self) -> None:
        self._leave_scene()
        self._world = None
