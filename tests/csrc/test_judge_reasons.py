"""One short episode for every reason, and what the verdict says of it."""

import numpy as np
import pytest

from core.judge.checker import REASONS

from . import worlds
from .episodes import BLACK, CLOSED, GOAL, WHITE, Play, beside

HIGH = worlds.on_board(*GOAL, height=0.04)
NEXT = worlds.on_board(GOAL[0], GOAL[1] - 1)


def leaning(degrees: float) -> np.ndarray:
    """On the goal, leaning on its rim, its lowest point on the board."""
    q = worlds.rotation((1, 0, 0), np.radians(degrees))
    low = (worlds.puck() @ worlds.matrix(q).T)[:, 2].min()
    return worlds.on_board(*GOAL, height=-worlds.HALF_THICKNESS - low, q=q)


def above_table(height: float) -> np.ndarray:
    """Beside the board, which is 10 mm high."""
    return beside(worlds.on_table(0.25, -0.20), z=height)


def goal_and(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    return beside(worlds.on_board(*GOAL), x, y, z)


def drag_and_let_go(play: Play) -> Play:
    """Moves a stone in the gripper without lifting it more than the board's thickness."""
    play.grasp(0)
    play.stones[0] = NEXT
    return play.reach(NEXT, play.opening).open()


# Reason, all reasons, and the episode that earns them.
EPISODES = {
    "nothing happens": (
        ["never_reached", "never_touched", "never_grasped"],
        lambda p: p.wait(),
    ),
    "hovers near a stone": (
        ["never_touched", "never_grasped"],
        lambda p: p.hover(0).leave().wait(),
    ),
    "touches with one finger": (
        ["never_grasped"],
        lambda p: p.brush(0).leave().wait(),
    ),
    "pushes a stone onto the goal, beyond the tolerance": (
        ["never_grasped", "beyond_tolerance"],
        lambda p: p.brush(0).leave().put(0, goal_and(x=0.012)).wait(),
    ),
    "loses the stone on the way": (
        ["dropped", "off_board"],
        lambda p: p.grasp(0).carry(0, HIGH).open().put(0, worlds.on_table(0.2, -0.2)).leave().wait(),
    ),
    "drops it from above, next to the goal": (
        ["dropped", "beyond_tolerance"],
        lambda p: p.grasp(0).carry(0, HIGH).open().put(0, goal_and(y=0.015)).leave().wait(),
    ),
    "releases it beside the board, at the board's height": (
        ["off_board"],
        lambda p: p.grasp(0).carry(0, above_table(0.012)).open().put(0, above_table(0.0)).leave().wait(),
    ),
    "drops it beside the board from higher up": (
        ["dropped", "off_board"],
        lambda p: p.grasp(0).carry(0, above_table(0.022)).open().put(0, above_table(0.0)).leave().wait(),
    ),
    "never lets go": (
        ["still_held"],
        lambda p: p.grasp(0).carry(0, worlds.on_board(*GOAL)).wait(),
    ),
    "still holds it in the air": (
        ["still_held"],
        lambda p: p.grasp(0).carry(0, HIGH).wait(),
    ),
    "lets it slip before the lift": (
        ["lost_before_lift", "off_board"],
        lambda p: p.grasp(0).put(0, beside(p.stones[0], x=0.03)).reach(p.tool, 0.005).open().leave().wait(),
    ),
    "releases it before lifting it": (
        ["lost_before_lift", "off_board"],
        lambda p: p.grasp(0).open().leave().wait(),
    ),
    "squeezes it out while the gripper shuts": (
        ["never_grasped", "off_board"],
        lambda p: (
            p.reach(p.stones[0]).reach(p.stones[0], CLOSED).put(0, beside(p.stones[0], x=0.03)).leave().wait()
        ),
    ),
    "shuts beside it": (
        ["never_grasped", "off_board", "not_clear"],
        lambda p: p.put(0, beside(p.stones[0], x=0.02)).reach(beside(p.stones[0], x=0.0202), 0.0).wait(),
    ),
    "drags it over the board and lets go": (
        ["wrong_intersection"],
        lambda p: drag_and_let_go(p).leave().wait(),
    ),
    "lets go but stays too near": (
        ["not_clear"],
        lambda p: p.grasp(0).carry(0, worlds.on_board(*GOAL)).reach(worlds.on_board(*GOAL), 0.0235).wait(),
    ),
    "slides at the end": (
        ["still_moving"],
        lambda p: p.place(0, worlds.on_board(*GOAL)).move(0, speed=0.006).step(),
    ),
    "rolls away beside the board": (
        ["off_board", "still_moving"],
        lambda p: p.place(0, worlds.on_table(0.25, -0.30)).move(0, speed=0.2, spin=10.0).step(),
    ),
    "slides over the board, to end who knows where": (
        ["still_moving", "wrong_intersection"],
        lambda p: p.place(0, NEXT).move(0, speed=0.1).step(),
    ),
    "pushes the other colour onto the goal": (
        ["wrong_color", "never_grasped", "knocked_another_stone"],
        lambda p: p.brush(2).leave().put(2, worlds.on_board(*GOAL)).wait(),
    ),
    "spins at the end": (
        ["still_moving"],
        lambda p: p.place(0, worlds.on_board(*GOAL)).move(0, spin=0.6).step(),
    ),
    "has not rested long enough": (
        ["unfinished"],
        lambda p: p.place(0, worlds.on_board(*GOAL)).move(0, speed=1.0).step().move(0).wait(0.45),
    ),
    "puts it back on the table": (
        ["off_board"],
        lambda p: p.place(0, worlds.on_table(0.25, -0.30)),
    ),
    "puts it on another stone": (
        ["stacked_or_tilted"],
        lambda p: p.place(0, worlds.on_board(0, 0, height=0.008)),
    ),
    "leaves it leaning": (
        ["stacked_or_tilted"],
        lambda p: p.place(0, leaning(20)),
    ),
    "sinks into the board": (
        ["stacked_or_tilted"],
        lambda p: p.place(0, goal_and(z=-0.002)),
    ),
    "puts the other colour on the goal, having knocked the right one": (
        ["wrong_color", "off_board", "knocked_another_stone"],
        lambda p: p.put(0, beside(p.stones[0], x=0.02)).place(2, worlds.on_board(*GOAL)),
    ),
    "puts the other colour on the goal": (
        ["wrong_color", "knocked_another_stone"],
        lambda p: p.place(2, worlds.on_board(*GOAL)),
    ),
    "grasps the other colour and puts it back": (
        ["wrong_color"],
        lambda p: p.place(2, p.stones[2].copy()),
    ),
    "puts it on the next intersection": (
        ["wrong_intersection"],
        lambda p: p.place(0, NEXT),
    ),
    "puts it on the line between": (
        ["beyond_tolerance"],
        lambda p: p.place(0, goal_and(x=0.025)),
    ),
    "puts it well, but knocks another": (
        ["knocked_another_stone"],
        lambda p: p.put(4, beside(worlds.on_board(0, 0), y=-0.011)).place(0, worlds.on_board(*GOAL)),
    ),
    "moves two stones of the colour": (
        ["knocked_another_stone"],
        lambda p: p.put(1, worlds.on_table(0.35, -0.28)).place(0, worlds.on_board(*GOAL)),
    ),
}


@pytest.mark.parametrize("name", EPISODES)
def test_reason(name):
    expected, run = EPISODES[name]
    play = Play()
    run(play)
    verdict = play.verdict
    assert list(verdict.reasons) == expected
    assert verdict.reason == expected[0]
    assert not verdict.success


def test_every_reason_is_earned_by_some_episode():
    earned = {reason for reasons, _ in EPISODES.values() for reason in reasons}
    of_regions = {"wrong_stone", "outside_region"}  # test_judge_regions.py
    assert earned == set(REASONS) - {"none"} - of_regions


@pytest.mark.parametrize("name", EPISODES)
def test_reasons_are_in_order_and_a_failure_has_one(name):
    play = Play()
    EPISODES[name][1](play)
    for k in range(len(play.times)):
        times, tools, openings, series = (part[: k + 1] for part in play.recorded())
        verdict = play.judge.rejudge(times, tools, openings, series)
        indices = [REASONS.index(reason) for reason in verdict.reasons]
        assert indices == sorted(indices)
        assert verdict.reason == (verdict.reasons[0] if verdict.reasons else "none")
        assert verdict.success == (not verdict.reasons)


@pytest.mark.parametrize("stone", [0, 1])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.0099, 0), (-0.007, 0.007)])
def test_success(stone, x, y):
    play = Play()
    play.place(stone, goal_and(x, y))
    verdict = play.verdict
    assert (verdict.success, verdict.success_once, verdict.reason, verdict.reasons) == (
        True,
        True,
        "none",
        (),
    )
    assert verdict.stone == stone
    assert verdict.offset_mm == pytest.approx((1000 * x, 1000 * y), abs=1e-4)
    assert verdict.distance_mm == pytest.approx(1000 * np.hypot(x, y), abs=1e-4)
    assert verdict.stage == "placed"


def test_success_ends_and_success_once_stays():
    play = Play()
    play.place(0, worlds.on_board(*GOAL))
    play.grasp(0)
    verdict = play.verdict
    assert (verdict.success, verdict.success_once, verdict.reason) == (False, True, "still_held")


def test_success_begins_when_the_rest_has_lasted():
    play = Play()
    play.grasp(0).carry(0, worlds.on_board(*GOAL)).move(0, speed=0.1).open().leave().move(0)
    seen = []
    for _ in range(12):
        play.step()
        seen.append(play.judge.success)
    # Slow from the first of these steps on: half a second later is ten steps later.
    assert seen == [False] * 10 + [True] * 2


def test_a_push_onto_the_goal_is_a_success():
    play = Play()
    play.put(0, worlds.on_board(*GOAL)).wait()
    assert play.verdict.success


def test_the_judged_stone():
    # Untouched: the nearest to the tool. Then the one a pad came closest to, one that moved, one that was
    # grasped, one that was lifted, and the one that is held.
    play = Play()
    assert play.verdict.stone == 0
    play.hover(1).leave()
    assert play.verdict.stone == 1
    play.put(0, worlds.on_board(4, 0))
    assert play.verdict.stone == 0
    play.put(1, NEXT)  # nearer to the goal
    assert play.verdict.stone == 1
    play.grasp(0).open().leave()
    assert play.verdict.stone == 0
    play.grasp(1).carry(1, worlds.on_board(4, 2)).open().leave()
    assert play.verdict.stone == 1
    play.grasp(0)
    assert play.verdict.stone == 0 and play.verdict.reason == "still_held"


def test_a_stone_that_hangs_in_the_gripper_is_judged_before_one_that_was_knocked():
    play = Play()
    play.put(1, NEXT).grasp(0).carry(0, worlds.on_board(0, 2, height=0.039))
    assert play.verdict.stone == 0 and play.verdict.reason == "still_held"


def test_a_grasped_stone_is_judged_before_one_that_was_pressed():
    play = Play()
    play.reach(play.stones[0][:3] + (0, 0.014, 0))  # one pad in the stone: no pad can come closer
    assert play.verdict.stone == 0
    play.grasp(1).leave()
    assert play.verdict.stone == 1


def test_a_stone_of_the_other_colour_that_began_beside_the_goal_was_not_put_there():
    layout = [worlds.on_table(0.25, -0.30), goal_and(x=0.0105)]
    play = Play(layout=layout, colors=(BLACK, WHITE))
    play.put(1, goal_and(x=0.0095)).wait()
    assert "wrong_color" not in play.verdict.reasons
    play.put(1, goal_and(x=0.0001)).wait()
    assert "wrong_color" in play.verdict.reasons


def test_occupancy():
    play = Play()
    start = play.verdict.occupancy
    assert start.dtype == np.uint8
    assert start.tolist() == [[WHITE, 0, 0, 0, 0]] + [[0] * 5] * 4
    play.place(0, goal_and(x=0.02))
    play.put(2, worlds.on_board(4, 4, height=0.002))  # in the air: not there yet
    expected = start.copy()
    expected[GOAL] = BLACK
    np.testing.assert_array_equal(play.verdict.occupancy, expected)
    # Of two stones nearest to one intersection, the nearer one counts.
    play.put(3, goal_and(x=-0.01))
    assert play.verdict.occupancy[GOAL] == WHITE


def test_to_dict_is_plain():
    play = Play()
    play.place(0, goal_and(x=0.03))
    told = play.verdict.to_dict()
    assert list(told) == [
        "success", "success_once", "reason", "reasons", "stage", "stone", "distance_mm", "offset_mm",
        "tilt", "others_moved_mm", "occupancy", "stages",
    ]  # fmt: skip

    def plain(value) -> bool:
        if type(value) is dict:
            return all(type(key) is str and plain(each) for key, each in value.items())
        if type(value) is list:
            return all(map(plain, value))
        return type(value) in (bool, int, float, str) and value == value

    assert plain(told)
    assert told["stages"] == play.verdict.stage_dict()
    assert told["occupancy"] == play.verdict.occupancy.tolist()
    assert "reason" in repr(play.verdict)
