"""Everything that is refused, and that the message names what and where."""

from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from core.judge.checker import MEASURE_DTYPE, EpisodeJudge, PlacementChecker, Tolerances

from . import worlds
from .episodes import Play

GEOMETRY = worlds.make_geometry()


def unchecked(**changes) -> SimpleNamespace:
    """Tolerances as somebody may hand them to the checker who has not made them with ``Tolerances``."""
    return SimpleNamespace(**{**asdict(Tolerances()), **changes})


def state(states: int = 4, stones: int = 3):
    poses = np.tile(worlds.on_board(1, 1), (states, stones, 1))
    return {
        "stone_poses": poses,
        "stone_velocities": np.zeros((states, stones, 6)),
        "finger_poses": np.tile(worlds.AWAY, (states, 1, 1)),
    }


def spoilt(name: str, index: tuple, value: float):
    arrays = state()
    arrays[name] = arrays[name].copy()
    arrays[name][index] = value
    return arrays


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            spoilt("stone_poses", (3, 1, slice(3, 7)), [0.2, 0, 0, 0]),
            r"stone_poses\[3, 1\]: quaternion norm 0.2, must be 1",
        ),
        (
            spoilt("stone_poses", (0, 2, slice(3, 7)), [0, 0, 1.002, 0]),
            r"stone_poses\[0, 2\]: quaternion norm 1.002, must be 1",
        ),
        (
            spoilt("stone_poses", (3, 1, slice(3, 7)), 0.0),
            r"stone_poses\[3, 1\]: quaternion norm 0, must be 1",
        ),
        (spoilt("stone_poses", (2, 0, 1), np.nan), r"stone_poses\[2, 0, 1\]: nan, must be finite"),
        (spoilt("stone_velocities", (1, 2, 5), np.inf), r"stone_velocities\[1, 2, 5\]: inf, must be finite"),
        (spoilt("stone_poses", (1, 2, 0), -1e12), r"stone_poses\[1, 2, 0\]: -1e\+12, must be within 1e9"),
        (
            spoilt("finger_poses", (3, 1, slice(3, 7)), 1.0),
            r"finger_poses\[3, 1\]: quaternion norm 2, must be 1",
        ),
        (
            state() | {"stone_poses": np.zeros((4, 3, 6))},
            r"stone_poses: shape \(4, 3, 6\), must be \(S, 7\) or \(N, S, 7\)",
        ),
        (state() | {"stone_poses": np.zeros(7)}, r"stone_poses: shape \(7,\)"),
        (state() | {"stone_velocities": np.zeros((4, 2, 6))}, r"stone_velocities: shape \(4, 2, 6\)"),
        (state() | {"stone_velocities": np.zeros((4, 3, 7))}, r"stone_velocities: shape"),
        (state() | {"finger_poses": worlds.AWAY}, r"finger_poses: shape \(2, 7\), must be \(N, 2, 7\)"),
        (state() | {"finger_poses": np.zeros((4, 3, 7))}, r"finger_poses: shape"),
        (state() | {"stone_poses": state()["stone_poses"].astype(complex)}, r"stone_poses: dtype complex128"),
        (state() | {"stone_poses": state()["stone_poses"].astype(bool)}, r"stone_poses: dtype bool"),
        (state() | {"stone_poses": state()["stone_poses"].astype(str)}, r"stone_poses: dtype"),
        (state() | {"finger_poses": None}, r"finger_poses: dtype object"),
        (state() | {"stone_poses": [[1.0], [1.0, 2.0]]}, r"stone_poses: must be an array of numbers"),
        (state(stones=256), r"stone_poses: at most 255 stones, got 256"),
    ],
)
def test_measure(arrays, message):
    with pytest.raises(ValueError, match=message):
        GEOMETRY.measure(**arrays)


def test_a_single_state_is_named_by_its_stone():
    stones = np.stack([worlds.on_board(1, 1)] * 3)
    stones[2, 3:] = (0.5, 0, 0, 0)
    with pytest.raises(ValueError, match=r"stone_poses\[2\]: quaternion norm 0.5"):
        worlds.measure(GEOMETRY, stones)


def test_what_is_merely_unusual_is_welcome():
    usual = state()
    expected = GEOMETRY.measure(**usual)
    single = {name: array.astype(np.float32) for name, array in usual.items()}
    assert GEOMETRY.measure(**single)["row"].tolist() == expected["row"].tolist()
    turned = {name: np.asfortranarray(array) for name, array in usual.items()}
    np.testing.assert_array_equal(GEOMETRY.measure(**turned), expected)
    lists = {name: array.tolist() for name, array in usual.items()}
    np.testing.assert_array_equal(GEOMETRY.measure(**lists), expected)


def unaligned(array: np.ndarray) -> np.ndarray:
    """The same values at an address that is not a multiple of their size."""
    room = np.zeros(array.nbytes + 1, np.uint8)
    copy = room[1:].view(array.dtype).reshape(array.shape)
    copy[...] = array
    assert copy.ctypes.data % 2
    return copy


def test_arrays_that_are_not_aligned_are_copied():
    usual = state()
    expected = GEOMETRY.measure(**usual)
    shifted = {name: unaligned(array) for name, array in usual.items()}
    np.testing.assert_array_equal(GEOMETRY.measure(**shifted), expected)
    single = {name: unaligned(array.astype(np.float32)) for name, array in usual.items()}
    assert GEOMETRY.measure(**single)["row"].tolist() == expected["row"].tolist()
    points = usual["stone_poses"][0, :, :3].copy()
    for found, wanted in zip(GEOMETRY.nearest(unaligned(points)), GEOMETRY.nearest(points), strict=True):
        np.testing.assert_array_equal(found, wanted)
    play = Play()
    play.grasp(0)
    times, tools, openings, series = play.recorded()
    assert play.judge.rejudge(unaligned(times), tools, openings, unaligned(series)) == play.verdict
    judge = EpisodeJudge(**{**play.arguments, "layout": unaligned(play.layout)}, tolerances=Tolerances())
    judge.update(0.05, tools[0], 1.0, unaligned(series[0]))


@pytest.mark.parametrize("bad", [np.zeros((4, 2)), np.zeros(3), np.zeros((2, 2, 3))])
def test_nearest_shape(bad):
    with pytest.raises(ValueError, match=r"stone_positions: shape .*, must be \(N, 3\)"):
        GEOMETRY.nearest(bad)


def test_nearest_nan():
    with pytest.raises(ValueError, match=r"stone_positions\[1, 2\]: nan, must be finite"):
        GEOMETRY.nearest([[0, 0, 0], [0, 0, np.nan]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"board_pose": worlds.pose((0, 0, 0), (2, 0, 0, 0))}, "board_pose: quaternion norm 2, must be 1"),
        ({"board_pose": np.zeros(6)}, r"board_pose: shape \(6,\), must be \(7,\)"),
        ({"board_half_size": (0.1, 0.0, 0.1)}, r"board_half_size\[1\]: 0, must be positive"),
        ({"table_half_size": (0.1, 0.1, np.nan)}, r"table_half_size\[2\]: nan, must be finite"),
        ({"size": 0}, "size: 0, must be 1 to 99"),
        ({"pitch": -1.0}, "pitch: -1, must be positive"),
        ({"stone_hull": worlds.puck() + [0.02, 0, 0]}, "stone_hull: the origin"),
        ({"stone_hull": worlds.puck()[:3]}, "stone_hull: a hull has 4 to 65535 vertices, got 3"),
        ({"stone_hull": np.zeros((5, 2))}, r"stone_hull: shape \(5, 2\), must be \(V, 3\)"),
        ({"stone_hull": np.full((5, 3), np.nan)}, r"stone_hull\[0, 0\]: nan"),
        ({"finger_boxes": [worlds.LEFT_FINGER]}, "finger_boxes: must hold two arrays"),
        ({"finger_boxes": [np.zeros((0, 10)), worlds.LEFT_FINGER]}, r"finger_boxes\[0\]: shape \(0, 10\)"),
        (
            {"finger_boxes": [worlds.LEFT_FINGER, worlds.LEFT_FINGER * 2]},
            r"finger_boxes\[1\]\[0\]: quaternion norm 2",
        ),
        (
            {"finger_boxes": [worlds.LEFT_FINGER, [[0, 0, 0, 1, 0, 0, 0, 1, 1, -1]]]},
            r"finger_boxes\[1\]\[0\] half size\[2\]: -1",
        ),
    ],
)
def test_geometry(changes, message):
    with pytest.raises(ValueError, match=message):
        PlacementChecker(**worlds.geometry_arguments(**changes))


def test_geometry_is_keyword_only():
    with pytest.raises(TypeError):
        PlacementChecker(*worlds.geometry_arguments().values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"goal_color": 3}, r"goal_color: 3, must be 1 \(black\) or 2 \(white\)"),
        ({"goal_row": 5}, "goal_row: 5, must be 0 to 4"),
        ({"goal_column": -1}, "goal_column: -1, must be 0 to 4"),
        ({"colors": [1, 1, 2, 2]}, "layout: 5 stones, but colors has 4"),
        ({"colors": [1, 0, 2, 2, 2]}, r"colors\[1\]: 0, must be"),
        ({"colors": [2, 2, 2, 2, 2]}, "colors: no stone of the named colour 1"),
        ({"goal_row": 0, "goal_column": 0}, r"layout\[4\]: lies on the goal already"),
        ({"layout": np.zeros(5)}, "layout: must be an array of MEASURE_DTYPE"),
        ({"layout": np.zeros((1, 5), MEASURE_DTYPE)}, r"layout: shape \(1, 5\), must be \(S,\)"),
        ({"tool_position": [0, 0]}, r"tool_position: shape \(2,\), must be \(3,\)"),
        ({"tool_position": [0, 0, np.nan]}, r"tool_position\[2\]: nan"),
        (
            {"tolerances": unchecked(distance=-1.0)},
            "tolerances.distance: -1, must be finite and not negative",
        ),
        ({"tolerances": unchecked(tilt=float("nan"))}, "tolerances.tilt: nan"),
    ],
)
def test_judge(changes, message):
    arguments = {**Play().arguments, "tolerances": Tolerances(), **changes}
    with pytest.raises(ValueError, match=message):
        EpisodeJudge(**arguments)


def test_colors_are_whole_numbers():
    with pytest.raises(TypeError):
        EpisodeJudge(**{**Play().arguments, "tolerances": Tolerances(), "colors": [1.5, 1, 2, 2, 2]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": 0.01}, "time: 0.01, must not be before the last update at 0.05"),
        ({"time": np.nan}, "update: time, tool position and opening must be finite"),
        ({"opening": np.inf}, "update: time, tool position and opening must be finite"),
        ({"tool_position": [0, 0]}, "tool_position: shape"),
        (
            {"measures": np.zeros(4, MEASURE_DTYPE)},
            r"measures: shape \(4,\), must be \(S,\), one row per stone",
        ),
        ({"measures": [1, 2, 3, 4, 5]}, "measures: must be an array of MEASURE_DTYPE"),
    ],
)
def test_update(changes, message):
    play = Play().step()
    before = play.judge.get_state()
    usual = {"time": 1.0, "tool_position": play.tool_B(), "opening": 1.0, "measures": play.layout}
    with pytest.raises(ValueError, match=message):
        play.judge.update(**{**usual, **changes})
    assert play.judge.get_state() == before


@pytest.mark.parametrize(
    "field", ["position", "tilt", "low", "gap", "pad_left", "pad_right", "speed", "spin"]
)
def test_update_with_a_measure_that_is_not_finite(field):
    play = Play()
    measures = play.layout.copy()
    measures[field][2] = np.nan
    with pytest.raises(ValueError, match=r"measures\[2\]: a value is not finite"):
        play.judge.update(1.0, play.tool_B(), 1.0, measures)


def test_update_with_an_intersection_off_the_board():
    play = Play()
    measures = play.layout.copy()
    measures["row"][1] = 5
    with pytest.raises(ValueError, match=r"measures\[1\]: intersection \(5, 0\) is not on a board of size 5"):
        play.judge.update(1.0, play.tool_B(), 1.0, measures)


def test_rejudge_with_lengths_that_differ():
    play = Play().wait()
    times, tools, openings, series = play.recorded()
    for bad, message in (
        ((times[1:], tools, openings, series), "times: shape"),
        ((times, tools[1:], openings, series), "tools: shape"),
        ((times, tools, openings[1:], series), "openings: shape"),
        ((times, tools, openings, series[:, 1:]), "measures: shape"),
        ((times, tools, openings, series[0]), "measures: shape"),
    ):
        with pytest.raises(ValueError, match=message):
            play.judge.rejudge(*bad)
