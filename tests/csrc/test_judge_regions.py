"""Regions of the table, and goals that name one stone alone: success, reasons, and what is remembered."""

import numpy as np
import pytest

from core.judge.checker import EpisodeJudge, Tolerances

from . import worlds
from .episodes import BLACK, COLORS, GOAL, LAYOUT, WHITE, Play, beside

MIDDLE = worlds.on_table(0.25, 0.05)  # of the region, in W
HALF = (0.03, 0.05)
ON_BOARD = 4  # the white stone of the usual layout that stands on (0, 0)
# The usual layout with a black stone on the board, too.
BLACK_TOO = {"colors": (*COLORS, BLACK), "layout": (*LAYOUT, worlds.on_board(3, 3))}


def region(yaw: float = 0.0) -> list[float]:
    p_B = worlds.matrix(worlds.BOARD_POSE[3:]).T @ (MIDDLE[:3] - worlds.BOARD_POSE[:3])
    return [p_B[0], p_B[1], *HALF, yaw]


def remove(stone: int = ON_BOARD, yaw: float = 0.0, **options) -> Play:
    """An episode that asks for a white stone to be taken into the region."""
    return Play(goal_color=WHITE, stone=stone, region=region(yaw), **options)


def inside(x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """A place in the region, x and y from its middle in the board's axes."""
    return beside(MIDDLE, x, y)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.0299, 0), (-0.0299, 0.0499), (0, -0.0499)])
def test_anywhere_inside_is_success(x, y):
    play = remove()
    play.place(ON_BOARD, inside(x, y))
    assert play.verdict.success and play.verdict.reason == "none"
    assert play.verdict.distance_mm == pytest.approx(1000 * np.hypot(x, y), abs=0.01)
    assert play.verdict.stage_dict()["int_act/success"]
    assert play.verdict.occupancy[0, 0] == 0


@pytest.mark.parametrize(("x", "y"), [(0.0301, 0), (0, 0.0501), (0.2, 0)])
def test_outside_is_not(x, y):
    play = remove()
    play.place(ON_BOARD, inside(x, y))
    assert play.verdict.reasons == ("outside_region",)
    assert not play.verdict.stage_dict()["int_act/success"]


def test_a_turned_region():
    for yaw, expected in ((0.0, True), (np.pi / 2, False)):
        play = remove(yaw=yaw)
        play.place(ON_BOARD, inside(0.0, 0.045))
        assert play.verdict.success == expected


@pytest.mark.parametrize(
    ("place", "reasons"),
    [
        (worlds.on_board(2, 2), ["outside_region"]),
        (inside() + [0, 0, -0.5, 0, 0, 0, 0], ["off_board"]),
        (inside() + [0, 0, 0.008, 0, 0, 0, 0], ["stacked_or_tilted"]),
    ],
    ids=["elsewhere on the board", "fallen from the table", "on something"],
)
def test_reasons(place, reasons):
    play = remove()
    play.place(ON_BOARD, place)
    assert list(play.verdict.reasons) == reasons


def test_another_stone_of_the_colour_will_not_do():
    play = remove()
    play.place(2, inside())
    assert play.verdict.reasons == ("wrong_stone", "knocked_another_stone")
    assert play.verdict.stage_dict()["wrong_stone"] and not play.verdict.stage_dict()["grasped"]
    assert remove(stone=-1).place(2, inside()).verdict.success


def test_the_other_colour_will_not_do():
    play = remove()
    play.place(0, inside())
    assert play.verdict.reasons == ("wrong_color", "knocked_another_stone")


def test_a_stone_that_lies_there_from_before_is_no_obstacle():
    layout = (*LAYOUT[:3], inside(y=0.03), LAYOUT[4])
    play = Play(goal_color=WHITE, stone=ON_BOARD, region=region(), layout=layout)
    play.place(ON_BOARD, inside())
    assert play.verdict.success


def test_a_named_stone_moves_to_another_intersection():
    play = Play(stone=5, **BLACK_TOO)
    play.place(5, worlds.on_board(*GOAL))
    assert play.verdict.success and play.verdict.occupancy[3, 3] == 0
    play = Play(stone=5, **BLACK_TOO)
    play.place(0, worlds.on_board(*GOAL))
    assert not play.verdict.success and play.verdict.reason == "wrong_stone"


def test_the_memory_travels_to_judges_of_the_same_goal_only():
    play = remove()
    play.place(ON_BOARD, inside())
    state = play.judge.get_state()
    twin = remove().judge
    twin.set_state(state)
    assert twin.verdict() == play.verdict and twin.get_state() == state
    for other in (remove(stone=3).judge, remove(yaw=0.1).judge, Play(goal_color=WHITE, stone=4).judge):
        with pytest.raises(ValueError, match="other stones, goal or tolerances"):
            other.set_state(state)
    times, tools, openings, series = play.recorded()
    assert play.judge.rejudge(times, tools, openings, series) == play.verdict


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"goal_stone": 5}, "goal_stone: 5, must be one of 5 stones"),
        ({"goal_stone": -2}, "goal_stone: -2"),
        ({"goal_stone": 0}, "goal_stone: stone 0 is not of the named colour"),
        ({"region": [0, 0, 0.1]}, r"region: shape \(3,\), must be \(5,\)"),
        ({"region": [0, 0, 0.1, -0.1, 0]}, r"region half size\[1\]: -0.1"),
        ({"region": [0, np.nan, 0.1, 0.1, 0]}, r"region\[1\]: nan"),
        ({"region": None}, "goal_row: -1, must be 0 to 4"),
    ],
)
def test_bad_input(changes, message):
    arguments = {**remove().arguments, "goal_row": -1, "goal_column": -1, **changes}
    with pytest.raises(ValueError, match=message):
        EpisodeJudge(**arguments, tolerances=Tolerances())


def test_a_stone_that_is_there_already_is_refused():
    with pytest.raises(ValueError, match=r"layout\[4\]: lies on the goal already"):
        Play(goal_color=WHITE, stone=4, region=region(), layout=(*LAYOUT[:4], inside()))


def test_a_drop_beside_the_board_is_one_where_the_goal_is_a_region():
    play = remove()
    above, there = (beside(inside(0.2), z=height) for height in (0.012, 0.0))
    play.grasp(ON_BOARD).carry(ON_BOARD, above).open().put(ON_BOARD, there).leave().wait()
    assert play.verdict.reasons == ("dropped", "outside_region")
