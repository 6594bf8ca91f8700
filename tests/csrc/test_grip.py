"""Held between the pads, or merely touched by both: stones pressed, pinched and caught, by poses alone.

The pads of `worlds` open along y of W; a pad is 17.5 mm wide along x and 18.5 mm high. A stone is 22 mm
across and 8 mm thick, with a rim band of 4 mm; its bevel leans 56 degrees.
"""

import numpy as np
import pytest

from core.judge.checker import NOT_HELD, TOUCHES

from . import worlds

GEOMETRY = worlds.make_geometry()
STONE = worlds.in_board((0.0, 0.0, 0.2))
CENTRE = STONE[:3]
HALF_PAD = 0.00875  # m, along x
HALF_HEIGHT = 0.00925  # m, of a pad
SINK = 0.00005  # m, that a pad sinks into a stone


def grips(offset, opening: float, stone=STONE) -> tuple[bool, bool, bool]:
    """Touched by both pads, held, and pinched as INT-ACT has it, with the pads' middle off by so much."""
    (m,) = worlds.measure(GEOMETRY, [stone], fingers=worlds.fingers_around(CENTRE + offset, opening))
    both = TOUCHES["left_pad"] | TOUCHES["right_pad"]
    held = bool(m["touches"] & TOUCHES["held"])
    assert (m["high"] > NOT_HELD) == held and m["since"] == m["touches"] and not m["swept"]
    assert not held or m["high"] == m["low"]
    return m["touches"] & both == both, held, bool(m["pinched"])


def chord(offset: float) -> float:
    """Width of the stone at its rim where the pads' near edges are, the pads off by ``offset`` along x."""
    beyond = max(offset - HALF_PAD, 0.0)
    return 2 * np.sqrt(worlds.RADIUS**2 - beyond**2)


@pytest.mark.parametrize("z", [-0.003, 0.0, 0.005, 0.008])
@pytest.mark.parametrize("x", [0.0, 0.008, -0.008])
def test_squeezed_at_the_rim_is_held(x, z):
    assert grips((x, 0, z), 2 * worlds.RADIUS - 2 * SINK) == (True, True, True)


def test_a_stone_on_edge_between_the_pads_is_held():
    on_edge = worlds.in_board((0, 0, 0.2), worlds.rotation((1, 0, 0), np.pi / 2))
    assert grips((0, 0, 0), 2 * worlds.HALF_THICKNESS - 2 * SINK, on_edge) == (True, True, True)


def test_one_pad_alone_does_not_hold():
    assert not any(grips((0, 0.002, 0), 2 * worlds.RADIUS + 0.004))


@pytest.mark.parametrize("opening", [0.0, 0.004, 0.012])
@pytest.mark.parametrize("sink", [-0.0003, 0.0002, 0.001])
def test_pressed_from_above_is_not_held(opening, sink):
    height = worlds.HALF_THICKNESS + HALF_HEIGHT - sink
    assert grips((0, 0, height), opening) == (True, False, False)


@pytest.mark.parametrize("opening", [0.0, 0.003, 0.010])
@pytest.mark.parametrize("side", [-1, 1])
def test_beside_the_fingers_is_not_held(side, opening):
    # Both pads' flanks push the stone along x.
    reach = HALF_PAD + np.sqrt(worlds.RADIUS**2 - (opening / 2) ** 2) - 0.0001
    assert grips((side * reach, 0, 0), opening) == (True, False, False)


@pytest.mark.parametrize(
    ("angle", "held", "pinched"), [(20, True, True), (40, True, True), (52, False, True), (70, False, False)]
)
def test_at_the_rim_the_angle_decides(angle, held, pinched):
    # The pads' edges meet the rim where its normal leans so far from the opening direction.
    offset = HALF_PAD + worlds.RADIUS * np.sin(np.radians(angle))
    assert grips((offset, 0, 0), chord(offset) - 2 * SINK) == (True, held, pinched)


def test_caught_by_the_bevel_is_not_held():
    # The pads' lower edges are in the middle of the bevel, 3 mm above the stone's middle.
    assert grips((0, 0, 0.003 + HALF_HEIGHT), 2 * 0.0095 - 2 * SINK) == (True, False, True)


def test_stones_in_a_row_between_the_pads_hold_one_another():
    stones = [worlds.in_board((0, y, 0.2)) for y in (-worlds.RADIUS, worlds.RADIUS)]
    measures = worlds.measure(
        GEOMETRY, stones, fingers=worlds.fingers_around(CENTRE, 4 * worlds.RADIUS - 0.0001)
    )
    pads = TOUCHES["left_pad"] | TOUCHES["right_pad"]
    assert sorted(m & pads for m in measures["touches"]) == [32, 64]
    assert (measures["touches"] & TOUCHES["held"]).all() and not measures["pinched"].any()
    apart = [stones[0], stones[1] + [0, 0.0007, 0, 0, 0, 0, 0]]
    fingers = worlds.fingers_around(CENTRE + (0, 0.00035, 0), 4 * worlds.RADIUS + 0.0006)
    measures = worlds.measure(GEOMETRY, apart, fingers=fingers)
    assert not (measures["touches"] & TOUCHES["held"]).any()


def test_a_stone_that_leans_on_a_row_is_not_held():
    stones = [worlds.in_board((0, y, 0.2)) for y in (-worlds.RADIUS, worlds.RADIUS)]
    stones.append(worlds.in_board((0.0191, 0, 0.2)))  # in the notch between the two, across the opening
    fingers = worlds.fingers_around(CENTRE, 4 * worlds.RADIUS - 0.0001)
    measures = worlds.measure(GEOMETRY, stones, fingers=fingers)
    assert measures["neighbours"].tolist() == [2, 2, 2]
    assert ((measures["touches"] & TOUCHES["held"]) != 0).tolist() == [True, True, False]


def test_two_stones_side_by_side_are_both_held():
    stones = [worlds.in_board((x, 0, 0.2)) for x in (-worlds.RADIUS, worlds.RADIUS)]
    beyond = worlds.RADIUS - HALF_PAD  # of each middle, from the pads' edges
    opening = 2 * np.sqrt(worlds.RADIUS**2 - beyond**2) - 2 * SINK
    measures = worlds.measure(GEOMETRY, stones, fingers=worlds.fingers_around(CENTRE, opening))
    assert (measures["touches"] & TOUCHES["held"]).all()


@pytest.mark.parametrize("turn", [0.3, 1.2, 2.5])
def test_it_does_not_depend_on_where_the_world_looks_from(turn):
    q = worlds.rotation((0.3, -0.5, 0.8), turn)
    whole = worlds.pose((0.4, -0.2, 0.9), q)
    for offset, opening in (((0, 0, 0.004), 0.0219), ((0, 0, 0.0131), 0.004), ((0.0175, 0, 0), 0.0155)):
        fingers = worlds.fingers_around(CENTRE + offset, opening)
        usual = worlds.measure(GEOMETRY, [STONE], fingers=fingers)[0]
        turned = worlds.measure(
            GEOMETRY,
            [worlds.compose(whole, STONE)],
            fingers=np.stack([worlds.compose(whole, finger) for finger in fingers]),
        )[0]
        mask = TOUCHES["held"] | TOUCHES["left_pad"] | TOUCHES["right_pad"]
        assert usual["touches"] & mask == turned["touches"] & mask and usual["pinched"] == turned["pinched"]
