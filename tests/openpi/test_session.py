"""How a server knows what is a new episode, and what is the next move."""

import numpy as np
import pytest

from bomb.integrations.openpi.mapping import serving_mapping
from bomb.integrations.openpi.session import Session
from core.errors import OptionError, UnknownNameError


def request(prompt: str = "Place it.", **extras) -> dict:
    keys = {f"bomb/{name}": value for name, value in extras.items()}
    return {"observation/state": np.zeros(4, np.float32), "prompt": prompt, **keys}


def read(*requests: dict) -> list[tuple]:
    session = Session(serving_mapping("bomb"))
    turns = [session.read(each) for each in requests]
    return [(turn.begins, turn.proceeds, turn.seed, turn.step) for turn in turns]


def test_episodes_and_moves_of_our_client():
    assert read(
        request(episode_id="a", seed=7, step=0, move=0),
        request(episode_id="a", seed=7, step=5, move=0),
        request(episode_id="a", seed=7, step=8, move=1),
        request(episode_id="a", seed=7, step=9, move=1),
        request(episode_id="b", seed=7, step=0, move=0),
        request(episode_id="c", seed=8, step=0, move=0),
    ) == [
        (True, False, 7, 0),
        (False, False, 7, 5),
        (False, True, 7, 8),
        (False, False, 7, 9),
        (True, False, 7, 0),
        (True, False, 8, 0),
    ]


def test_the_next_move_may_have_the_same_words():
    assert read(request("A", episode_id=1, move=0), request("A", episode_id=1, move=1))[1][1]


def test_a_plain_client_begins_with_its_first_request_and_with_other_words():
    assert read(request("A"), request("A"), request("B"), request("B"), request("A")) == [
        (True, False, 0, 0),
        (False, False, 0, 1),
        (True, False, 0, 0),
        (False, False, 0, 1),
        (True, False, 0, 0),
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("seed", -1), ("seed", 1.0), ("step", True), ("move", "2"), ("control_hz", 30)]
)
def test_extra_keys_with_wrong_values_are_named(key, value):
    with pytest.raises(OptionError, match=key):
        read(request(**{key: value}))


def test_actions_that_mean_nothing_here():
    with pytest.raises(UnknownNameError, match="joints"):
        read(request(action_mode="joints"))


@pytest.mark.parametrize("value", [None, 3, [1]])
def test_what_is_no_request(value):
    with pytest.raises(OptionError, match="must be a map"):
        read(value)


def test_a_prompt_that_is_no_text():
    with pytest.raises(OptionError, match="prompt must be text"):
        read({**request(), "prompt": 7})
