"""What must not matter: where the world stands, how the board is turned, the order of the stones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import worlds

LAWS = settings(derandomize=True, deadline=None, max_examples=40, database=None)
seeds = st.integers(min_value=0, max_value=2**32 - 1)
GEOMETRY = worlds.make_geometry()
# Measures that know neither the board's axes nor the order of the stones.
NEUTRAL = ["tilt", "low", "gap", "left", "right", "pad_left", "pad_right", "speed", "spin"]
EXACT = ["touches", "neighbours", "status", "over_board"]


def random_state(seed: int):
    """A crowded board: stones on it, on each other, on the table, and one between the fingers."""
    rng = np.random.default_rng(seed)
    stones = [
        worlds.in_board((*rng.uniform(-0.13, 0.13, 2), 0.004), worlds.rotation((0, 0, 1), rng.uniform(0, 6)))
        for _ in range(6)
    ]
    stones.append(worlds.compose(stones[0], worlds.pose((0.004, 0, 0.0081))))
    stones.append(worlds.on_table(0.4, 0.2))
    tumbling = rng.normal(size=4)
    stones.append(worlds.in_board((0.02, 0.03, 0.06), tumbling / np.linalg.norm(tumbling)))
    fingers = worlds.fingers_around(stones[-1][:3], 0.026)
    return np.array(stones), rng.normal(size=(len(stones), 6)), fingers


def assert_same(a, b, fields=NEUTRAL, atol=2e-8):
    for name in fields:
        np.testing.assert_allclose(a[name], b[name], atol=atol, err_msg=name)
    for name in EXACT:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@LAWS
@given(seed=seeds)
def test_the_order_of_the_stones(seed):
    stones, velocities, fingers = random_state(seed)
    order = np.random.default_rng(seed).permutation(len(stones))
    first = GEOMETRY.measure(stones, velocities, fingers)
    second = GEOMETRY.measure(stones[order], velocities[order], fingers)
    for name in [n for n in first.dtype.names if n != "neighbour"]:
        np.testing.assert_array_equal(first[order][name], second[name])
    back = np.append(order, -1)  # index in the permuted list -> index in the first; -1 stays -1
    np.testing.assert_array_equal(first[order]["neighbour"], back[second["neighbour"]])


@LAWS
@given(seed=seeds)
def test_moving_the_whole_world(seed):
    rng = np.random.default_rng(seed)
    move = worlds.pose(rng.uniform(-1, 1, 3), worlds.rotation((0, 0, 1), rng.uniform(-3, 3)))
    stones, velocities, fingers = random_state(seed)
    arguments = worlds.geometry_arguments()
    moved = worlds.make_geometry(
        board_pose=worlds.compose(move, arguments["board_pose"]),
        table_pose=worlds.compose(move, arguments["table_pose"]),
    )
    turn = worlds.matrix(move[3:]).T
    first = GEOMETRY.measure(stones, velocities, fingers)
    second = moved.measure(
        np.array([worlds.compose(move, s) for s in stones]),
        np.hstack([velocities[:, :3] @ turn, velocities[:, 3:] @ turn]),
        np.array([worlds.compose(move, f) for f in fingers]),
    )
    assert_same(first, second, [*NEUTRAL, "position", "offset"], atol=1e-6)
    for name in ("row", "column", "neighbour"):
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("quarters", [1, 2, 3])
@LAWS
@given(seed=seeds)
def test_turning_the_board_by_quarters(quarters, seed):
    stones, velocities, fingers = random_state(seed)
    turn = worlds.pose((0, 0, 0), worlds.rotation((0, 0, 1), quarters * np.pi / 2))
    turned = worlds.make_geometry(board_pose=worlds.compose(worlds.BOARD_POSE, turn))
    first = GEOMETRY.measure(stones, velocities, fingers)
    second = turned.measure(stones, velocities, fingers)
    assert_same(first, second, [*NEUTRAL, "distance_mm"], atol=1e-5)
    # A board turned to the left shows its intersections turned to the right, as np.rot90 does.
    cells = np.arange(worlds.SIZE**2).reshape(worlds.SIZE, worlds.SIZE)
    seen = np.rot90(cells, -quarters)[second["row"], second["column"]]
    np.testing.assert_array_equal(seen, cells[first["row"], first["column"]])


@LAWS
@given(seed=seeds)
def test_the_sign_of_a_quaternion_and_turning_a_stone_over(seed):
    stones, velocities, fingers = random_state(seed)
    first = GEOMETRY.measure(stones, velocities, fingers)
    negated = stones * [1, 1, 1, -1, -1, -1, -1]
    np.testing.assert_array_equal(first, GEOMETRY.measure(negated, velocities, fingers))
    # The puck has 32 facets: turned over about x it fills the same space.
    over = np.array(
        [worlds.compose(s, worlds.pose((0, 0, 0), worlds.rotation((1, 0, 0), np.pi))) for s in stones]
    )
    assert_same(first, GEOMETRY.measure(over, velocities, fingers), [*NEUTRAL, "position", "offset"])


@LAWS
@given(seed=seeds, scale=st.floats(0.9991, 1.0009))
def test_the_length_of_a_nearly_unit_quaternion(seed, scale):
    stones, velocities, fingers = random_state(seed)
    scaled = stones * [1, 1, 1, scale, scale, scale, scale]
    assert_same(GEOMETRY.measure(stones, velocities, fingers), GEOMETRY.measure(scaled, velocities, fingers))


def test_the_right_finger_is_the_left_one_mirrored():
    stone = worlds.on_board(2, 2, height=0.05)
    (m,) = worlds.measure(GEOMETRY, [stone], fingers=worlds.fingers_around(stone[:3], 0.03))
    assert m["left"] == pytest.approx(float(m["right"]), abs=1e-8)
    assert m["pad_left"] == pytest.approx(float(m["pad_right"]), abs=1e-8)


def test_twice_is_the_same_to_the_last_bit():
    state = random_state(3)
    assert GEOMETRY.measure(*state).tobytes() == GEOMETRY.measure(*state).tobytes()
