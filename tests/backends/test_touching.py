"""What is said of stones that are pressed, dragged, pushed and pinched, in both engines: a sample of
`benchmarks.touching`.
"""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.touching import MOVED, SPLIT, place, play, up
from bomb.parity.play import (
    CLEAR,
    Waypoint,
    environment,
    episode,
    named_stone,
    script,
    stone_row,
)
from core.judge.checker import TOUCHES

FINGERS = TOUCHES["left_finger"] | TOUCHES["right_finger"]


@pytest.mark.parametrize("seed", range(4))
def test_a_stone_that_was_pushed_away_was_touched(backend, seed):
    one = play("pushed", backend, seed)
    assert one["moved"] <= MOVED or one["stage"]["touched"] or one["stage"]["wrong_stone"]
    assert not one["stage"]["grasped"] and "never_touched" not in one["reasons"][: one["moved"] > MOVED]


@pytest.mark.parametrize("script", ["pressed", "dragged", "beside"])
def test_what_does_not_close_around_a_stone_does_not_grasp_it(backend, script):
    one = play(script, backend, 1)
    assert one["stage"]["touched"] and not one["stage"]["grasped"]
    assert not one["stage"]["int_act/grasp_correct"] and one["reason"] == "never_grasped"


def test_a_stone_caught_by_its_rim_is_lifted_exactly_if_it_rises(backend):
    for seed in (0, 1, 2):
        one = play("rim", backend, seed)
        assert one["stage"]["lifted"] == (one["up"] > 0.02)
        assert one["stage"]["grasped"] >= one["stage"]["lifted"]


def test_contact_between_control_steps_is_seen(backend):
    """A finger that strikes a stone in passing is away from it at both ends of the control step."""
    seen = 0
    for seed in range(8):
        play("pushed", backend, seed)
        record = environment(backend, SPLIT, CLEAR).episode_record()
        measures = record.measures
        seen += bool(((measures["since"] & ~measures["touches"] & FINGERS) != 0).any())
        assert ((measures["touches"] & ~measures["since"]) == 0).all()
        assert record.rejudge().to_dict() == record.about["verdict"]
    assert seen


@pytest.mark.parametrize("in_a_row", [True, False])
def test_two_stones_in_the_gripper_are_held_exactly_if_they_rise(backend, in_a_row):
    """One behind the other in the opening, or side by side along the pads; the gripper shuts and rises."""
    env, start = environment(backend, SPLIT, CLEAR), episode(SPLIT, CLEAR, 3)
    env.reset(seed=3)
    row = stone_row(start, named_stone(start))
    # The fingers open along x of W, which is -y of R.
    apart = np.array([0.0222, 0.0, 0.0] if in_a_row else [0.0, 0.0222, 0.0], dtype=np.float32)
    poses = start.state.stone_poses.copy()
    poses[1 - row, :3] = poses[row, :3] + apart
    state = replace(start.state, stone_poses=poses)
    env.debug.restart(state)
    middle = place(start) + np.array([0.0, -0.0111, 0.0] if in_a_row else [0.0111, 0.0, 0.0])
    waypoints = [
        Waypoint(target=up(middle), opening=1.0, seconds=0.5),
        Waypoint(target=middle, opening=1.0, seconds=0.3, speed=0.4),
        Waypoint(target=middle, opening=0.0, seconds=0.5),
        Waypoint(target=up(middle), opening=0.0, seconds=0.5),
    ]
    for action in script(start, waypoints):
        *_, info = env.step(action)
    series = env.episode_record().measures
    rise = series["position"][:, :, 2] - series["position"][0, :, 2]
    assert (rise.max(axis=0) > 0.05).all(), "both hang in the gripper"
    assert ((series["touches"] & TOUCHES["held"]) != 0)[rise > 0.002].all()
    assert info["stage"]["lifted"] and info["placement"]["reason"] == "still_held"
