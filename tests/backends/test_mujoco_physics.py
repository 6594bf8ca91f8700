"""What the contract does not say about physics in MuJoCo: sleep, sharing, edits in place."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from backends.mujoco import MujocoBackend
from core.errors import StateError
from core.world.kinematics import Kinematics
from core.world.rotations import Pose
from core.world.scene import SceneSpec
from core.world.stage import clean_scene
from core.world.state import JOINTS, SceneState

SCENE = clean_scene()


@pytest.fixture
def make():
    """Built worlds without cameras, closed at the end."""
    made = []

    def build(scene: SceneSpec = SCENE) -> MujocoBackend:
        world = MujocoBackend()
        world.build(scene, image_size=(64, 64), supersample=1)
        made.append(world)
        return world

    yield build
    for world in made:
        world.close()


def layout(*p_WS: tuple, first: int = 0, q=(1, 0, 0, 0), velocity=(0,) * 6) -> SceneState:
    """The robot at home and stones ``first``, ``first + 1``, ... at the given points."""
    count = len(p_WS)
    return SceneState(
        joint_positions=np.array([*SCENE.robot.home, 0.02, 0.02], dtype=np.float32),
        joint_velocities=np.zeros(JOINTS, dtype=np.float32),
        stone_ids=np.arange(first, first + count, dtype=np.int16),
        stone_poses=np.array([[*p, *q] for p in p_WS], dtype=np.float32).reshape(count, 7),
        stone_velocities=np.array([velocity] * count, dtype=np.float32).reshape(count, 6),
    )


def hold(steps: int) -> np.ndarray:
    return np.tile([*SCENE.robot.home, 0.02, 0.02], (steps, 1))


THREE = layout((0.2, -0.1, 0.76), (0.205, -0.1, 0.78), (-0.2, 0.1, 0.744), first=5)


def test_stones_in_play_fall_asleep_at_rest_and_parked_ones_never_wake(make):
    world = make()
    world.reset(SCENE, THREE)
    world.step(hold(20))
    assert world.data.nv_awake == JOINTS + 6 * 3, "dropped stones are awake"
    world.step(hold(1500))
    assert world.data.nv_awake == JOINTS
    assert (world.data.qvel[JOINTS:].reshape(-1, 6)[8:] == 0).all()


def test_parked_stones_change_nothing(make):
    few = replace(SCENE, stones=SCENE.stones[:8])
    all_of_them, only_some = make(), make(few)
    all_of_them.reset(SCENE, THREE)
    only_some.reset(few, THREE)
    for world in (all_of_them, only_some):
        world.step(hold(500))
    np.testing.assert_allclose(
        all_of_them.read_state().stone_poses, only_some.read_state().stone_poses, atol=1e-7, rtol=0
    )


def test_free_fall_keeps_the_angular_velocity_in_the_world_frame(make):
    world, spin = make(), (0.0, 0.0, 2.0, 3.0, -1.0, 2.0)
    world.reset(SCENE, layout((0.0, 0.3, 1.5), q=(0.5, 0.5, -0.5, 0.5), velocity=spin))
    world.step(hold(50))
    state = world.read_state()
    np.testing.assert_allclose(state.stone_velocities[0], [0, 0, 2 - 9.81 * 0.1, 3, -1, 2], atol=1e-5)
    # The inertia is a sphere's: a turn of 0.1 s about a fixed axis.
    axis, angle = np.array(spin[3:]) / np.linalg.norm(spin[3:]), np.linalg.norm(spin[3:]) * 0.1
    w, v = np.cos(angle / 2), np.sin(angle / 2) * axis
    u = np.array([0.5, -0.5, 0.5])
    expected = np.array([w * 0.5 - v @ u, *(w * u + 0.5 * v + np.cross(v, u))])
    assert abs(state.stone_poses[0, 3:] @ expected) == pytest.approx(1, abs=1e-6)


def test_equal_scenes_share_one_model_and_edits_stay_private(make):
    one, other = make(), make()
    assert one.model is other.model
    heavy = replace(SCENE, stones=tuple(replace(stone, mass=0.02) for stone in SCENE.stones))
    one.reset(heavy, THREE)
    assert one.model is not other.model and other.model.body("stone_5").mass[0] == 0.005
    one.reset(SCENE, THREE)
    assert one.model is other.model


def test_an_edited_world_is_the_world_built_so(make):
    scene = replace(
        SCENE,
        physics=replace(SCENE.physics, gravity=5.0, surface_stone=0.2, pad_stone=0.6),
        board=replace(SCENE.board, X_WB=Pose((0.05, -0.12, 0.75), SCENE.board.X_WB.q)),
        stones=tuple(replace(stone, mass=0.008, inertia=2e-6) for stone in SCENE.stones),
    )
    edited, built = make(), make(scene)
    ends = []
    for world in (edited, built):
        world.reset(scene, THREE)
        world.step(hold(300))
        ends.append(world.read_state())
    np.testing.assert_allclose(ends[0].stone_poses, ends[1].stone_poses, atol=1e-6, rtol=0)
    plain = make()
    plain.reset(SCENE, THREE)
    plain.step(hold(300))
    assert plain.read_state() != ends[0]


@pytest.mark.parametrize("pad", [0.2, 1.0])
def test_fingers_decide_the_friction_of_their_contacts(make, pad):
    """Also where it is lower than the stone's own, though MuJoCo's rule is to take the larger."""
    world = make()
    scene = replace(SCENE, physics=replace(SCENE.physics, pad_stone=pad, gravity=0.0))
    p_WT, _ = Kinematics(SCENE.robot).tool_pose(np.array([*SCENE.robot.home, 0.02, 0.02]))
    world.reset(scene, layout(tuple(p_WT)))
    frictions = set()
    for width in np.linspace(0.02, 0.01, 60):
        world.step(np.tile([*SCENE.robot.home, width, width], (5, 1)))
        for contact in world.data.contact:
            bodies = {world.model.body(world.model.geom_bodyid[geom]).name for geom in contact.geom}
            if "stone_0" in bodies:
                frictions.add(float(contact.friction[0]))
    assert frictions == {pad}


def test_a_finger_stops_at_its_stop(make):
    """Under 15 N, as when a closed hand is dragged; MuJoCo's own stops give by 3 mm."""
    world = make()
    world.reset(SCENE, layout())
    world.data.qfrc_applied[JOINTS - 1] = -40.0 - 15.0  # beyond what its drive holds
    world.step(np.tile([*SCENE.robot.home, 0.0, 0.0], (250, 1)))
    assert -0.0005 < world.read_state().joint_positions[JOINTS - 1] <= 0.0


def test_a_dropped_stone_does_not_hop(make):
    world, rest = make(), 0.744
    for drop in (0.02, 0.11):
        world.reset(SCENE, layout((0.3, 0.1, rest + drop)))
        heights = []
        for _ in range(150):
            world.step(hold(2))
            heights.append(float(world.read_state().stone_poses[0, 2]))
        landed = int(np.argmax(np.array(heights) < rest))
        assert landed > 0 and max(heights[landed:]) < rest + 0.0002, drop


def test_a_state_beyond_the_pool_is_refused(make):
    with pytest.raises(StateError, match="0-23"):
        make().write_state(layout((0.0, 0.0, 1.0), first=24))


def test_without_cameras_no_renderer_is_loaded():
    code = (
        "import sys, core; core.make_task('place_stone', backend='mujoco', cameras=()).reset(seed=0);"
        "sys.exit(any(name.startswith(('mujoco.studio', 'mujoco._render_filament')) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
