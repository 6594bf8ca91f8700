"""Worlds whose distances are known by hand: a cube before the faces, edges and corners of a box.

corner   edge    face         The pad is a box of 20 x 20 x 20 mm at the origin of its link;
   +------+------+            the stone is a cube of 20 mm. `gap` separates them along each of
  /      /      /|            the axes named, so the distance is gap * sqrt(number of axes).
 +------+------+ |
"""

import itertools

import numpy as np
import pytest

from core.judge.checker import DISTANCE_CAP, TOUCH_DISTANCE, TOUCHES

from . import oracle, worlds

HALF = 0.01
CUBE = oracle.box_corners(worlds.pose((0, 0, 0)), np.full(3, HALF))
PAD = np.array([[0, 0, 0, 1, 0, 0, 0, HALF, HALF, HALF]])
FAR = worlds.pose((0, 0, 5))
# All 26 neighbours of a cube: 6 across faces, 12 across edges, 8 across corners.
DIRECTIONS = [d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)]


@pytest.fixture(scope="module")
def cubes():
    return worlds.make_geometry(stone_hull=CUBE, finger_boxes=[PAD, PAD])


def left_distance(geometry, stone, pad) -> np.void:
    return worlds.measure(geometry, [stone], fingers=np.stack([pad, FAR]))[0]


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
@pytest.mark.parametrize("gap", [-0.001, 0.0, 0.0004, 0.0006, 0.005, 0.04])
def test_cube_beside_box(cubes, direction, gap):
    step = np.array(direction) * (2 * HALF + gap)
    stone, pad = worlds.pose((0.1, 0.2, 1.0)), worlds.pose((0.1, 0.2, 1.0) + step)
    m = left_distance(cubes, stone, pad)
    expected = max(gap, 0.0) * np.sqrt(np.count_nonzero(direction))
    assert m["left"] == pytest.approx(min(expected, DISTANCE_CAP), abs=1e-9)
    assert m["left"] == m["pad_left"]
    assert m["right"] == np.float32(DISTANCE_CAP)
    assert bool(m["touches"] & TOUCHES["left_finger"]) == (expected <= TOUCH_DISTANCE)
    assert not m["touches"] & (TOUCHES["right_finger"] | TOUCHES["right_pad"])
    # Asked the other way round: the box before the cube.
    assert left_distance(cubes, pad, stone)["left"] == pytest.approx(float(m["left"]), abs=1e-9)


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
@pytest.mark.parametrize(("gap", "touching"), [(-0.001, True), (0.0002, True), (0.0006, False)])
def test_cube_beside_cube(cubes, direction, gap, touching):
    first = worlds.pose((0.1, 0.2, 1.0))
    second = worlds.pose(first[:3] + np.array(direction) * (2 * HALF + gap))
    for pair in ([first, second], [second, first]):
        m = worlds.measure(cubes, pair)
        assert m["neighbour"].tolist() == ([1, 0] if touching else [-1, -1])
        assert m["neighbours"].tolist() == [int(touching)] * 2


def test_one_inside_the_other(cubes):
    centre = worlds.pose((0.1, 0.2, 1.0))
    assert left_distance(cubes, centre, centre)["left"] == 0.0
    assert worlds.measure(cubes, [centre, centre])["neighbour"].tolist() == [1, 0]
    tilted = worlds.pose((0.1005, 0.2, 1.0), worlds.rotation((1, 1, 0), 0.7))
    assert left_distance(cubes, tilted, centre)["left"] == 0.0


@pytest.mark.parametrize("turn", [0.0, np.pi / 4])
def test_edge_before_face(cubes, turn):
    # Turned by 45 degrees the cube shows an edge: it reaches sqrt(2) * HALF towards the pad.
    reach = HALF * (np.cos(turn) + np.sin(turn))
    pad = worlds.pose((0.1 + reach + HALF + 0.003, 0.2, 1.0))
    m = left_distance(cubes, worlds.pose((0.1, 0.2, 1.0), worlds.rotation((0, 0, 1), turn)), pad)
    assert m["left"] == pytest.approx(0.003, abs=1e-9)


def test_crossed_edges(cubes):
    # Each cube shows an edge to the other, one along z and one along y, along a common normal x.
    one = worlds.pose((0.0, 0.0, 1.0), worlds.rotation((0, 0, 1), np.pi / 4))
    other = worlds.pose((2 * np.sqrt(2) * HALF + 0.002, 0.0, 1.0), worlds.rotation((0, 1, 0), np.pi / 4))
    assert left_distance(cubes, one, other)["left"] == pytest.approx(0.002, abs=1e-9)


def test_the_nearest_box_of_a_finger_counts_and_the_pad_is_the_last():
    beside = PAD.copy()
    beside[0, 0] = 0.03
    geometry = worlds.make_geometry(stone_hull=CUBE, finger_boxes=[np.vstack([beside, PAD]), PAD])
    m = left_distance(geometry, worlds.pose((0.055, 0, 1)), worlds.pose((0, 0, 1)))
    assert m["left"] == pytest.approx(0.005, abs=1e-9)
    assert m["pad_left"] == np.float32(DISTANCE_CAP)


def test_of_several_neighbours_the_nearest_centre_counts(cubes):
    middle = worlds.pose((0, 0, 1))
    near, far = worlds.pose((2 * HALF + 0.0001, 0, 1)), worlds.pose((-2 * HALF - 0.0003, 0, 1))
    m = worlds.measure(cubes, [far, middle, near])
    assert m["neighbour"].tolist() == [1, 2, 1]
    assert m["neighbours"].tolist() == [1, 2, 1]


def test_a_gripped_stone_touches_both_pads():
    geometry = worlds.make_geometry()
    stone = worlds.on_board(2, 2, height=0.05)
    for opening, held in ((0.0219, True), (0.0228, True), (0.0232, False)):
        (m,) = worlds.measure(geometry, [stone], fingers=worlds.fingers_around(stone[:3], opening))
        distance = max(0.0, (opening - 2 * worlds.RADIUS) / 2)
        # The pad's face lies 0.02 mm beyond the middle of the link's frame.
        assert m["pad_left"] == pytest.approx(max(0.0, distance - 0.00002), abs=1e-8)
        assert m["pad_right"] == pytest.approx(max(0.0, distance - 0.00002), abs=1e-8)
        both = TOUCHES["left_pad"] | TOUCHES["right_pad"]
        assert ((m["touches"] & both) == both) == held
