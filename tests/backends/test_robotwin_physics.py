"""What is particular to PhysX: merged links, cooked hulls, scenes that come and go, sleep."""

from dataclasses import replace

import numpy as np
import pinocchio
import pytest
import sapien

from backends.robotwin import RobotwinBackend, options
from backends.robotwin.compile import compile_world
from core.errors import StateError
from core.world.kinematics import Kinematics, panda_model
from core.world.meshes import stone_collision_vertices
from core.world.robot import panda
from core.world.rotations import Pose
from core.world.stage import clean_scene
from core.world.state import SceneState

SCENE = clean_scene()
OPEN = np.array([*SCENE.robot.home, 0.024, 0.024])
TABLE = 0.74 + 0.004  # height of a stone's centre when it lies on the table


def state(ids=(), positions=(), *, joints=OPEN, quaternions=None, velocities=None) -> SceneState:
    count = len(ids)
    poses = np.zeros((count, 7), dtype=np.float32)
    poses[:, 3] = 1
    if count:
        poses[:, :3] = positions
    if quaternions is not None:
        poses[:, 3:] = quaternions
    return SceneState(
        joint_positions=np.asarray(joints, dtype=np.float32),
        joint_velocities=np.zeros(9, dtype=np.float32),
        stone_ids=np.asarray(ids, dtype=np.int16),
        stone_poses=poses,
        stone_velocities=np.zeros((count, 6), np.float32) if velocities is None else np.float32(velocities),
    )


def tumbling(ids, seed: int) -> SceneState:
    """Stones in the air above the board, turned and moving at random."""
    rng, count = np.random.default_rng(seed), len(ids)
    q = rng.normal(size=(count, 4))
    p = rng.uniform([-0.12, -0.25, 0.77], [0.12, 0.0, 0.87], (count, 3))
    return state(
        ids,
        p,
        quaternions=q / np.linalg.norm(q, axis=1, keepdims=True),
        velocities=rng.normal(0, 0.3, (count, 6)),
    )


def hold(backend: RobotwinBackend, seconds: float, joints=OPEN) -> None:
    backend.step(np.tile(joints, (round(seconds / SCENE.physics.timestep), 1)))


@pytest.fixture
def backend():
    made = RobotwinBackend()
    made.build(SCENE, image_size=(8, 8), supersample=1)
    yield made
    made.close()


def test_links_are_where_the_description_puts_them(backend):
    joints = np.array([0.3, -0.5, 0.2, -2.0, 0.1, 1.7, 0.6, 0.01, 0.02])
    backend.write_state(state(joints=joints))
    model = panda_model(SCENE.robot)
    data = model.createData()
    pinocchio.framesForwardKinematics(model, data, joints)
    for link, (entity, X_BL) in backend.world.frames.items():
        X_WL = (entity.pose * sapien.Pose(p=X_BL.p, q=X_BL.q)).to_transformation_matrix()
        expected = data.oMf[model.getFrameId(link)].homogeneous
        np.testing.assert_allclose(X_WL, expected, atol=3e-6, err_msg=link)


def test_merged_links_have_the_inertia_of_the_description():
    """One step under a known torque accelerates as pinocchio's mass matrix says."""
    world = compile_world(SCENE)
    articulation = world.articulation
    for joint in articulation.active_joints:
        joint.set_drive_property(0.0, 0.0)
    system = sapien.physx.PhysxCpuSystem()
    system.timestep = 1e-3
    scene = sapien.Scene([system])
    for entity in world.links:
        scene.add_entity(entity)
    joints, torque = OPEN, np.array([1.0, 2.0, 0.5, 1.0, 0.3, 0.2, 0.1, 0.5, -0.3])
    articulation.qpos, articulation.qf = joints.astype(np.float32), torque.astype(np.float32)
    system.step()
    model = panda_model(SCENE.robot)
    upper = np.triu(pinocchio.crba(model, model.createData(), joints))
    mass = (
        upper
        + np.triu(upper, 1).T
        + np.diag([SCENE.robot.arm_armature] * 7 + [SCENE.robot.finger_armature] * 2)
    )
    np.testing.assert_allclose(articulation.qvel / 1e-3, np.linalg.solve(mass, torque), rtol=1e-4, atol=1e-4)
    assert sum(link.mass for link in articulation.links) == pytest.approx(
        sum(link.mass for link in panda().links), rel=1e-6
    )


def test_hulls_are_cooked_whole():
    world = compile_world(SCENE)
    for k, body in enumerate(world.stone_bodies):
        assert len(body.collision_shapes[0].vertices) == len(stone_collision_vertices(SCENE.stones[k]))
    for link in world.articulation.links:
        for shape in link.collision_shapes:
            if isinstance(shape, sapien.physx.PhysxCollisionShapeConvexMesh):
                assert len(shape.vertices) == 48, link.name


def test_friction_is_the_mean_of_both_surfaces():
    pad, surface = options.pad_friction(SCENE.physics), options.surface_friction(SCENE.physics)
    assert (pad + surface) / 2 == pytest.approx(SCENE.physics.pad_stone)
    assert surface == SCENE.physics.surface_stone


def test_a_stone_slides_as_far_as_friction_says(backend):
    backend.write_state(state([3], [[0.3, -0.2, TABLE]], velocities=[[0, 0.5, 0, 0, 0, 0]]))
    hold(backend, 0.6)
    slid = backend.read_state().stone_poses[0, 1] + 0.2
    assert slid == pytest.approx(0.5**2 / (2 * SCENE.physics.surface_stone * SCENE.physics.gravity), rel=0.03)


def test_written_numbers_reach_the_engine(backend):
    """Read back past the cached state: pool indices, frames and orders are converted both ways."""
    written = tumbling([2, 5, 11, 12, 23], seed=4)
    backend.write_state(written)
    read = backend.measured_state()
    np.testing.assert_array_equal(read.stone_ids, written.stone_ids)
    for name in ("joint_positions", "joint_velocities", "stone_poses", "stone_velocities"):
        np.testing.assert_allclose(getattr(read, name), getattr(written, name), atol=2e-7, err_msg=name)


def test_what_follows_depends_on_the_state_alone(backend):
    first, second = tumbling(range(0, 24, 2), seed=1), tumbling(range(24), seed=2)

    def run(one, start, seed):
        rng = np.random.default_rng(seed)
        one.write_state(start)
        targets = OPEN + np.cumsum(rng.normal(0, 0.002, (600, 9)), axis=0)
        one.step(targets)
        return one.read_state().to_bytes()

    fresh = run(backend, first, 7)
    run(backend, second, 8)
    assert run(backend, first, 7) == fresh
    other = RobotwinBackend()
    other.build(SCENE, image_size=(8, 8), supersample=1)
    run(other, second, 9)
    assert run(other, first, 7) == fresh
    other.close()


def test_unchanged_targets_are_the_same_as_targets_set_anew(backend):
    """``step`` skips targets that did not change."""
    targets = np.tile(OPEN, (50, 1))
    targets[:25, 0] += 0.01
    backend.write_state(state())
    backend.step(targets)
    skipped = backend.read_state().to_bytes()
    backend.write_state(state())
    for row in targets:
        for joint, target in zip(backend.world.articulation.active_joints, row, strict=True):
            joint.set_drive_target(float(np.float32(target)))
        backend.system.step()
    assert backend.measured_state().to_bytes() == skipped


def test_resting_stones_sleep_and_a_slow_push_wakes_them(backend):
    kinematics = Kinematics(SCENE.robot)
    beside = np.array([0.3, -0.035, 0.752])
    joints = kinematics.inverse(beside, np.asarray(SCENE.robot.home), iterations=300)
    closed = np.array([*joints, 0.0, 0.0])
    backend.write_state(state([3, 20], [[0.3, 0.0, TABLE], [-0.3, 0.0, TABLE]], joints=closed))
    hold(backend, 1.0, closed)
    start = backend.read_state()
    assert not start.stone_velocities.any()
    speed, travelled = 0.002, 0.03
    for along in np.arange(speed / 20, travelled, speed / 20):
        joints = kinematics.inverse(beside + [0, along, 0], joints)
        hold(backend, 0.05, np.array([*joints, 0.0, 0.0]))
    moved = backend.read_state().stone_poses[:, 1] - start.stone_poses[:, 1]
    assert moved[0] == pytest.approx(0.0145, abs=0.001)
    assert moved[1] == 0.0


def test_the_robot_meets_stones_and_table_but_not_itself(backend):
    folded = np.array([0.0, -1.7, 0.0, -3.05, 0.0, 0.0, 0.0, 0.0, 0.0])
    backend.write_state(state(joints=folded))
    hold(backend, 0.1, folded)
    pairs = {frozenset(contact.bodies) for contact in backend.contact_forces()}
    assert not [pair for pair in pairs if all(name.startswith("panda") for name in pair)]


def test_forces_on_a_resting_stone_point_up_and_carry_it(backend):
    backend.write_state(state([0], [[0.3, 0.0, TABLE]]))
    hold(backend, 0.1)
    contacts = [contact for contact in backend.contact_forces() if "stone_0" in contact.bodies]
    assert {contact.bodies for contact in contacts} == {("stone_0", "table")}
    assert sum(contact.normal[2] for contact in contacts) == pytest.approx(0.005 * 9.81, rel=0.05)


def test_an_unknown_stone_is_refused(backend):
    with pytest.raises(StateError, match="23"):
        backend.write_state(state([24], [[0, 0, 1]]))


def test_physics_is_edited_in_place(backend):
    stones = tuple(replace(stone, mass=0.01) for stone in SCENE.stones)
    edited = replace(
        SCENE,
        physics=replace(SCENE.physics, surface_stone=0.2),
        board=replace(SCENE.board, X_WB=Pose((0.05, -0.15, 0.75), SCENE.board.X_WB.q)),
        stones=stones,
    )
    # Beyond the board's old edge at x = 0.135, within its new one.
    start = state(
        [0, 3], [[0.15, -0.15, 0.757], [0.3, -0.2, TABLE]], velocities=np.eye(2, 6)[[1, 1]] * 0.5 * [[0], [1]]
    )
    backend.reset(edited, start)
    hold(backend, 1.2)
    end = backend.read_state()
    assert end.stone_poses[0, 2] == pytest.approx(0.754, abs=1e-4)
    assert end.stone_poses[1, 1] + 0.2 == pytest.approx(0.5**2 / (2 * 0.2 * 9.81), rel=0.03)
    assert backend.world.stone_bodies[0].mass == pytest.approx(0.01)
    backend.reset(SCENE, start)
    hold(backend, 1.2)
    assert backend.read_state().stone_poses[0, 2] == pytest.approx(TABLE, abs=1e-4)
