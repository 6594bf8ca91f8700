"""What each field of a measure says, on worlds small enough to see."""

import numpy as np
import pytest

from core.judge.checker import MEASURE_DTYPE, STATUSES, TOUCHES, touch_names

from . import worlds

FIELDS = {
    "position": ("<f4", (3,)),
    "offset": ("<f4", (2,)),
    **dict.fromkeys(
        ("distance_mm", "tilt", "low", "gap", "left", "right", "pad_left", "pad_right", "speed", "spin"),
        ("<f4", ()),
    ),
    "neighbour": ("<i2", ()),
    "row": ("|i1", ()),
    "column": ("|i1", ()),
    "touches": ("|u1", ()),
    "neighbours": ("|u1", ()),
    "status": ("|u1", ()),
    "over_board": ("|u1", ()),
    "high": ("<f4", ()),
    "since": ("|u1", ()),
    "pinched": ("|u1", ()),
    "swept": ("|u1", ()),
    "spare": ("|u1", ()),
}


@pytest.fixture(scope="module")
def geometry():
    return worlds.make_geometry()


def one(geometry, stone, **how) -> np.void:
    return worlds.measure(geometry, [stone], **how)[0]


def status(measure) -> str:
    return STATUSES[measure["status"]]


def test_the_dtype_is_packed_and_as_documented():
    assert MEASURE_DTYPE.names == tuple(FIELDS)
    packed = 0
    for name, (base, shape) in FIELDS.items():
        field, offset = MEASURE_DTYPE.fields[name]
        assert (field.base.str, field.shape, offset) == (base, shape, packed)
        packed += field.itemsize
    assert MEASURE_DTYPE.itemsize == packed == 76


def test_shapes_of_one_state_and_of_a_batch(geometry):
    stones = np.stack([worlds.on_board(r, 1) for r in range(5)])
    states = np.stack([stones, stones + [0, 0, 0.01, 0, 0, 0, 0]])
    single = geometry.measure(stones, np.zeros((5, 6)), worlds.AWAY)
    batch = geometry.measure(states, np.zeros((2, 5, 6)), np.stack([worlds.AWAY] * 2))
    assert single.shape == (5,)
    assert batch.shape == (2, 5)
    np.testing.assert_array_equal(batch[0], single)
    assert geometry.measure(np.zeros((0, 7)), np.zeros((0, 6)), worlds.AWAY).shape == (0,)
    assert geometry.measure(np.zeros((3, 0, 7)), np.zeros((3, 0, 6)), np.stack([worlds.AWAY] * 3)).shape == (
        3,
        0,
    )


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 4), (4, 0), (2, 2), (3, 1)])
def test_a_stone_on_an_intersection(geometry, row, column):
    m = one(geometry, worlds.on_board(row, column))
    assert (m["row"], m["column"]) == (row, column)
    half = (worlds.SIZE - 1) / 2
    expected = [(column - half) * worlds.PITCH, (half - row) * worlds.PITCH, worlds.HALF_THICKNESS]
    np.testing.assert_allclose(m["position"], expected, atol=1e-8)
    assert m["distance_mm"] == pytest.approx(0.0, abs=1e-4)
    assert m["low"] == pytest.approx(0.0, abs=1e-9)
    assert touch_names(m["touches"]) == ["board"]
    assert (status(m), m["neighbour"], m["over_board"]) == ("on_board", -1, 1)


def test_row_zero_is_at_the_greatest_y_and_column_zero_at_the_least_x(geometry):
    assert one(geometry, worlds.in_board((-0.11, 0.11, 0.004)))[["row", "column"]].tolist() == (0, 0)
    assert one(geometry, worlds.in_board((0.11, 0.11, 0.004)))[["row", "column"]].tolist() == (0, 4)
    assert one(geometry, worlds.in_board((-0.11, -0.11, 0.004)))[["row", "column"]].tolist() == (4, 0)


def test_offset_is_signed_and_in_board_axes(geometry):
    m = one(geometry, worlds.in_board((0.055 + 0.003, -0.055 - 0.004, 0.004)))
    assert (m["row"], m["column"]) == (3, 3)
    np.testing.assert_allclose(m["offset"], [0.003, -0.004], atol=1e-8)
    assert m["distance_mm"] == pytest.approx(5.0, abs=1e-4)


@pytest.mark.parametrize("angle", [0.0, 1e-6, 1e-3, 0.2, 1.0, np.pi / 2])
@pytest.mark.parametrize("flip", [False, True])
def test_tilt(geometry, angle, flip):
    q = worlds.multiply(worlds.rotation((1, 2, 0), angle), worlds.rotation((1, 0, 0), np.pi * flip))
    m = one(geometry, worlds.in_board((0, 0, 0.05), q))
    assert m["tilt"] == pytest.approx(angle, rel=1e-6, abs=1e-15)


def test_gap_is_above_whatever_lies_below(geometry):
    above_board = one(geometry, worlds.on_board(1, 1, height=0.03))
    assert above_board["gap"] == pytest.approx(0.03, abs=1e-8)
    on_table = one(geometry, worlds.on_table(0.4, 0.2))
    assert on_table["gap"] == pytest.approx(0.0, abs=1e-8)
    assert on_table["low"] == pytest.approx(-0.01, abs=1e-8)
    assert on_table["over_board"] == 0


def test_speed_and_spin(geometry):
    m = one(geometry, worlds.on_board(1, 1), velocities=[[0.3, 0.4, 0.0, 0.0, -1.0, 2.0]])
    assert m["speed"] == pytest.approx(0.5)
    assert m["spin"] == pytest.approx(5**0.5)


def test_every_status(geometry):
    lying = worlds.on_board(1, 1)
    on_it = worlds.on_board(1, 1, height=2 * worlds.HALF_THICKNESS)
    leaning = worlds.in_board((0.1, 0.0, 0.009), worlds.rotation((1, 0, 0), np.pi / 2))
    held = worlds.on_board(3, 3, height=0.05)
    fallen = worlds.pose((1.0, 1.0, 0.1))
    stones = [lying, on_it, leaning, worlds.on_table(0.4, 0.2), held, fallen]
    measures = worlds.measure(geometry, stones, fingers=worlds.fingers_around(held[:3], 0.0219))
    found = [status(m) for m in measures]
    assert found == ["on_board", "stacked", "tilted", "on_table", "held", "off"]
    assert set(found) == set(STATUSES)
    assert touch_names(measures["touches"][0]) == ["board", "stone"]
    assert touch_names(measures["touches"][4]) == [n for n in TOUCHES if "left" in n or "right" in n] + [
        "held"
    ]


def test_touching_begins_half_a_millimetre_above(geometry):
    for height, touching in ((0.0004, True), (0.00049, True), (0.00051, False)):
        m = one(geometry, worlds.on_board(1, 1, height=height))
        assert bool(m["touches"] & TOUCHES["board"]) == touching


def test_a_stone_half_over_the_edge_of_the_board(geometry):
    # The centre decides over what it is; the rim still touches.
    outside = one(geometry, worlds.in_board((0.143, 0.0, 0.004)))
    assert (outside["over_board"], touch_names(outside["touches"])) == (0, ["board"])
    assert outside["gap"] == pytest.approx(0.01, abs=1e-8)
    gone = one(geometry, worlds.in_board((0.149, 0.0, 0.004)))  # its flat face has left the board
    assert touch_names(gone["touches"]) == []
