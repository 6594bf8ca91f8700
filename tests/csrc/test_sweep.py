"""What happens between two control steps: the sweep against every state in between, measured one by one."""

import numpy as np
import pytest

from core.judge.checker import NOT_HELD, TOUCHES, FingerChain, worth_tracing

from . import worlds

GEOMETRY = worlds.make_geometry()
FINGERS = TOUCHES["left_finger"] | TOUCHES["right_finger"]
PADS = TOUCHES["left_pad"] | TOUCHES["right_pad"]
HAND = np.array([0.3, 0.1, 1.0])  # the middle between the pads, all joints at zero
# The hand hangs from joints that turn about z, far away, so that small turns are sweeps; fingers open in y.
LEVER = 0.5


def chain() -> FingerChain:
    joints = [worlds.pose(HAND + (LEVER, 0, 0))]
    joints += [worlds.pose((0.0, 0.0, 0.0))] * 5
    hand = worlds.pose((-LEVER, 0.0, worlds.PAD_TIP - 0.00925), worlds.rotation((1, 0, 0), np.pi))
    joints += [hand, worlds.pose((0, 0, 0)), worlds.pose((0, 0, 0))]
    return FingerChain(
        placements=np.array(joints), axes=np.array([[0, 0, 1.0]] * 7 + [[0, 1.0, 0], [0, -1.0, 0]])
    )


CHAIN = chain()


def quaternion(R: np.ndarray) -> np.ndarray:
    """wxyz of a rotation matrix that turns by less than pi."""
    w = np.sqrt(max(0.0, 1 + np.trace(R))) / 2
    if w > 1e-3:
        v = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]]) / (4 * w)
        return np.array([w, *v])
    x = np.sqrt(max(0.0, 1 + R[0, 0] - R[1, 1] - R[2, 2])) / 2
    return np.array([0.0, x, (R[0, 1] + R[1, 0]) / (4 * x), (R[0, 2] + R[2, 0]) / (4 * x)])


def fingers_at(joints: np.ndarray) -> np.ndarray:
    """Poses of both fingers, (K, 2, 7)."""
    positions, rotations = CHAIN.fingers(joints)
    return np.array(
        [
            [worlds.pose(p, quaternion(R)) for p, R in zip(*pair, strict=True)]
            for pair in zip(positions, rotations, strict=True)
        ]
    )


def measured(joints: np.ndarray, stones: np.ndarray) -> np.ndarray:
    """Every state of a trace and every stone by itself, (K, S)."""
    fingers, still = fingers_at(joints), np.zeros((len(stones), 1, 6))
    alone = [GEOMETRY.measure(stones[:, i : i + 1], still, fingers) for i in range(stones.shape[1])]
    return np.concatenate(alone, axis=1)


def test_the_chain_is_a_row_of_joints():
    positions, rotations = CHAIN.fingers(np.array([[0.0] * 7 + [0.02, 0.01], [0.1] + [0.0] * 6 + [0.0, 0.0]]))
    down = worlds.matrix(worlds.rotation((1, 0, 0), np.pi))
    top = HAND + (0, 0, worlds.PAD_TIP - 0.00925)
    np.testing.assert_allclose(positions[0], [top - (0, 0.02, 0), top + (0, 0.01, 0)], atol=1e-12)
    np.testing.assert_allclose(rotations[0], [down, down], atol=1e-12)
    turned = HAND + (LEVER * (1 - np.cos(0.1)), -LEVER * np.sin(0.1), worlds.PAD_TIP - 0.00925)
    np.testing.assert_allclose(positions[1], [turned, turned], atol=1e-12)


def random_trace(seed: int, steps: int = 25):
    """The hand sweeps and closes, or opens; stones lie about, slide, or go with it."""
    rng = np.random.default_rng(seed)
    share = np.linspace(0, 1, steps + 1)[:, None]
    first = np.concatenate([rng.uniform(-0.02, 0.02, 7), rng.choice([0.0, 0.008, 0.0109, 0.02], 1).repeat(2)])
    last = first + np.concatenate([rng.normal(0, 0.02, 7), rng.choice([-0.005, 0.0, 0.005], 1).repeat(2)])
    joints = first + share * (last - first)
    joints[:, 7:] = joints[:, 7:].clip(0.0, 0.024)
    start = worlds.pose(HAND)[None] + np.concatenate([rng.normal(0, 0.012, (4, 3)), np.zeros((4, 4))], axis=1)
    way = np.concatenate([rng.normal(0, 0.01, (4, 3)), np.zeros((4, 4))], axis=1) * rng.integers(0, 2, (4, 1))
    stones = start + share[:, :, None] * way
    stones[:, 3, :3] += LEVER * np.stack(
        [1 - np.cos(joints[:, :7].sum(axis=1)), -np.sin(joints[:, :7].sum(axis=1)), np.zeros(steps + 1)],
        axis=1,
    )
    return joints, stones


@pytest.mark.parametrize("seed", range(60))
def test_the_sweep_sees_what_every_state_in_between_shows(seed):
    joints, stones = random_trace(seed)
    each = measured(joints, stones)
    before, between, after = each[0], each[1:], each[-1]
    swept = GEOMETRY.sweep(CHAIN, joints[1:], stones[1:], before, after)
    held = (
        before["touches"] & after["touches"] & TOUCHES["held"]
    ) != 0  # those are known to be held throughout
    mask = FINGERS | PADS | TOUCHES["held"]
    expected = np.bitwise_or.reduce(between["touches"], axis=0) & mask
    np.testing.assert_array_equal(swept["since"][~held] & mask, expected[~held])
    np.testing.assert_array_equal(swept["pinched"][~held], between["pinched"].max(axis=0)[~held])
    np.testing.assert_allclose(swept["high"][~held], between["high"].max(axis=0)[~held], atol=1e-6)
    assert swept["swept"].all() and not after["swept"].any()
    unchanged = [name for name in after.dtype.names if name not in ("since", "pinched", "high", "swept")]
    assert (swept[unchanged] == after[unchanged]).all()


def test_the_random_traces_have_something_to_see():
    fleeting = held = 0
    for seed in range(60):
        joints, stones = random_trace(seed)
        each = measured(joints, stones)
        ends = each["touches"][0] | each["touches"][-1]
        fleeting += ((np.bitwise_or.reduce(each["touches"], axis=0) & ~ends & (FINGERS | PADS)) != 0).sum()
        held += (each["high"][1:-1] > NOT_HELD).any(axis=0).sum()
    assert fleeting > 10 and held > 2


def test_whatever_may_be_touched_is_worth_tracing():
    for seed in range(60):
        joints, stones = random_trace(seed)
        each = measured(joints, stones)
        positions = CHAIN.fingers(joints)[0]
        moved = float(np.linalg.norm(positions - positions[0], axis=-1).max())
        stone = float(np.linalg.norm(stones - stones[0], axis=-1).max())
        tool = worlds.matrix(worlds.BOARD_POSE[3:]).T @ (positions[0].mean(axis=0) - worlds.BOARD_POSE[:3])
        new = (each["touches"][1:] & FINGERS) != 0
        loose = (each["touches"][0] & TOUCHES["held"]) == 0
        if (new.any(axis=0) & loose).any():
            assert worth_tracing(each[0], tool, 1.2 * moved + stone, 0.0)


def test_stones_far_from_the_fingers_are_not_worth_it():
    far = worlds.measure(GEOMETRY, [worlds.on_board(0, 0)], fingers=worlds.AWAY)
    assert not worth_tracing(far, np.array([0.0, 0.0, 0.5]), 0.02, 0.0)
    assert not worth_tracing(far, np.array([0.0, 0.0, 0.5]), 0.04, 0.0)
    assert not worth_tracing(far[:0], np.zeros(3), 0.04, 0.0)
    assert worth_tracing(far, far["position"][0] + [0, 0, 0.1], 0.04, 0.0)


def test_a_held_stone_is_worth_it_on_its_way_up():
    for height, speed, rise, expected in ((0.0, 0.1, 0.01, True), (0.0, 0.1, -0.01, False),
                                          (0.0, 0.0, 0.01, False), (0.06, 0.1, 0.01, False)):  # fmt: skip
        place = worlds.on_board(1, 1, height=height)
        fingers = worlds.fingers_around(place[:3], 2 * worlds.RADIUS - 0.0001)
        held = worlds.measure(GEOMETRY, [place], fingers=fingers)
        assert held["touches"][0] & TOUCHES["held"]
        held["speed"] = speed
        assert worth_tracing(held, held["position"][0], 0.02, rise) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joint_positions": np.zeros((3, 8))}, r"joint_positions: shape \(3, 8\)"),
        ({"joint_positions": np.zeros((4, 9))}, r"joint_positions: shape \(4, 9\)"),
        ({"stone_poses": np.zeros((3, 1, 7))}, r"stone_poses\[0, 0\]: quaternion norm 0"),
        ({"stone_poses": np.tile(worlds.on_board(1, 1), (3, 2, 1))}, r"stone_poses: shape \(3, 2, 7\)"),
        ({"joint_positions": np.full((3, 9), np.nan)}, r"joint_positions\[0, 0\]: nan"),
    ],
)
def test_bad_input(changes, message):
    stones = np.tile(worlds.on_board(1, 1), (3, 1, 1))
    after = worlds.measure(GEOMETRY, stones[0])
    arguments = {"joint_positions": np.zeros((3, 9)), "stone_poses": stones, "before": after, "after": after}
    with pytest.raises(ValueError, match=message):
        GEOMETRY.sweep(CHAIN, **{**arguments, **changes})


def test_a_chain_needs_unit_axes():
    with pytest.raises(ValueError, match=r"axes\[3\]: must be of unit length"):
        FingerChain(
            placements=np.tile(worlds.pose((0, 0, 0)), (9, 1)),
            axes=np.array([[0, 0, 1.0]] * 3 + [[0, 0, 2.0]] * 6),
        )
