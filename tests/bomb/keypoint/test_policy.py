"""``--policy keypoint``: what it refuses, what it does where it sees nothing, and episodes from pictures."""

import numpy as np
import pytest

import core
from bomb.models.keypoint.policy import KeypointPolicy
from bomb.models.keypoint.state import GripperHistory
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from core.control.actions import ActionSpec
from core.errors import ConventionError

DELTA = ActionSpec(mode="delta", control_hz=20)


@pytest.fixture
def policy():
    made = KeypointPolicy()
    yield made
    made.close()


def observation(size: int = 128, value: int = 0) -> dict:
    picture = np.full((size, size, 3), value, dtype=np.uint8)
    return {
        "images": {"head": picture, "wrist": picture},
        "state": np.array([0.44, 0.0, 0.25, 1.0], dtype=np.float32),
        "instruction": "place the black stone on the board at row 1, column 2",
    }


def test_it_refuses_pictures_of_another_size_and_other_rates(policy):
    policy.reset("place the black stone on the board at row 1, column 2", 0, action_spec=DELTA)
    with pytest.raises(ConventionError, match="head"):
        policy.act(observation(256))
    seen = observation()
    del seen["images"]["wrist"]
    with pytest.raises(ConventionError, match="wrist"):
        policy.act(seen)
    with pytest.raises(ConventionError, match="20 times a second"):
        policy.reset("x", 0, action_spec=ActionSpec(mode="delta", control_hz=10))


@pytest.mark.parametrize("mode", ["delta", "absolute"])
@pytest.mark.parametrize("value", [0, 255])
def test_where_it_sees_nothing_it_stays_where_it_is(policy, mode, value):
    """As `blind` shows it; and it looks again."""
    policy.reset("Do the task.", 0, action_spec=ActionSpec(mode=mode, control_hz=20))
    still = [0.44, 0.0, 0.25] if mode == "absolute" else [0, 0, 0]
    for _ in range(5):
        chunk = policy.act(observation(value=value))
        assert chunk.dtype == np.float32 and len(chunk) <= 10
        assert np.allclose(chunk[:, :3], still, atol=1e-6) and (chunk[:, 3] == 1).all()


def test_the_gripper_is_told_to_hold_to_miss_and_to_have_let_go():
    history = GripperHistory()
    for opening in (1.0, 0.45):
        for _ in range(6):
            history.acted(0.0)
            history.saw(opening)
    assert history.holds and not history.missed
    history.acted(1.0)
    history.saw(0.6)
    assert history.released and not history.holds and history.since == 0
    for _ in range(6):
        history.acted(0.0)
    history.saw(0.01)
    assert history.missed and not history.holds


@pytest.mark.render
def test_it_places_a_stone_from_pictures(backend):
    """With the board, the stones and both cameras elsewhere; nothing but the observation is known."""
    made = make_policy("keypoint")
    knobs = ["board_pose:2", "camera_orbit:2"]
    with core.make_task(
        "place_stone", backend=backend, cameras=made.cameras, image_size=128, perturbations=knobs,
        split="ci", max_steps=160,
    ) as env:  # fmt: skip
        result = play(env, made, 1)
        assert result.info["success"], result.info["placement"]
        assert result.timing.to_dict(result.wall_s)["looks"] <= 40
    made.close()
