"""What servers are sent, what they may ask for, and how an address is read."""

import builtins
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from bomb.integrations.vla_eval.address import parse_address
from bomb.integrations.vla_eval.conditions import conditions
from bomb.integrations.vla_eval.observations import ObservationLayout
from bomb.policies.making import make_policy, policy_class
from core.errors import BombError, ConventionError, OptionError, UnknownNameError, install_command
from core.perturbations.presets import make_suite
from core.world.kinematics import R_RT_DOWN

OBSERVATION = {
    "images": {"head": np.zeros((8, 8, 3), np.uint8), "wrist": np.ones((8, 8, 3), np.uint8)},
    "state": np.array([0.4, -0.1, 0.2, 0.5], dtype=np.float32),
    "instruction": "place the white stone on the board at E3",
}


def test_a_message_has_vla_evals_keys():
    message = ObservationLayout(names=("agentview", "robot0_eye_in_hand")).message(OBSERVATION)
    assert set(message) == {"images", "states", "task_description"}
    assert list(message["images"]) == ["agentview", "robot0_eye_in_hand"]
    assert message["images"]["robot0_eye_in_hand"].max() == 1
    assert message["task_description"] == OBSERVATION["instruction"]
    np.testing.assert_array_equal(message["states"], OBSERVATION["state"])


def test_the_state_of_libero_has_the_hand_as_it_points():
    states = ObservationLayout(state="axis_angle").message(OBSERVATION)["states"]
    np.testing.assert_allclose(states[:3], OBSERVATION["state"][:3])
    angle = np.linalg.norm(states[3:6])
    x, y, z = states[3:6] / angle
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    R = np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K
    np.testing.assert_allclose(R, R_RT_DOWN, atol=1e-6)
    np.testing.assert_allclose(states[6:], [0.012, -0.012], rtol=1e-6)  # 24 mm between the pads: half open


def test_a_model_of_an_rlds_export_is_fed_what_it_was_trained_on():
    from bomb.exports.rlds import RldsWriter

    seen = np.random.default_rng(0).uniform(0, 1, (9, 4)).astype(np.float32)
    recorded, _ = RldsWriter.vectors(SimpleNamespace(observations=seen, length=8), np.zeros((8, 4)))
    layout = ObservationLayout(state=RldsWriter.state_layout)
    for row, state in zip(recorded, seen, strict=False):
        np.testing.assert_array_equal(layout.message({**OBSERVATION, "state": state})["states"], row)
    declared = {"state": {"format": "eef_pos3_euler3_pad1_opening1"}}
    assert layout.mismatches(declared) == []
    for other in ("bomb", "axis_angle", "euler", "none"):
        (found,) = ObservationLayout(state=other).mismatches(declared)
        assert "eef_pos3_euler3_pad1_opening1" in found


def test_no_state_and_no_pictures_are_left_out():
    message = ObservationLayout(state="none").message({**OBSERVATION, "images": {}})
    assert message["images"] == {} and "states" not in message


def test_names_must_fit_the_cameras():
    with pytest.raises(OptionError, match=r"1 names \(agentview\) for 2 cameras"):
        ObservationLayout(names=("agentview",)).message(OBSERVATION)
    with pytest.raises(OptionError, match="repeats"):
        ObservationLayout(names=("a", "a"))
    with pytest.raises(UnknownNameError):
        ObservationLayout(state="quaternion")


def test_a_declared_state_is_compared():
    wants = {"state": {"format": "eef_pos3_axisangle3_gripper2"}}
    assert ObservationLayout(state="axis_angle").mismatches(wants) == []
    assert ObservationLayout().mismatches({"state": {"format": "raw"}}) == []
    (found,) = ObservationLayout().mismatches(wants)
    assert "eef_pos3_axisangle3_gripper2" in found and "by state" in found


def test_pictures_that_lack_are_named():
    layout = ObservationLayout()
    one = layout.message({**OBSERVATION, "images": {"head": OBSERVATION["images"]["head"]}})
    picture = {"format": "rgb_hwc_uint8"}
    layout.check_pictures({"image": picture, "head": picture, "language": {"format": "language"}}, {}, one)
    with pytest.raises(ConventionError, match="asks for wrist; it is sent head"):
        layout.check_pictures({"image": picture, "wrist": picture}, {}, one)
    with pytest.raises(ConventionError, match="second picture"):
        layout.check_pictures({}, {"send_wrist_image": True}, one)
    with pytest.raises(ConventionError, match="sent no picture"):
        layout.check_pictures({"image": picture}, {}, {"images": {}})


def test_an_address_is_read():
    address = parse_address(
        "box:9000?rotation=ignored&gripper=binary_close_positive&delta_scale=2.5&state=axis_angle"
        "&names=agentview,wrist&timeout=5&connect_timeout=1"
    )
    assert address.uri == "ws://box:9000"
    assert address.convention.dims == 7 and address.convention.delta_scale == 2.5
    assert address.layout.names == ("agentview", "wrist") and address.layout.state == "axis_angle"
    assert (address.timeout, address.connect_timeout) == (5.0, 1.0)
    assert parse_address("localhost").uri == "ws://localhost:8000"
    assert parse_address("[::1]:80").uri == "ws://[::1]:80"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "must be vla-eval://host:port"),
        ("box/path", "must be vla-eval://host:port"),
        ("box:port", "not an address"),
        ("box?gripper", "name=value"),
        ("box?speed=3", "unknown option of vla-eval:// 'speed'"),
        ("box?gripper=close", "unknown gripper"),
        ("box?timeout=soon", "timeout must be a positive number"),
        ("box?timeout=nan", "timeout must be a positive number"),
        ("box?delta_scale=0", "delta_scale must be a positive number"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(words, message):
    with pytest.raises(BombError, match=message):
        make_policy(f"vla-eval://{words}")


def test_the_scheme_names_the_policy_without_connecting():
    assert policy_class("vla-eval://nowhere").__name__ == "VlaEvalPolicy"


@pytest.fixture
def without_vla_eval(monkeypatch):
    """As if the extra were not installed, whether it is or not."""
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.split(".")[0] == "vla_eval":
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)

    for name in [name for name in sys.modules if name.split(".")[0] == "vla_eval"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_a_missing_extra_is_named(without_vla_eval):
    import bomb.integrations.vla_eval as package

    with pytest.raises(BombError, match=re.escape(install_command("vla-eval"))):
        _ = package.BombBenchmark
    with pytest.raises(BombError, match=re.escape(install_command("vla-eval"))):
        make_policy("vla-eval://localhost:1")
    with pytest.raises(AttributeError, match="Nothing"):
        _ = package.Nothing


def test_every_task_meets_every_perturbation():
    found = conditions(["place_stone", "move_stone"], [None, "bomb:2", {"board_pose": 3, "words": "letters"}])
    assert [condition.name for condition in found] == [
        "place_stone, clean", "place_stone, bomb:2", "place_stone, board_pose:3+words:letters",
        "move_stone, clean", "move_stone, bomb:2", "move_stone, board_pose:3+words:letters",
    ]  # fmt: skip
    for condition in found:
        make_suite(condition.perturbation)
    (several,) = conditions("place_stone", [["bomb:1", {"words": "letters"}]])
    assert several.label == "bomb:1+words:letters"


@pytest.mark.parametrize(
    ("task", "perturbations"),
    [
        ("place_stone", ["bomb", "bomb"]),
        ("place_stone", []),
        ([], None),
        ("chess", None),
        ("place_stone", "fog"),
    ],
)
def test_conditions_that_do_not_exist_are_refused(task, perturbations):
    with pytest.raises((OptionError, UnknownNameError)):
        conditions(task, perturbations)
