"""Mappings: what is called how, how large, and what actions mean."""

import numpy as np
import pytest

from bomb.integrations.openpi.address import Address
from bomb.integrations.openpi.mapping import MAPPINGS, mapping, serving_mapping
from bomb.integrations.openpi.pictures import resize_with_pad
from core.control.actions import WORKSPACE_HIGH, WORKSPACE_LOW, ActionSpec
from core.errors import (
    CapabilityError,
    ConventionError,
    OptionError,
    PolicyOutputError,
    StateError,
    UnknownNameError,
)

DELTA, ABSOLUTE = (ActionSpec(mode=mode, control_hz=20) for mode in ("delta", "absolute"))
STATE = np.array([0.45, -0.02, 0.21, 0.25], dtype=np.float32)


def observation(**changes) -> dict:
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(256, size=(48, 64, 3), dtype=np.uint8) for name in ("head", "wrist")}
    return {"images": pictures, "state": STATE, "instruction": "Place it.", **changes}


def test_bomb_sends_everything_as_it_is_and_back():
    depth = {"head": np.ones((48, 64), np.float32)}
    seen, native = observation(depth=depth), mapping("bomb")
    request = native.request(seen)
    assert set(request) == {
        "observation/images/head",
        "observation/images/wrist",
        "observation/depth/head",
        "observation/state",
        "prompt",
    }
    back = native.observation(request)
    assert set(back) == set(seen) and back["instruction"] == "Place it."
    assert all(np.array_equal(back["images"][name], seen["images"][name]) for name in seen["images"])
    assert np.array_equal(back["depth"]["head"], depth["head"]) and back["state"].tobytes() == STATE.tobytes()
    actions = np.random.default_rng(0).uniform(-1, 1, (5, 4)).astype(np.float32)
    assert native.actions(native.reply(actions), seen, ABSOLUTE).tobytes() == actions.tobytes()


def test_libero_has_openpis_keys_sizes_and_state():
    request = mapping("libero").request(observation())
    assert set(request) == {"observation/image", "observation/wrist_image", "observation/state", "prompt"}
    assert request["observation/image"].shape == (224, 224, 3)
    assert request["observation/image"].dtype == np.uint8
    assert request["observation/state"].dtype == np.float32
    # A quarter open is 6 mm of each finger's 24.
    expected = [0.45, -0.02, 0.21, np.pi, 0, 0, 0.006, -0.006]
    assert np.allclose(request["observation/state"], expected, atol=1e-7)


def test_libero_actions_lose_their_rotations_and_turn_their_gripper():
    theirs = np.array([[0.1, -0.2, 0.3, 9, 9, 9, -1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1.7]])
    ours = mapping("libero").actions(theirs, observation(), DELTA)
    assert ours.dtype == np.float32
    assert np.allclose(ours, [[0.1, -0.2, 0.3, 1], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_a_libero_model_may_mean_longer_ways():
    theirs = np.array([[0.1, -0.2, 0.3, 0, 0, 0, -1.0]])
    longer = mapping("libero", 2.5)
    assert np.allclose(longer.actions(theirs, observation(), DELTA), [[0.25, -0.5, 0.75, 1]])
    assert longer.describe()["delta_scale"] == 2.5 and mapping("libero").describe()["delta_scale"] == 1.0
    for name in ("bomb", "droid"):
        with pytest.raises(OptionError, match=f"mapping '{name}' takes no delta_scale"):
            mapping(name, 2.5)


def test_libero_both_ways():
    libero, seen = mapping("libero"), observation()
    back = libero.observation(libero.request(seen))
    assert np.allclose(back["state"], STATE, atol=1e-6)
    assert np.array_equal(back["images"]["head"], resize_with_pad(seen["images"]["head"], 224, 224))
    actions = np.random.default_rng(1).uniform(0, 1, (5, 4)).astype(np.float32)
    assert np.allclose(libero.actions(libero.reply(actions), seen, DELTA), actions, atol=1e-6)


def test_droid_joints_put_the_tool_where_it_is():
    from core.world.kinematics import Kinematics
    from core.world.scene import RobotSpec

    droid = mapping("droid")
    robot = RobotSpec()
    low, high = np.array(WORKSPACE_LOW) - 0.02, np.array(WORKSPACE_HIGH) + 0.02
    for p_RT in np.random.default_rng(2).uniform(low, high, (200, 3)):
        request = droid.request(observation(state=np.array([*p_RT, 0.25], dtype=np.float32)))
        joints = request["observation/joint_position"]
        assert joints.shape == (7,) and joints.dtype == np.float32
        p_WT, _ = Kinematics(robot).tool_pose(joints.astype(np.float64))
        # R stands at (0, -0.65, 0.75) in W, its x along W's y (docs/conventions.md).
        expected = np.array([-p_RT[1], p_RT[0] - 0.65, p_RT[2] + 0.75])
        assert np.abs(p_WT - expected).max() < 1e-4
        assert np.allclose(request["observation/gripper_position"], [0.75])


def test_droid_velocities_move_the_tool_as_the_joints_would():
    # Turning the first joint swings the tool about the base's axis: 3 rad/s at full speed, 0.45 m away.
    theirs = np.zeros((2, 8))
    theirs[:, 0], theirs[1, 7] = [0.1, -0.1], 1.0
    seen = observation(state=np.array([0.45, 0, 0.2, 1.0], dtype=np.float32))
    for hz in (20, 50):
        ours = mapping("droid").actions(theirs, seen, ActionSpec(mode="delta", control_hz=hz))
        metres = ours[:, :3] * (0.4 / hz)
        angle = 0.1 * 3 / hz
        there = 0.45 * np.array([np.cos(angle) - 1, np.sin(angle), 0])
        assert np.allclose(metres, [there, -there], atol=1e-6)
        assert np.allclose(ours[:, 3], [1, 0])


def test_droid_says_where_no_joints_lead():
    with pytest.raises(StateError, match=r"\[2\.0, 0\.0, 0\.2\]"):
        mapping("droid").request(observation(state=np.array([2, 0, 0.2, 1], dtype=np.float32)))


@pytest.mark.parametrize("name", ["libero", "droid"])
def test_what_has_no_meaning_is_an_error(name):
    kind = mapping(name)
    with pytest.raises(ConventionError, match="gives delta actions, the environment takes 'absolute'"):
        kind.check_spec(ABSOLUTE)
    with pytest.raises(ConventionError, match="needs cameras head, wrist; the observation has head"):
        kind.request(observation(images={"head": observation()["images"]["head"]}))
    with pytest.raises(PolicyOutputError, match=f"have 4 dimensions, mapping '{name}' has {kind.action_dim}"):
        kind.check_actions(np.zeros((3, 4)), "here")


@pytest.mark.parametrize(
    "actions", [np.zeros(4), np.zeros((0, 4)), "no", None, [[1j] * 4], [["a"] * 4], np.zeros((2, 2, 4))]
)
def test_what_is_no_chunk_is_an_error(actions):
    with pytest.raises(PolicyOutputError, match=r"here: actions must be float\[k, 4\]"):
        mapping("bomb").check_actions(actions, "here")


def test_what_is_not_finite_is_named():
    actions = np.zeros((3, 4))
    actions[1, 2] = np.inf
    with pytest.raises(PolicyOutputError, match=r"here: .* got inf in action 1, entry 2") as caught:
        mapping("bomb").check_actions(actions, "here")
    assert caught.value.value == "inf in action 1, entry 2"


def test_a_request_of_another_mapping_is_named():
    request = mapping("libero").request(observation())
    with pytest.raises(OptionError, match=r"state must be 8 numbers in mapping 'libero', got float32\[4\]"):
        mapping("libero").observation({**request, "observation/state": STATE})
    with pytest.raises(OptionError, match="lacks observation/image, observation/wrist_image"):
        mapping("libero").observation(mapping("bomb").request(observation()))
    with pytest.raises(OptionError, match=r"state must be 4 numbers in mapping 'bomb', got float32\[8\]"):
        mapping("bomb").observation(mapping("libero").request(observation()))


def test_droid_cannot_be_served():
    with pytest.raises(CapabilityError, match="'droid' is for clients"):
        serving_mapping("droid")


@pytest.mark.parametrize("name", MAPPINGS)
def test_results_say_what_a_mapping_is(name):
    import json

    about = json.loads(json.dumps(mapping(name).describe()))
    assert about["name"] == name and about["actions"] and about["state"]


@pytest.mark.parametrize("shape", [(48, 64), (64, 48), (300, 300), (17, 401), (224, 224), (5, 3)])
def test_pictures_keep_their_shape_and_stand_in_the_middle(shape):
    picture = np.full((*shape, 3), 200, dtype=np.uint8)
    sized = resize_with_pad(picture, 224, 224)
    assert sized.shape == (224, 224, 3) and sized.dtype == np.uint8
    lit = sized[..., 0] > 0
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    height, width = len(rows), len(columns)
    assert max(height, width) == 224
    assert abs(height / width - shape[0] / shape[1]) <= 1.1 * max(shape[0] / shape[1], 1) / min(height, width)
    assert abs(rows[0] - (223 - rows[-1])) <= 1 and abs(columns[0] - (223 - columns[-1])) <= 1


@pytest.mark.parametrize(
    ("words", "place", "rest"),
    [
        ("localhost", "localhost:8000", ("bomb", 120.0, 0.0)),
        ("10.0.0.2:9?mapping=libero&timeout=5&wait=2.5", "10.0.0.2:9", ("libero", 5.0, 2.5)),
        ("[::1]:80/pi0/", "[::1]:80/pi0", ("bomb", 120.0, 0.0)),
    ],
)
def test_addresses(words, place, rest):
    address = Address.parse(words)
    assert (address.place, (address.mapping, address.timeout, address.wait)) == (place, rest)


@pytest.mark.parametrize(
    "words",
    ["", ":80", "host:port", "host:99999", "a@host", "host?mapping"]
    + ["host?timeout=soon", "host?timeout=0", "host?wait=-1", "host?timeout=nan", "host?delta_scale=0"],
)
def test_addresses_that_are_none(words):
    with pytest.raises(OptionError):
        Address.parse(words)


def test_options_that_do_not_exist():
    with pytest.raises(UnknownNameError, match="mapping, timeout, wait"):
        Address.parse("host?maping=libero")
    with pytest.raises(UnknownNameError, match="bomb, droid, libero"):
        mapping("aloha")
