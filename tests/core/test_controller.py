"""Controller and kinematics: reach, precision, speed limits, and nothing hidden."""

import numpy as np
import pytest

from core.control.actions import WORKSPACE_HIGH, WORKSPACE_LOW, ActionSpec
from core.control.controller import GRIPPER_SPEED, Controller
from core.world.kinematics import Kinematics
from core.world.rotations import matrix_from_quaternion
from core.world.stage import clean_scene

SCENE = clean_scene()
R_WR = matrix_from_quaternion(SCENE.robot.X_WR.q)
P_WR = np.array(SCENE.robot.X_WR.p)


@pytest.fixture
def controller() -> Controller:
    made = Controller(ActionSpec(mode="delta", control_hz=20), SCENE)
    made.reset(np.array(SCENE.robot.home))
    return made


def test_every_corner_of_the_workspace_is_reached_in_steps(controller):
    low, high = np.array(WORKSPACE_LOW), np.array(WORKSPACE_HIGH)
    corners = [low + np.array(c) * (high - low) for c in np.ndindex(2, 2, 2)]
    kinematics, absolute = controller.kinematics, ActionSpec(mode="absolute", control_hz=20)
    for corner in [*corners, *corners[::-3]]:
        for _ in range(40):
            step = absolute.advance(controller.state.target, np.array([*corner, 1], dtype=np.float32))
            joints = controller.advance(controller.spec.towards(controller.state.target, step, 1.0))[-1, :7]
            assert (joints > kinematics.lower + 0.05).all() and (joints < kinematics.upper - 0.05).all()
        reached, rotation = kinematics.tool_pose(joints)
        assert controller.tool_in_base(reached) == pytest.approx(corner, abs=4e-5), corner
        assert rotation @ [0, 0, 1] == pytest.approx([0, 0, -1], abs=1e-5)


def test_a_target_out_of_reach_has_no_solution():
    kinematics = Kinematics(SCENE.robot)
    assert kinematics.inverse(P_WR + [2.0, 0, 0], np.array(SCENE.robot.home)) is None


def test_fingers_open_along_the_base_y_axis(controller):
    joints = np.array([*SCENE.robot.home, 0.024, 0.024])
    p_WT, fingers = controller.kinematics.tool_and_fingers(joints)
    left, right = ((finger[:3] - p_WT) @ R_WR for finger in fingers)
    assert abs(left[1] - right[1]) == pytest.approx(0.048, abs=1e-9)
    assert abs(left[0]) < 1e-6 and abs(right[0]) < 1e-6


def test_joint_targets_end_at_the_commanded_tool_position(controller):
    rng = np.random.default_rng(0)
    for _ in range(100):
        targets = controller.advance(np.array([*rng.uniform(-1, 1, 3), 1], dtype=np.float32))
        assert targets.shape == (25, 9)
        p_WT, _ = controller.kinematics.tool_pose(targets[-1])
        assert controller.tool_in_base(p_WT) == pytest.approx(controller.state.target, abs=4e-5)


def test_the_path_between_is_straight_within_a_millimetre(controller):
    start = np.array(controller.state.target)
    targets = controller.advance(np.array([1, 1, -1, 1], dtype=np.float32))
    for k, row in enumerate(targets):
        p_WT, _ = controller.kinematics.tool_pose(row)
        expected = start + (controller.state.target - start) * (k + 1) / 25
        assert controller.tool_in_base(p_WT) == pytest.approx(expected, abs=1e-3)


def test_fingers_follow_a_ramp(controller):
    targets = np.concatenate([controller.advance(np.array([0, 0, 0, 0], dtype=np.float32)) for _ in range(6)])
    speed = -np.diff(targets[:, 7]) / SCENE.physics.timestep
    assert speed.max() == pytest.approx(GRIPPER_SPEED)
    assert targets[-1, 7] == 0 and (targets[:, 7] == targets[:, 8]).all()
    assert (np.diff(targets[:, 7]) <= 0).all()


def test_hold_repeats_the_last_joint_targets(controller):
    last = controller.advance(np.array([1, 0, -1, 1], dtype=np.float32))[-1]
    held = controller.advance(controller.hold_action())
    assert (held == last).all()


def test_equal_histories_give_equal_targets_and_a_state_is_enough():
    actions = np.random.default_rng(1).uniform(-1, 1, (30, 4)).astype(np.float32).clip([-1, -1, -1, 0], 1)
    one = Controller(ActionSpec(mode="delta", control_hz=20), SCENE)
    two = Controller(ActionSpec(mode="delta", control_hz=20), SCENE)
    one.reset(np.array(SCENE.robot.home))
    for action in actions[:15]:
        one.advance(action)
    two.state = one.state
    for action in actions[15:]:
        assert (one.advance(action) == two.advance(action)).all()
