"""What a model's numbers become, and what is refused."""

import numpy as np
import pytest

from bomb.integrations.actions import GRIPPERS, ActionConvention
from core.errors import ActionError, OptionError, UnknownNameError


def test_four_numbers_pass_as_they_are():
    action = np.array([0.1, -0.2, 0.3, 0.6])
    answer = ActionConvention().to_bomb(action)
    assert answer.dtype == np.float32 and answer.shape == (1, 4)
    np.testing.assert_allclose(answer[0], action, rtol=1e-6)


def test_a_chunk_keeps_its_length():
    assert ActionConvention(rotation="ignored").to_bomb(np.zeros((5, 7))).shape == (5, 4)


@pytest.mark.parametrize(
    ("gripper", "closed", "opened"),
    [
        ("continuous_01", 0.0, 1.0),
        ("binary_close_positive", 1.0, -1.0),
        ("binary_close_negative", -1.0, 1.0),
        ("binary_close_01", 1.0, 0.0),
    ],
)
def test_every_gripper_convention_opens_and_closes(gripper, closed, opened):
    chunk = np.zeros((2, 4))
    chunk[:, 3] = closed, opened
    assert ActionConvention(gripper=gripper).to_bomb(chunk)[:, 3].tolist() == [0.0, 1.0]
    assert set(GRIPPERS) >= {gripper}


def test_binary_formats_are_decided_in_the_middle_and_continuous_ones_are_not():
    half = np.array([[0, 0, 0, 0.3]])
    assert ActionConvention(gripper="continuous_01").to_bomb(half)[0, 3] == np.float32(0.3)
    assert ActionConvention(gripper="binary_close_01").to_bomb(half)[0, 3] == 1.0
    assert ActionConvention(gripper="binary_close_positive").to_bomb(half)[0, 3] == 0.0
    assert ActionConvention(gripper="binary_close_negative").to_bomb(half)[0, 3] == 1.0


@pytest.mark.parametrize("gripper", ["binary_close_positive", "binary_close_negative", "binary_close_01"])
def test_the_middle_of_a_binary_format_closes(gripper):
    middle = (GRIPPERS[gripper].low + GRIPPERS[gripper].high) / 2
    assert ActionConvention(gripper=gripper).to_bomb([0, 0, 0, middle])[0, 3] == 0.0


def test_a_gripper_of_another_convention_is_refused_and_an_overshoot_is_not():
    with pytest.raises(ActionError, match=r"gripper value -1 is not 'continuous_01'"):
        ActionConvention().to_bomb([0, 0, 0, -1.0])
    assert ActionConvention().to_bomb([0, 0, 0, 1.1])[0, 3] == np.float32(1.1)  # clipped and counted by core


def test_the_rotation_is_zero_or_ignored():
    turned = [0, 0, 0, 0, 0.3, 0, 1]
    with pytest.raises(ActionError, match=r"turns the hand by 0\.3.*'ignored'"):
        ActionConvention(rotation="zero").to_bomb(turned)
    assert ActionConvention(rotation="ignored").to_bomb(turned)[0].tolist() == [0, 0, 0, 1]
    assert ActionConvention(rotation="zero").to_bomb([0, 0, 0, 0, 0.01, 0, 1])[0].tolist() == [0, 0, 0, 1]


def test_the_gripper_of_seven_numbers_is_the_last():
    action = ActionConvention(rotation="ignored", gripper="binary_close_positive").to_bomb(
        [1, 2, 3, 9, 9, 9, 1]
    )
    assert action[0].tolist() == [1, 2, 3, 0]


def test_deltas_are_scaled():
    metres = ActionConvention(delta_scale=50.0)  # 1.0 of BOMB is 20 mm at 20 Hz
    np.testing.assert_allclose(metres.to_bomb([0.02, -0.01, 0, 0])[0], [1.0, -0.5, 0, 0], rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [[0, 0, 0], np.zeros(7), np.zeros((1, 1, 4)), np.zeros((0, 4)), ["a"] * 4, [[0], [0, 1]], None, [1j] * 4],
)
def test_wrong_shapes_and_kinds_are_refused(wrong):
    with pytest.raises(ActionError):
        ActionConvention().to_bomb(wrong)


def test_what_is_not_finite_is_named():
    with pytest.raises(ActionError, match="action 1 of the chunk has nan at 2"):
        ActionConvention().to_bomb([[0, 0, 0, 1], [0, 0, np.nan, 1]])


def test_options_are_checked():
    for options in ({"action_mode": "velocity"}, {"rotation": "some"}, {"gripper": "close"}):
        with pytest.raises(UnknownNameError):
            ActionConvention(**options)
    for scale in (0, -1.0, float("nan"), float("inf"), True, "2"):
        with pytest.raises(OptionError, match="delta_scale"):
            ActionConvention(delta_scale=scale)
    with pytest.raises(OptionError, match="absolute"):
        ActionConvention(action_mode="absolute", delta_scale=2.0)


DELTA = {"format": "delta_xyz"}


@pytest.mark.parametrize(
    ("convention", "declared", "words"),
    [
        (ActionConvention(), {"position": DELTA, "gripper": {"format": "continuous_01"}}, None),
        (ActionConvention(), {"actions": {"format": "raw"}}, None),
        (ActionConvention(), {}, None),
        (ActionConvention(action_mode="absolute"), {"position": {"format": "absolute_xyz"}}, None),
        (ActionConvention(rotation="zero"), {"rotation": {"format": "euler_xyz"}}, None),
        (
            ActionConvention(),
            {"position": {"format": "absolute_xyz"}},
            "position.*'absolute_xyz'.*action_mode",
        ),
        (ActionConvention(), {"gripper": {"format": "binary_close_positive"}}, "gripper.*by gripper"),
        (ActionConvention(), {"rotation": {"format": "axis_angle"}}, "rotation to 'zero' or 'ignored'"),
        (ActionConvention(rotation="zero"), {"rotation": {"format": "quaternion_xyzw"}}, "quaternion_xyzw"),
        (ActionConvention(), {"joints": {"format": "joint_positions"}}, "joints.*no use for"),
    ],
)
def test_what_a_server_declares_is_compared(convention, declared, words):
    import re

    found = convention.mismatches(declared)
    if words is None:
        assert found == []
    else:
        assert len(found) == 1 and re.search(words, found[0])
