"""One episode: who looks when, and what is said of a policy that goes wrong."""

import time

import numpy as np
import pytest

from bomb.policies.making import make_policy
from bomb.rollouts.chunks import ChunkExecution
from bomb.rollouts.rollout import play, replay
from core.errors import ActionError, PolicyError, PolicyOutputError
from core.policy import Policy
from tests.evaluation.policies import Faulty


class Counting(Policy):
    """Returns chunks of four and counts."""

    wants_step = True

    def reset(self, instruction: str, seed: int) -> None:
        self.steps = []

    def act(self, observation: dict, *, step: int) -> np.ndarray:
        self.steps.append(step)
        return np.tile(np.float32([0.1, 0, 0, 1]), (4, 1))


class Listening:
    """A deadline that writes down."""

    def __init__(self):
        self.said = []

    def begins(self, step: int) -> None:
        self.said.append(step)

    def ends(self) -> None:
        self.said.append("answered")


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        ("full", [0, 4, 8]),
        ("half", [0, 2, 4, 6, 8]),
        ("first", list(range(10))),
        ("ensemble", list(range(10))),
    ],
)
def test_a_policy_looks_when_its_chunk_is_used_up(make_env, backend, words, steps):
    policy = Counting()
    result = play(make_env(backend, max_steps=10), policy, 3, chunks=ChunkExecution.parse(words))
    assert policy.steps == steps and len(result.record.actions) == 10
    assert result.timing.to_dict(1.0)["looks"] == len(steps)


def test_time_is_accounted_for(make_env, backend):
    result = play(make_env(backend, max_steps=10), Counting(), 3)
    times = result.timing.to_dict(result.wall_s)
    parts = [times[name] for name in ("sim_s", "render_s", "policy_s", "overhead_s")]
    assert all(part >= 0 for part in parts) and sum(parts) == pytest.approx(times["wall_s"], abs=1e-5)


def test_drawing_the_goal_is_drawing(make_env, backend, monkeypatch):
    class Shown(Counting):
        wants_goal_picture = True

        def reset(self, instruction: str, seed: int, *, goal_picture: np.ndarray) -> None:
            self.steps = []

    def slowly() -> np.ndarray:
        time.sleep(0.2)
        return np.zeros((256, 256, 3), np.uint8)

    env = make_env(backend, max_steps=1)
    monkeypatch.setattr(env, "goal_picture", slowly)
    assert play(env, Shown(), 3).timing.render >= 0.2


@pytest.mark.parametrize(
    ("seed", "kind", "words", "value"),
    [
        (1, PolicyError, "Faulty.act raised RuntimeError at step 2: clumsy", None),
        (2, PolicyOutputError, "got nan in action 0, entry 1 at step 2", "nan in action 0, entry 1"),
        (3, PolicyOutputError, r"Faulty.act must return .* got shape \(4,\) at step 2", "shape (4,)"),
    ],
)
def test_what_a_policy_does_wrong_is_said_with_step_and_value(make_env, backend, seed, kind, words, value):
    env, deadline = make_env(backend, max_steps=5), Listening()
    with pytest.raises(kind, match=words) as caught:
        play(env, Faulty(), seed, deadline=deadline)
    assert (caught.value.step, caught.value.value) == (2, value)
    assert isinstance(caught.value, ActionError) == (kind is PolicyOutputError)
    assert deadline.said == [0, "answered", 0, "answered", 1, "answered", 2, "answered"]


@pytest.mark.parametrize("bad", [[["a"] * 4], [[1, 2], [3]], np.zeros((0, 4)), np.zeros((1, 4), bool), None])
def test_nothing_else_passes_for_a_chunk(make_env, backend, bad):
    class Odd(Faulty):
        def act(self, observation, *, step):
            return bad

    with pytest.raises(PolicyOutputError, match=r"shape \(k, 4\)"):
        play(make_env(backend, max_steps=5), Odd(), 0)


def test_replaying_the_actions_gives_the_same_episode(make_env, backend):
    env = make_env(backend, max_steps=40)
    played = play(env, make_policy("expert"), seed=5)
    again = replay(env, 5, played.record.actions)
    assert again.record.to_bytes() == played.record.to_bytes()
