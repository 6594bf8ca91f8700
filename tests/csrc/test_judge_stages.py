"""Stage flags, ours and INT-ACT's, in the episodes that raise them."""

import pytest

from core.judge.checker import INT_ACT, STAGES

from . import worlds
from .episodes import CLOSED, GOAL, LAYOUT, Play, beside

ON_GOAL = worlds.on_board(*GOAL)
HIGH = worlds.on_board(*GOAL, height=0.04)

# What happens, and our flags afterwards.
OURS = {
    "nothing": (lambda p: p.wait(), ""),
    "hovers above the nearest": (lambda p: p.hover(0), "reached"),
    "hovers above another colour": (lambda p: p.hover(2), ""),
    "touches": (lambda p: p.brush(0), "reached touched"),
    "grasps": (lambda p: p.grasp(0), "reached touched grasped used_nearest"),
    "grasps another of the colour": (lambda p: p.grasp(1), "reached touched grasped"),
    "grasps both, the other first": (lambda p: p.grasp(1).grasp(0), "reached touched grasped released"),
    "lifts": (lambda p: p.grasp(0).carry(0, HIGH), "reached touched grasped lifted used_nearest"),
    "grasps and lets go": (
        lambda p: p.grasp(0).open().leave(),
        "reached touched grasped released used_nearest",
    ),
    "flicks it up": (lambda p: p.put(0, HIGH).put(0, LAYOUT[0]), ""),
    "loses it, then opens": (
        lambda p: p.grasp(0).put(0, beside(p.stones[0], x=0.03)).reach(p.tool, 0.005).open().leave(),
        "reached touched grasped used_nearest",
    ),
    "shuts upon it from above": (
        lambda p: p.reach(p.stones[0][:3] + (0, 0, 0.01345), 0.0),
        "reached touched",
    ),
    "lets it slip": (
        lambda p: p.grasp(0).carry(0, HIGH).put(0, ON_GOAL).reach(HIGH, CLOSED - 0.01),
        "reached touched grasped lifted placed used_nearest",
    ),
    "does it all": (
        lambda p: p.place(0, ON_GOAL),
        "reached touched grasped lifted released placed used_nearest",
    ),
    "puts it beside": (
        lambda p: p.place(0, beside(ON_GOAL, x=0.012)),
        "reached touched grasped lifted released used_nearest",
    ),
    "grasps the other colour": (lambda p: p.grasp(2), "wrong_stone"),
    "nudges the other colour": (lambda p: p.put(2, beside(p.stones[2], x=0.009)), ""),
    "moves the other colour": (lambda p: p.put(2, beside(p.stones[2], x=0.011)), "wrong_stone"),
    "moves it and brings it back": (
        lambda p: p.put(2, beside(p.stones[2], x=0.011)).put(2, beside(p.stones[2], x=-0.011)),
        "wrong_stone",
    ),
    # The board is 10 mm above the table: less than counts as lifted.
    "pushes the stone across the goal": (lambda p: p.move(0, speed=0.1).put(0, ON_GOAL), ""),
}


@pytest.mark.parametrize("name", OURS)
def test_flags(name):
    run, expected = OURS[name]
    play = Play()
    run(play)
    flags = play.verdict.stage_dict()
    assert list(flags) == [*STAGES, *INT_ACT]
    assert {flag for flag in STAGES if flags[flag]} == set(expected.split())


@pytest.mark.parametrize("name", OURS)
def test_flags_are_sticky(name):
    play = Play()
    OURS[name][0](play)
    before = play.verdict.stage_dict()
    play.leave().wait()
    after = play.verdict.stage_dict()
    assert all(after[flag] for flag in STAGES if before[flag])


@pytest.mark.parametrize(
    ("run", "stage"),
    [
        (lambda p: p.wait(), "none"),
        (lambda p: p.grasp(2), "none"),
        (lambda p: p.grasp(0), "grasped"),
        (lambda p: p.grasp(0).carry(0, HIGH), "lifted"),
        (lambda p: p.place(0, beside(ON_GOAL, x=0.02)), "released"),
        (lambda p: p.place(0, ON_GOAL), "placed"),
    ],
)
def test_the_last_step_taken(run, stage):
    play = Play()
    run(play)
    assert play.verdict.stage == stage


def far(stone: int, metres: float):
    return lambda p: p.put(stone, beside(p.stones[stone], y=metres))


# Flags without their prefix, in INT-ACT's own words.
THEIRS = {
    "nothing": (lambda p: p.wait(), ""),
    "tool within 50 mm of the source": (
        lambda p: p.hover(0, 0.049).leave(),
        "source_intention_correct",
    ),
    "tool 51 mm away": (lambda p: p.hover(0, 0.051).leave(), ""),
    "tool near another of the colour": (lambda p: p.reach(p.stones[1]).leave(), ""),
    "grasps the source": (lambda p: p.grasp(0).leave(), "source_intention_correct grasp_correct"),
    "grasps another of the colour": (lambda p: p.grasp(1).leave(), ""),
    "source moves 31 mm": (far(0, 0.031), "move_correct"),
    "source moves 29 mm": (far(0, 0.029), ""),
    "another moves 31 mm": (far(2, 0.031), "wrong_object_attempt"),
    "another moves 29 mm": (far(2, 0.029), ""),
    "source moves farther than another": (lambda p: far(0, 0.05)(far(2, 0.031)(p)), "move_correct"),
    "another moves farther than the source": (
        lambda p: far(0, 0.031)(far(2, 0.05)(p)),
        "wrong_object_attempt",
    ),
    "placed": (lambda p: p.place(0, ON_GOAL), "source_intention_correct grasp_correct move_correct success"),
    "placed 18 mm away": (lambda p: p.put(0, beside(ON_GOAL, x=0.018)), "move_correct success"),
    "placed 19 mm away": (lambda p: p.put(0, beside(ON_GOAL, x=0.019)), "move_correct"),
    "held 19 mm above": (lambda p: p.put(0, beside(ON_GOAL, z=0.019)), "move_correct success"),
    "held 21 mm above": (lambda p: p.put(0, beside(ON_GOAL, z=0.021)), "move_correct"),
    "pressed into the board": (lambda p: p.put(0, beside(ON_GOAL, z=-0.005)), "move_correct"),
    "on another stone": (
        lambda p: p.put(4, ON_GOAL).put(0, beside(ON_GOAL, z=0.008)),
        "move_correct",
    ),
}


@pytest.mark.parametrize("name", THEIRS)
def test_int_act(name):
    run, expected = THEIRS[name]
    play = Play()
    run(play)
    flags = play.verdict.stage_dict()
    raised = {flag.removeprefix("int_act/") for flag in INT_ACT if flags[flag]}
    assert raised == set(expected.split())


def test_int_act_move_and_success_are_of_the_last_step():
    play = Play()
    play.place(0, ON_GOAL)
    play.put(0, LAYOUT[0])
    flags = play.verdict.stage_dict()
    assert flags["int_act/grasp_correct"]
    assert not flags["int_act/move_correct"]
    assert not flags["int_act/success"]
