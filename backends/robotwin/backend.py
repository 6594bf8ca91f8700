"""The backend on SAPIEN: PhysX moves the bodies, SAPIEN's renderer draws their state."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sapien
from sapien import physx

from backends.robotwin import edits, options
from backends.robotwin.compile import World, compile_world
from backends.robotwin.render import Pictures
from core.backend import Backend, CameraImage, Capability, ContactForce
from core.errors import RenderError, StateError
from core.world.rotations import triple
from core.world.scene import CameraSpec, SceneSpec
from core.world.state import JOINTS, SceneState, Trace

# What ``PhysxCpuSystem.pack`` writes, as float32: per rigid body q (wxyz), p, v, w; then per articulation
# its root (the same), joint positions, joint velocities, and per joint a position and a velocity target.
_BODY = 13
_P_FIRST = [4, 5, 6, 0, 1, 2, 3, *range(7, _BODY)]  # to p, q, v, w
_Q_FIRST = [3, 4, 5, 6, 0, 1, 2, *range(7, _BODY)]  # and back


class RobotwinBackend(Backend):
    """RoboTwin2's stage in SAPIEN. Order of calls and threads are guarded by ``core.Environment``."""

    name: ClassVar[str] = "robotwin"
    # SAPIEN hands on the impulses along the contacts' normals only.
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.CONTACT_FRICTION}

    def __init__(self) -> None:
        self._scene: SceneSpec
        self._world: World
        self._pictures: Pictures | None = None
        # SAPIEN's bindings have no types.
        self._physics: Any = None
        self._system: Any = None
        self._setters: list[Callable[[float], None]] = []
        self._targets: list[float] = []  # of the drives, as last set
        self._ids = np.zeros(0, dtype=np.int16)
        self._written: SceneState | None = None  # until the next step

    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        if scene.cameras:
            self._pictures = Pictures(scene, image_size=image_size, supersample=supersample)
        self.built = self._scene = scene
        self._world = compile_world(scene)
        self._setters = [joint.set_drive_target for joint in self._world.articulation.active_joints]

    @property
    def world(self) -> World:
        """The bodies in SAPIEN, to be looked at."""
        return self._world

    @property
    def system(self) -> Any:
        """SAPIEN's ``PhysxCpuSystem``, which is another one after every ``write_state``."""
        return self._system

    def dress(self, scene: SceneSpec) -> None:
        edits.apply(self._world, self._pictures, self._scene, scene)
        self._scene = scene

    def write_state(self, state: SceneState) -> None:
        state.validated()
        world, physics, ids = self._world, self._scene.physics, state.stone_ids
        if len(ids) and ids[-1] >= len(world.stones):
            raise StateError(
                f"stone_ids {ids.tolist()} name stones beyond the pool's last, {len(world.stones) - 1}"
            )
        # A fresh PhysX scene (0.1 ms) is the one sure way to forget contact caches, warm starts, sleep
        # counters and the order of bodies. Stones that are not in play are in no scene and cost nothing.
        self._leave_scene()
        physx.set_scene_config(options.scene_config(physics))
        self._system = physx.PhysxCpuSystem()
        self._system.timestep = physics.timestep
        self._physics = sapien.Scene([self._system])
        for entity in (*world.statics.values(), *world.links, *(world.stones[k] for k in ids)):
            self._physics.add_entity(entity)
        root = np.zeros(_BODY)
        root[:7] = self._scene.robot.X_WR.array()
        bodies = np.vstack([np.hstack([state.stone_poses, state.stone_velocities]), root])[:, _Q_FIRST]
        targets = np.column_stack([state.joint_positions, np.zeros(JOINTS)])
        parts = (bodies, state.joint_positions, state.joint_velocities, targets)
        self._system.unpack(b"".join(part.astype(np.float32).tobytes() for part in parts))
        self._targets = state.joint_positions.tolist()
        self._ids, self._written = ids.copy(), state

    def step(self, joint_targets: npt.NDArray[np.float64]) -> None:
        self._advance(joint_targets, self._system.step)

    def step_traced(self, joint_targets: npt.NDArray[np.float64]) -> Trace:
        packed: list[bytes] = []
        step, pack, keep = self._system.step, self._system.pack, packed.append

        def step_and_keep() -> None:
            step()
            keep(pack())

        self._advance(joint_targets, step_and_keep)
        count = len(self._ids)
        numbers = np.frombuffer(b"".join(packed), dtype=np.float32).reshape(len(packed), -1)
        bodies = numbers[:, : _BODY * count].reshape(len(packed), count, _BODY)
        joints = numbers[:, _BODY * (count + 1) :]
        return Trace(joints[:, :JOINTS], bodies[:, :, _P_FIRST[:7]])

    def _advance(self, joint_targets: npt.NDArray[np.float64], advance: Callable[[], None]) -> None:
        self._written = None
        setters, before = self._setters, self._targets
        # Half a microsecond each: set only the targets that changed.
        for row in joint_targets.astype(np.float32).tolist():
            if row != before:
                for set_target, target, old in zip(setters, row, before, strict=True):
                    if target != old:
                        set_target(target)
                before = row
            advance()
        self._targets = before

    def read_state(self) -> SceneState:
        return self.measured_state() if self._written is None else self._written

    def measured_state(self) -> SceneState:
        """The world as the engine has it, whatever was written last."""
        numbers = np.frombuffer(self._system.pack(), dtype=np.float32)
        count = len(self._ids)
        bodies = numbers[: _BODY * count].reshape(count, _BODY)[:, _P_FIRST]
        joints = numbers[_BODY * (count + 1) :]
        return SceneState(
            joint_positions=joints[:JOINTS].copy(),
            joint_velocities=joints[JOINTS : 2 * JOINTS].copy(),
            stone_ids=self._ids.copy(),
            stone_poses=bodies[:, :7].copy(),
            stone_velocities=bodies[:, 7:].copy(),
        )

    def contact_forces(self) -> list[ContactForce]:
        names, seconds = self._world.shape_names, self._scene.physics.timestep
        return [
            ContactForce(
                bodies=(names[contact.shapes[0]], names[contact.shapes[1]]),
                position=triple(point.position),
                normal=triple(float(value) / seconds for value in point.impulse),
                friction=None,
            )
            for contact in self._system.get_contacts()
            for point in contact.points
            if point.impulse.any()  # pairs within the contact offset are listed before they touch
        ]

    def render(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        return self._drawn().draw(self.read_state(), camera, modalities)

    def set_camera(self, camera: CameraSpec) -> None:
        self._drawn().set_camera(camera)

    def close(self) -> None:
        self._leave_scene()
        if self._pictures is not None:
            self._pictures.close()
        self._pictures = None
        self._world = None  # type: ignore[assignment]  # freed: nothing is called after this

    def _drawn(self) -> Pictures:
        if self._pictures is None:
            raise RenderError("this world was built without cameras")
        return self._pictures

    def _leave_scene(self) -> None:
        """Takes all bodies out of PhysX; they keep their shapes and masses."""
        if self._physics is not None:
            self._physics.clear()
        self._physics = self._system = None
