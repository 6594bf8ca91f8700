"""BOMB's world in MuJoCo."""

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import mujoco as mj
import numpy as np
import numpy.typing as npt

from backends.mujoco.compile import Compiled, check_layout, compiled, stone_bodies, with_pristine
from backends.mujoco.edits import physical_part, refit
from core.backend import Backend, CameraImage, Capability, ContactForce
from core.errors import RenderError, StateError, check_choice
from core.world.meshes import stone_shape
from core.world.rotations import triple
from core.world.scene import CameraSpec, MaterialSpec, SceneSpec, each_stone
from core.world.state import JOINTS, SceneState, Trace

if TYPE_CHECKING:
    from backends.mujoco.render import Pictures

_AWAKE = 1  # MuJoCo's mark of a body that is simulated


class MujocoBackend(Backend):
    """One world in MuJoCo, drawn by its Filament renderer.

    Stones that are not in play sleep: the solver skips them, and nothing can wake them. Stones in play
    sleep while they rest, until something touches them. MuJoCo keeps a free body's angular velocity in
    the body's frame; it is turned to and from the world's here and nowhere else.
    """

    name: ClassVar[str] = "mujoco"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self) -> None:
        self._pictures: Pictures | None = None
        self._written: SceneState | None = None  # until the next step
        self._data: Any = None  # MuJoCo's bindings have no types
        self._own: Compiled | None = None
        self._own_base: Compiled | None = None

    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        self.built = self._scene = scene
        self._count = len(scene.stones)
        self._physical = self._built_physical = physical_part(scene)
        self._compiled = compiled(_physical(scene))
        check_layout(self._compiled.model, self._count)
        self._use(self._compiled)
        self.write_state(_empty_state(scene))
        if scene.cameras:
            # Imported here: without cameras nothing of the renderer is loaded.
            from backends.mujoco.render import Pictures

            self._pictures = Pictures(scene, image_size=image_size, supersample=supersample)

    @property
    def model(self) -> Any:
        """MuJoCo's ``MjModel``, to be looked at."""
        return self._model

    @property
    def data(self) -> Any:
        """MuJoCo's ``MjData``; changed by hand, it is not what ``read_state`` says until the next step."""
        return self._data

    @property
    def pictures(self) -> "Pictures":
        """What draws.

        Raises:
            RenderError: if the world was built without cameras.
        """
        if self._pictures is None:
            raise RenderError("this world was built without cameras")
        return self._pictures

    def dress(self, scene: SceneSpec) -> None:
        if scene == self._scene:
            return
        physical = physical_part(scene)
        if physical != self._physical:
            self._physical = physical
            self._change_physics(scene, built=physical == self._built_physical)
        if self._pictures is not None:
            self._pictures.dress(scene)
        self._scene = scene

    def step(self, joint_targets: npt.NDArray[np.float64]) -> None:
        self._written = None
        step, model, data, control = mj.mj_step, self._model, self._data, self._control
        for row in joint_targets:
            control[:] = row
            step(model, data)

    def step_traced(self, joint_targets: npt.NDArray[np.float64]) -> Trace:
        self._written = None
        step, model, data, control, positions = mj.mj_step, self._model, self._data, self._control, self._qpos
        trace = np.empty((len(joint_targets), len(positions)))
        for row, at in zip(joint_targets, trace, strict=True):
            control[:] = row
            step(model, data)
            at[:] = positions
        stones = trace[:, JOINTS:].reshape(len(trace), -1, 7)[:, self._index]
        return Trace(trace[:, :JOINTS], stones)

    def read_state(self) -> SceneState:
        if self._written is not None:
            return self._written
        index = self._index
        positions, velocities = self._qpos.astype(np.float32), self._qvel.astype(np.float32)
        poses = positions[JOINTS:].reshape(-1, 7)[index]
        stones = velocities[JOINTS:].reshape(-1, 6)[index]
        # Stones that rest sleep, and are exactly still: that is most of them, most of the time.
        for row in np.flatnonzero(self._awake[self._trees]).tolist():
            stone, spin = index[row], np.empty(3)
            mj.mju_rotVecQuat(spin, self._stone_qvel[stone, 3:], self._stone_qpos[stone, 3:])
            stones[row, 3:] = spin
        self._written = SceneState(
            joint_positions=positions[:JOINTS],
            joint_velocities=velocities[:JOINTS],
            stone_ids=self._ids,
            stone_poses=poses,
            stone_velocities=stones,
        )
        return self._written

    def write_state(self, state: SceneState) -> None:
        ids = state.validated().stone_ids
        if len(ids) and ids[-1] >= self._count:
            raise StateError(f"the pool has stones 0-{self._count - 1}, the state names {ids.tolist()}")
        self._rest()
        self._joint_qpos[:] = state.joint_positions
        self._joint_qvel[:] = state.joint_velocities
        self._control[:] = state.joint_positions
        poses = state.stone_poses.astype(np.float64)
        velocities = state.stone_velocities.astype(np.float64)
        poses[:, 3:] /= np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)
        velocities[:, 3:] = _rotated(poses[:, 3:] * (1, -1, -1, -1), velocities[:, 3:])
        self._stone_qpos[ids] = poses
        self._stone_qvel[ids] = velocities
        # Asleep by its counter but marked awake: MuJoCo takes that for a touch by the user and wakes it.
        self._awake[self._stone_trees[ids]] = _AWAKE
        self._ids, self._index = ids.copy(), ids.astype(np.intp)
        self._trees = self._stone_trees[ids]
        self._written = state

    def contact_forces(self) -> list[ContactForce]:
        model, data, forces = self._model, self._data, []
        force = np.zeros(6)
        for k in range(data.ncon):
            contact = data.contact[k]
            mj.mj_contactForce(model, data, k, force)
            if not force.any():
                continue
            # The contact's x axis is its normal, from the first body to the second, which bears the force.
            axes = contact.frame.reshape(3, 3)
            forces.append(
                ContactForce(
                    bodies=(
                        model.body(model.geom_bodyid[contact.geom[0]]).name,
                        model.body(model.geom_bodyid[contact.geom[1]]).name,
                    ),
                    position=triple(contact.pos),
                    normal=triple(-force[0] * axes[0]),
                    friction=triple(-force[1:3] @ axes[1:]),
                )
            )
        return forces

    def render(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        check_choice("camera", camera, [spec.name for spec in self._scene.cameras])
        return self.pictures.draw(self.read_state(), camera, modalities)

    def set_camera(self, camera: CameraSpec) -> None:
        check_choice("camera", camera.name, [spec.name for spec in self._scene.cameras])
        self.pictures.set_camera(camera)

    def close(self) -> None:
        if self._pictures is not None:
            self._pictures.close()
        self._pictures = self._data = None

    def _change_physics(self, scene: SceneSpec, *, built: bool) -> None:
        """Takes up the physics of ``scene``: what was built, or this world's own, changed in place."""
        if built:
            wanted = self._compiled
        else:
            base = self._base(scene)
            if self._own is None or self._own_base is not base:
                self._own, self._own_base = with_pristine(copy(base.model)), base
            refit(self._own, scene)
            wanted = self._own
        if wanted.model is not self._model:
            self._use(wanted)

    def _base(self, scene: SceneSpec) -> Compiled:
        """The world as it was built, with the shapes of ``scene``'s stones; compiled once per shape."""
        if scene.stones is self.built.stones:
            return self._compiled
        shapes = [tuple(map(stone_shape, stones)) for stones in (self.built.stones, scene.stones)]
        if shapes[0] == shapes[1]:
            return self._compiled
        mass, inertia = self.built.stones[0].mass, self.built.stones[0].inertia
        stones = each_stone(scene.stones, lambda stone: replace(stone, mass=mass, inertia=inertia))
        return compiled(_physical(replace(self.built, stones=stones)))

    def _use(self, physics: Compiled) -> None:
        """Takes up a model: views into this world's own data, made once because they are in the hot path."""
        self._model, self._pristine = physics.model, physics.pristine
        # Copied: made afresh with the model's options, the parked stones would be awake.
        self._data = data = copy(self._pristine)
        self._control, self._awake = data.ctrl, data.tree_awake
        self._qpos, self._qvel = data.qpos, data.qvel
        self._joint_qpos, self._joint_qvel = data.qpos[:JOINTS], data.qvel[:JOINTS]
        self._stone_qpos = data.qpos[JOINTS:].reshape(self._count, 7)
        self._stone_qvel = data.qvel[JOINTS:].reshape(self._count, 6)
        self._stone_trees = self._model.body_treeid[stone_bodies(self._model, self._count)]

    def _rest(self) -> None:
        """Forgets everything: parked stones asleep, no contacts, nothing left in the solver."""
        mj.mj_copyData(self._data, self._model, self._pristine)


def _physical(scene: SceneSpec) -> SceneSpec:
    """The part of a scene that physics depends on, as the key under which it is compiled once."""
    plain = MaterialSpec()
    return replace(
        scene,
        cameras=(),
        lights=(),
        marks=(),
        table=replace(scene.table, material=plain),
        wall=replace(scene.wall, material=plain),
        floor=replace(scene.floor, material=plain),
        board=replace(scene.board, material=plain, labels=False),
        stones=each_stone(scene.stones, lambda stone: replace(stone, material=plain)),
        objects=tuple(replace(thing, material=plain) for thing in scene.objects),
    )


def _empty_state(scene: SceneSpec) -> SceneState:
    """The robot at home, its fingers closed, and no stone in play."""
    return SceneState(
        joint_positions=np.array([*scene.robot.home, 0.0, 0.0], dtype=np.float32),
        joint_velocities=np.zeros(JOINTS, dtype=np.float32),
        stone_ids=np.zeros(0, dtype=np.int16),
        stone_poses=np.zeros((0, 7), dtype=np.float32),
        stone_velocities=np.zeros((0, 6), dtype=np.float32),
    )


def _rotated(q: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Vectors ``v`` float64[S, 3] turned by unit quaternions ``q`` float64[S, 4]."""
    products = (q[:, :, None] * q[:, None, :]).reshape(len(q), 16)
    turned: npt.NDArray[np.float64] = np.matmul((products @ _ROTATION).reshape(-1, 3, 3), v[:, :, None])[
        :, :, 0
    ]
    return turned


def _rotation_tensor() -> npt.NDArray[np.float64]:
    """float64[16, 9]: the rotation matrix as a linear map of the products of a quaternion's entries."""
    w, x, y, z = range(4)
    terms = {
        (0, 0): [(1, w, w), (1, x, x), (-1, y, y), (-1, z, z)],
        (1, 1): [(1, w, w), (-1, x, x), (1, y, y), (-1, z, z)],
        (2, 2): [(1, w, w), (-1, x, x), (-1, y, y), (1, z, z)],
        (0, 1): [(2, x, y), (-2, w, z)],
        (0, 2): [(2, x, z), (2, w, y)],
        (1, 0): [(2, x, y), (2, w, z)],
        (1, 2): [(2, y, z), (-2, w, x)],
        (2, 0): [(2, x, z), (-2, w, y)],
        (2, 1): [(2, y, z), (2, w, x)],
    }
    tensor = np.zeros((4, 4, 3, 3))
    for (row, column), parts in terms.items():
        for factor, a, b in parts:
            tensor[a, b, row, column] += factor
    return tensor.reshape(16, 9)


_ROTATION = _rotation_tensor()
