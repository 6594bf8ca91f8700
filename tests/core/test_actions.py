"""Actions: what is refused and how, and what the commanded target does."""

import numpy as np
import pytest

from core.control.actions import SPEED, WORKSPACE_HIGH, WORKSPACE_LOW, ActionSpec, check_action
from core.errors import ActionError, BombError, OptionError, UnknownNameError

BAD_ACTIONS = {
    "nan": ([0.0, np.nan, 0, 1], r"action\[1\] \(y\) is nan"),
    "inf": ([0.0, 0.0, np.inf, 1], r"action\[2\] \(z\) is inf"),
    "beyond float32": ([0.0, 0.0, 0.0, 1e39], r"action\[3\] \(gripper\) is 1e\+39"),
    "too short": ([0.0, 0.0, 0.0], r"\(3,\)"),
    "too long": (np.zeros(7), r"\(7,\)"),
    "a batch": (np.zeros((1, 4)), r"\(1, 4\)"),
    "bool": (np.ones(4, dtype=bool), "bool"),
    "complex": (np.ones(4, dtype=complex), "complex128"),
    "object": (np.array([0, 0, 0, None]), "object"),
    "string": ("up", "up"),
    "strings": (["0", "0", "0", "1"], "<U1"),
    "ragged": ([0, [1, 2], 0, 1], "four real numbers"),
    "nothing": (None, "object"),
}


@pytest.mark.parametrize("name", BAD_ACTIONS)
def test_bad_actions_are_refused_by_name(name):
    action, message = BAD_ACTIONS[name]
    with pytest.raises(ActionError, match=message) as error:
        check_action(action)
    assert isinstance(error.value, BombError) and isinstance(error.value, ValueError)


@pytest.mark.parametrize("name", BAD_ACTIONS)
def test_a_refused_action_has_not_moved_the_world(backend, make_env, name):
    env = make_env(backend)
    env.reset(seed=0)
    before = env.save_state()
    with pytest.raises(ActionError):
        env.step(BAD_ACTIONS[name][0])
    assert env.save_state() == before


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint64])
def test_real_numbers_are_taken(dtype):
    assert check_action(np.array([1, 0, 1, 0], dtype=dtype)).dtype == np.float32


def test_out_of_range_is_clipped_and_counted(backend, make_env):
    env, twin = make_env(backend), make_env(backend)
    env.reset(seed=0), twin.reset(seed=0)
    *_, info = env.step([5.0, -3.0, 0.0, 2.0])
    *_, info_2 = twin.step([1.0, -1.0, 0.0, 1.0])
    assert (info["clipped"], info_2["clipped"]) == (1, 0)
    assert env.scene_state == twin.scene_state


def test_delta_adds_to_the_last_commanded_target():
    spec = ActionSpec(mode="delta", control_hz=20)
    target = spec.advance(np.array([0.5, 0.0, 0.2]), np.array([1, -0.5, 0, 1], dtype=np.float32))
    assert target == pytest.approx([0.52, -0.01, 0.2])  # 0.4 m/s / 20 Hz = 20 mm


def test_absolute_goes_straight_at_the_same_speed_limit():
    spec = ActionSpec(mode="absolute", control_hz=20)
    start, goal = np.array([0.4, 0.0, 0.2]), np.array([0.5, 0.05, 0.2])
    action = np.array([*goal, 1], dtype=np.float32)
    first = spec.advance(start, action)
    assert first == pytest.approx([0.42, 0.01, 0.2])
    for _ in range(10):
        first = spec.advance(first, action)
    assert first == pytest.approx(goal)


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_towards_and_advance_are_inverse(mode):
    spec = ActionSpec(mode=mode, control_hz=20)
    commanded, goal = np.array([0.4, 0.1, 0.2]), np.array([0.6, -0.2, 0.05])
    for _ in range(40):
        commanded = spec.advance(commanded, spec.towards(commanded, goal, 1.0))
    assert commanded == pytest.approx(goal, abs=1e-6)


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_the_target_stays_in_the_workspace(mode):
    spec = ActionSpec(mode=mode, control_hz=20)
    target = (0.3, 0.0, 0.0)
    for _ in range(100):
        target = spec.advance(target, np.array([-1, 1, -1, 1], dtype=np.float32))
    assert all(low <= x <= high for low, x, high in zip(WORKSPACE_LOW, target, WORKSPACE_HIGH, strict=True))


@pytest.mark.parametrize("hz", [1, 5, 10, 20, 25, 50, 100, 500])
def test_control_rates_that_divide_500(hz):
    assert ActionSpec(mode="delta", control_hz=hz).max_step == pytest.approx(SPEED / hz)


@pytest.mark.parametrize("hz", [0, -20, 3, 30, 501, 20.0, True, "20", None])
def test_other_control_rates_are_refused(hz):
    with pytest.raises(OptionError, match="divide 500"):
        ActionSpec(mode="delta", control_hz=hz)


def test_unknown_action_mode_lists_the_valid_ones():
    with pytest.raises(UnknownNameError, match="absolute, delta"):
        ActionSpec(mode="joint", control_hz=20)
