"""Distances and touches against an oracle (oracle.py says how it works and where not to trust it)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.judge.checker import DISTANCE_CAP, TOUCH_DISTANCE, TOUCHES

from . import oracle, worlds

ACCURACY = 2e-9  # m: float32 keeps 30 mm to 2 nm
FUZZ = settings(derandomize=True, deadline=None, max_examples=60, database=None)
seeds = st.integers(min_value=0, max_value=2**32 - 1)


def ball(facets: int) -> np.ndarray:
    """Points spread evenly over a sphere of 11 mm: a hull without flat faces."""
    k = np.arange(facets) + 0.5
    polar, around = np.arccos(1 - 2 * k / facets), np.pi * (1 + 5**0.5) * k
    unit = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=1)
    return 0.011 * unit


HULLS = {
    "puck": worlds.puck(),
    "coarse puck": worlds.puck(facets=8),
    "ball": ball(60),
    "needle": ball(40) * [0.1, 0.1, 2.0],
    "slab": ball(40) * [1.5, 1.0, 0.05],
    "cube": oracle.box_corners(worlds.pose((0, 0, 0)), np.full(3, 0.01)),
    "tetrahedron": 0.01 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], float),
}
WORLDS = {name: worlds.make_geometry(stone_hull=hull) for name, hull in HULLS.items()}


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """Any rotation, but often one of those that lay faces on faces and edges on edges."""
    if rng.random() < 0.4:
        quarter = rng.integers(0, 4, size=2) * np.pi / 2
        return worlds.multiply(
            worlds.rotation((0, 0, 1), quarter[0] + rng.choice([0, np.pi / 32])),
            worlds.rotation((1, 0, 0), quarter[1]),
        )
    q = rng.normal(size=4)
    return q / np.linalg.norm(q)


def in_bounds(value: float, bounds: tuple[float, float], cap: float = np.inf) -> bool:
    low, high = bounds
    return min(low, cap) - ACCURACY <= value <= min(high, cap) + ACCURACY


def test_the_oracle_knows_what_can_be_computed_by_hand():
    cube = oracle.box_corners(worlds.pose((0, 0, 0)), np.full(3, 0.01))
    for offset, expected in (
        ((0.03, 0.0, 0.0), 0.01),
        ((0.03, 0.04, 0.0), np.hypot(0.01, 0.02)),
        ((0.03, 0.04, 0.05), np.sqrt(0.01**2 + 0.02**2 + 0.03**2)),
        ((0.01, 0.0, 0.0), 0.0),
    ):
        low, high = oracle.distance_bounds(cube, cube + offset)
        assert low == pytest.approx(expected, abs=1e-9)
        assert high == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", HULLS)
@FUZZ
@given(seed=seeds)
def test_distance_to_fingers(name, seed):
    rng = np.random.default_rng(seed)
    hull, geometry = HULLS[name], WORLDS[name]
    fingers = worlds.fingers_around((0.1, 0.1, 1.0), rng.uniform(0.0, 0.048))
    near = worlds.pose(
        (0.1, 0.1, 1.0) + rng.normal(size=3) * rng.choice([0.003, 0.02, 0.05]), random_rotation(rng)
    )
    (m,) = worlds.measure(geometry, [near], fingers=fingers)
    shapes = (worlds.LEFT_FINGER, worlds.mirrored(worlds.LEFT_FINGER))
    for finger, boxes, side in zip(fingers, shapes, ("left", "right"), strict=True):
        whole = oracle.finger_bounds(near, hull, finger, boxes)
        pad = oracle.finger_bounds(near, hull, finger, boxes[-1:])
        assert in_bounds(m[side], whole, DISTANCE_CAP)
        assert in_bounds(m[f"pad_{side}"], pad, DISTANCE_CAP)
        if abs(whole[1] - TOUCH_DISTANCE) > ACCURACY:
            assert bool(m["touches"] & TOUCHES[f"{side}_finger"]) == (whole[1] <= TOUCH_DISTANCE)


@pytest.mark.parametrize("name", ["puck", "needle", "cube"])
@settings(FUZZ, max_examples=25)
@given(seed=seeds)
def test_touch_between_stones(name, seed):
    rng = np.random.default_rng(seed)
    hull, geometry = HULLS[name], WORLDS[name]
    first = worlds.pose((0, 0, 1), random_rotation(rng))
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    second = worlds.pose((0, 0, 1) + direction * rng.uniform(0.004, 0.024), random_rotation(rng))
    bounds = oracle.distance_bounds(oracle.hull_points(first, hull), oracle.hull_points(second, hull))
    # Slide the second along the direction until they are just apart, or just not.
    for gap in (-0.0001, 0.0001):
        moved = second.copy()
        moved[:3] += direction * (TOUCH_DISTANCE + gap - bounds[1])
        expected = oracle.distance_bounds(oracle.hull_points(first, hull), oracle.hull_points(moved, hull))
        if abs(expected[1] - TOUCH_DISTANCE) <= ACCURACY:
            continue
        measures = worlds.measure(geometry, [first, moved])
        touching = expected[1] <= TOUCH_DISTANCE
        assert measures["neighbour"].tolist() == ([1, 0] if touching else [-1, -1])
        assert ((measures["touches"] & TOUCHES["stone"]) > 0).tolist() == [touching, touching]


@FUZZ
@given(seed=seeds)
def test_touch_of_board_and_table(seed):
    rng = np.random.default_rng(seed)
    hull, geometry = HULLS["puck"], WORLDS["puck"]
    arguments = worlds.geometry_arguments()
    # Around the board's edges and corners, where the closed form does not decide.
    p_B = (
        np.array([rng.choice([-0.14, 0.14]), rng.choice([-0.14, 0.14, 0.0]), -0.003])
        + rng.normal(size=3) * 0.009
    )
    stone = worlds.in_board(p_B, random_rotation(rng))
    board_centre = worlds.in_board((0, 0, -arguments["board_half_size"][2]))
    (m,) = worlds.measure(geometry, [stone])
    for name, centre in (("board", board_centre), ("table", arguments["table_pose"])):
        low, high = oracle.slab_bounds(stone, hull, centre, arguments[f"{name}_half_size"])
        if low - ACCURACY <= TOUCH_DISTANCE <= high + ACCURACY:
            continue
        assert bool(m["touches"] & TOUCHES[name]) == (high <= TOUCH_DISTANCE)


@pytest.mark.parametrize("name", HULLS)
@FUZZ
@given(seed=seeds)
def test_lowest_point(name, seed):
    rng = np.random.default_rng(seed)
    p_B = rng.uniform([-0.2, -0.2, -0.02], [0.2, 0.2, 0.05])
    q = random_rotation(rng)
    (m,) = worlds.measure(WORLDS[name], [worlds.in_board(p_B, q)])
    low = (p_B + HULLS[name] @ worlds.matrix(q).T)[:, 2].min()
    over_board = bool(np.all(np.abs(p_B[:2]) <= 0.14))
    above_table = low + worlds.BOARD_TOP - worlds.TABLE_TOP
    assert m["low"] == pytest.approx(low, abs=ACCURACY)
    assert m["gap"] == pytest.approx(low if over_board else above_table, abs=ACCURACY)
    assert bool(m["over_board"]) == over_board


@pytest.mark.parametrize(("size", "pitch"), [(5, 0.055), (4, 0.03), (19, 0.01), (1, 0.05)])
def test_nearest_intersection(size, pitch):
    geometry = worlds.make_geometry(size=size, pitch=pitch)
    rng = np.random.default_rng(size)
    p_B = rng.uniform(-0.15, 0.15, size=(300, 3))
    p_W = np.array([worlds.in_board(p)[:3] for p in p_B])
    rows, columns, offsets = geometry.nearest(p_W)
    assert (rows.dtype, columns.dtype, offsets.dtype) == (np.int8, np.int8, np.float32)
    expected = np.array([oracle.nearest_intersection(p, size, pitch) for p in p_B])
    np.testing.assert_array_equal(np.stack([rows, columns], axis=1), expected)
    half = (size - 1) / 2
    centres = np.stack([(expected[:, 1] - half) * pitch, (half - expected[:, 0]) * pitch], axis=1)
    np.testing.assert_allclose(offsets, p_B[:, :2] - centres, atol=ACCURACY)
    measures = worlds.measure(geometry, [worlds.in_board(p) for p in p_B[:20]])
    np.testing.assert_array_equal(measures["row"], rows[:20])
    np.testing.assert_array_equal(measures["column"], columns[:20])
    np.testing.assert_array_equal(measures["offset"], offsets[:20])
