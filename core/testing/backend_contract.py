"""What a backend promises: exact states, the same run twice, pictures as declared, clean refusals."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from core.backend import Backend, Capability
from core.errors import CapabilityError, StateError
from core.registry import BACKENDS, TASKS
from core.testing.play import check_play
from core.testing.promise import promise
from core.world.rotations import Pose
from core.world.scene import SceneSpec, SegmentationId
from core.world.stage import clean_scene
from core.world.state import JOINTS, SceneState

STEPS = 100
SIZE = (48, 64)
MODALITIES = ("rgb", "depth", "segmentation")
FALL = 0.1  # s in which a dropped stone is watched; its fall is known to 2 percent


def check_backend(
    kind: type[Backend],
    *,
    played: Iterable[int] = range(1),
    split: str = "ci",
    cameras: tuple[str, ...] = ("head",),
) -> None:
    """Checks all that the contract of ``core.Backend`` promises.

    Args:
        kind: the backend's class; it need not be registered.
        played: seeds of the episodes of ``place_stone`` that the expert must solve in it.
        split: which family of seeds.
        cameras: which are built and drawn; empty needs no graphics driver.

    Raises:
        ContractError: for the first promise that is broken.
    """
    who = f"backend {kind.__name__}"
    name: Any = getattr(kind, "name", None)
    able: Any = getattr(kind, "capabilities", None)
    promise(isinstance(name, str) and bool(name), who, f"it has a name, got {name!r}")
    declared = isinstance(able, frozenset) and all(isinstance(one, Capability) for one in able)
    promise(declared, who, f"capabilities is a frozenset of Capability, got {able!r}")
    drawn = bool(able & {Capability(modality) for modality in MODALITIES})
    scene = clean_scene(cameras if drawn else ())
    state = TASKS.load("place_stone")().make_episode(scene, split=split, seed=0).state
    backend = kind()
    try:
        backend.build(scene, image_size=SIZE, supersample=1)
        promise(getattr(backend, "built", None) is scene, who, "build() keeps its scene as `built`")
        _check_states(who, backend, scene, state)
        _check_physics(who, backend, scene, state)
        _check_refusals(who, backend, scene, state)
        _check_changes(who, backend, scene, state)
        _check_contacts(who, backend, scene, state)
        if scene.cameras:
            _check_pictures(who, backend, scene, state)
    finally:
        backend.close()
    backend.close()
    ours = {} if name in BACKENDS.names() else {name: f"{kind.__module__}:{kind.__qualname__}"}
    with BACKENDS.temporarily(ours):
        promise(BACKENDS.load(name) is kind, who, f"{name!r} is registered for this class")
        check_play(TASKS.load("place_stone")(), [name], played, split)


def _swing(state: SceneState, steps: int) -> np.ndarray:
    """Targets that swing the arm and close the fingers."""
    targets = np.tile(state.joint_positions.astype(np.float64), (steps, 1))
    targets[:, 0] += 0.1 * np.linspace(0, 1, steps)
    targets[:, 7:] = 0.0
    return targets


def _run(backend: Backend, scene: SceneSpec, state: SceneState, steps: int = STEPS) -> SceneState:
    """The world after the arm has swung and the fingers have closed for a while."""
    backend.reset(scene, state)
    backend.step(_swing(state, steps))
    return backend.read_state()


def _check_states(who: str, backend: Backend, scene: SceneSpec, state: SceneState) -> None:
    backend.reset(scene, state)
    promise(backend.read_state() == state, who, "after reset() the state is exactly what was given")
    end = _run(backend, scene, state)
    promise(end.validated() is end or end == end.validated(), who, "states are finite and well formed")
    other = TASKS.load("place_stone")().make_episode(scene, split="train", seed=1).state
    _run(backend, scene, other)
    promise(
        _run(backend, scene, state) == end, who, "the same start gives the same bytes, whatever ran before"
    )
    backend.reset(scene, state)
    trace = backend.step_traced(_swing(state, STEPS))
    promise(backend.read_state() == end, who, "step_traced() moves the world as step() does, to the last bit")
    shapes = (np.shape(trace.joint_positions), np.shape(trace.stone_poses))
    promise(
        shapes == ((STEPS, JOINTS), (STEPS, len(state.stone_ids), 7))
        and np.allclose(trace.joint_positions[-1], end.joint_positions, atol=1e-6)
        and np.allclose(trace.stone_poses[-1], end.stone_poses, atol=1e-6),
        who,
        "step_traced() tells the state after every time step, the last one included",
    )
    backend.write_state(end)
    promise(backend.read_state() == end, who, "write_state() puts exactly what read_state() gave")
    beyond = replace(state, stone_ids=np.array([*state.stone_ids[:-1], len(scene.stones)], dtype=np.int16))
    backend.reset(scene, state)
    try:
        backend.write_state(beyond)
    except StateError:
        return
    promise(False, who, "write_state() raises StateError for stones that the pool does not have")


def _dropped(scene: SceneSpec, state: SceneState) -> SceneState:
    """One stone in the air, at rest, far from everything."""
    pose = np.array([[0.45, 0.2, 1.2, 1.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    return replace(
        state,
        stone_ids=state.stone_ids[:1],
        stone_poses=pose,
        stone_velocities=np.zeros((1, 6), dtype=np.float32),
    )


def _fallen(backend: Backend, scene: SceneSpec, state: SceneState) -> float:
    """How far a stone falls in ``FALL`` seconds (m)."""
    start = _dropped(scene, state)
    backend.reset(scene, start)
    steps = round(FALL / scene.physics.timestep)
    backend.step(np.tile(state.joint_positions.astype(np.float64), (steps, 1)))
    return float(start.stone_poses[0, 2] - backend.read_state().stone_poses[0, 2])


def _check_physics(who: str, backend: Backend, scene: SceneSpec, state: SceneState) -> None:
    backend.reset(scene, state)
    backend.step(np.tile(state.joint_positions.astype(np.float64), (STEPS, 1)))
    rested = backend.read_state()
    moved = float(abs(rested.stone_poses[:, :3] - state.stone_poses[:, :3]).max())
    promise(moved < 1e-4, who, f"stones at rest stay within 0.1 mm; one moved {1e3 * moved:.3f} mm")
    turned = float(abs(rested.joint_positions - state.joint_positions).max())
    promise(turned < 1e-3, who, f"the arm holds its targets within 1 mrad; it was off by {1e3 * turned:.2f}")
    followed = _run(backend, scene, state, 300).joint_positions
    promise(followed[0] - state.joint_positions[0] > 0.05, who, "joints follow their targets")
    promise(len(followed) == JOINTS and bool((followed[7:] < 0.001).all()), who, "fingers close")
    fall, expected = _fallen(backend, scene, state), scene.physics.gravity * FALL**2 / 2
    close = abs(fall / expected - 1) < 0.03  # the first of 50 time steps counts or not
    promise(close, who, f"a stone falls {1e3 * expected:.1f} mm in {FALL} s; it fell {1e3 * fall:.1f}")


def _check_refusals(who: str, backend: Backend, scene: SceneSpec, state: SceneState) -> None:
    backend.reset(scene, state)
    for what, other in (
        ("another board", replace(scene, board=replace(scene.board, size=scene.board.size + 2))),
        ("fewer stones", replace(scene, stones=scene.stones[:-1])),
        ("another robot", replace(scene, robot=replace(scene.robot, arm_stiffness=10.0))),
    ):
        try:
            backend.reset(other, state)
            refused = False
        except CapabilityError:
            refused = True
        promise(refused, who, f"reset() refuses {what} with CapabilityError")
        promise(backend.read_state() == state, who, f"nothing has moved when {what} is refused")


def _check_changes(who: str, backend: Backend, scene: SceneSpec, state: SceneState) -> None:
    """What is declared to change in place does, and the way back is exact."""
    before = _run(backend, scene, state)
    if Capability.LIVE_PHYSICS in backend.capabilities:
        light = replace(scene, physics=replace(scene.physics, gravity=scene.physics.gravity / 2))
        half = _fallen(backend, light, state) / (light.physics.gravity * FALL**2 / 2)
        promise(abs(half - 1) < 0.03, who, "live_physics: half the gravity, half the fall")
    if Capability.LIVE_POSES in backend.capabilities:
        X_WB = scene.board.X_WB
        aside = replace(scene, board=replace(scene.board, X_WB=Pose((0.0, 0.0, 5.0), X_WB.q)))
        on_board = state.stone_poses[:, 2].max() > scene.table.height + 0.008
        end = _run(backend, aside, state)
        promise(not on_board or end != before, who, "live_poses: stones fall where the board is no more")
    promise(_run(backend, scene, state) == before, who, "the way back from a change is exact")


def _check_contacts(who: str, backend: Backend, scene: SceneSpec, state: SceneState) -> None:
    if Capability.CONTACT_FORCES not in backend.capabilities:
        return
    backend.reset(scene, replace(_dropped(scene, state), stone_poses=state.stone_poses[:1]))
    hold = state.joint_positions.astype(np.float64)
    stone = f"stone_{int(state.stone_ids[0])}"
    forces = []
    for _ in range(STEPS):
        backend.step(hold[None])
        on_it = [contact for contact in backend.contact_forces() if stone in contact.bodies]
        signs = [1 if contact.bodies[0] == stone else -1 for contact in on_it]
        forces.append(sum(s * contact.normal[2] for s, contact in zip(signs, on_it, strict=True)))
    weight = scene.stones[int(state.stone_ids[0])].mass * scene.physics.gravity
    carried = float(np.mean([force for force in forces if force] or [0.0]))
    tells = Capability.CONTACT_FRICTION in backend.capabilities
    promise(
        all((contact.friction is not None) == tells for contact in backend.contact_forces()),
        who,
        "contact_friction: contact forces have the part along the surface, or None where it is not declared",
    )
    close = abs(carried / weight - 1) < 0.2
    promise(close, who, f"contact_forces: what a stone lies on bears {weight:.4f} N; it bore {carried:.4f}")


def _check_pictures(who: str, backend: Backend, scene: SceneSpec, state: SceneState) -> None:
    kinds = {"rgb": (np.uint8, (*SIZE, 3)), "depth": (np.float32, SIZE), "segmentation": (np.int32, SIZE)}
    able = tuple(kind for kind in MODALITIES if Capability(kind) in backend.capabilities)
    for camera in scene.cameras:
        backend.reset(scene, state)
        first, again = (backend.render(camera.name, able) for _ in range(2))
        for kind in MODALITIES:
            picture, dtype_shape = getattr(first, kind), kinds[kind]
            if kind not in able:
                promise(picture is None, who, f"{kind} is None where it is not declared")
                continue
            found = (picture.dtype, picture.shape)
            promise(found == dtype_shape, who, f"{kind} is {dtype_shape[0].__name__}{dtype_shape[1]}")
            promise(len(np.unique(picture)) > 1, who, f"{kind} of {camera.name} shows something")
            same = bool((getattr(again, kind) == picture).all())
            promise(same or kind == "rgb", who, f"the same state gives the same {kind}, to the last bit")
        if first.depth is not None:
            real = bool(np.isfinite(first.depth).all() and (first.depth > 0).all())
            promise(real, who, "depth is positive and finite")
        if first.segmentation is not None:
            known = {*SegmentationId, *(SegmentationId.STONE + k for k in range(len(scene.stones)))}
            values = set(np.unique(first.segmentation).tolist())
            promise(
                values <= {int(value) for value in known}, who, f"segmentation has known values, got {values}"
            )
        unasked = backend.render(camera.name, able[:1])
        rest = [getattr(unasked, kind) for kind in MODALITIES if kind not in able[:1]]
        promise(all(picture is None for picture in rest), who, "pictures that were not asked for are None")
