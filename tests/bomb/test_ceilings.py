"""The policies that go without grasping and without eyes: what they do, and what they do it with."""

from itertools import pairwise

import numpy as np
import pytest

from bomb.policies.feeler import Feeler, felt_at, heard
from bomb.policies.making import make_policy
from bomb.policies.push import Push
from bomb.rollouts.rollout import play
from core.control.actions import ActionSpec
from core.registry import TASKS
from core.testing import check_policy
from core.world.stage import clean_scene

DELTA = ActionSpec(mode="delta", control_hz=20)


def drawn(task, seed):
    made = TASKS.load(task)()
    return made.make_episode(made.stage(clean_scene()), split="ci", seed=seed)


def ways(task, seed):
    """The stone that the pusher would take, and its way; None if there is none."""
    episode, policy = drawn(task, seed), Push()
    policy.reset("", 0, episode=episode, action_spec=DELTA)
    return policy.look(episode.state)


@pytest.mark.parametrize("task", ["place_stone", "remove_stone"])
def test_push_solves_a_board_without_ever_holding_a_stone(backend, make_env, task):
    seed = next(seed for seed in range(40) if ways(task, seed) is not None)
    info = play(make_env(backend, task=task, stop_on_success=True), make_policy("push"), seed).info
    assert info["success"] and info["stage"]["touched"]
    assert not info["stage"]["grasped"] and not info["stage"]["lifted"]
    assert info["placement"]["others_moved_mm"] < 1.0


def test_push_goes_around_other_stones():
    """Never nearer to one than two radii and 3 mm, on any part of the way."""
    detours = 0
    for seed in range(60):
        found = ways("move_stone", seed)
        if found is None:
            continue
        episode = drawn("move_stone", seed)
        policy = Push()
        policy.reset("", 0, episode=episode, action_spec=DELTA)
        policy.look(episode.state)
        world, (stone, way) = policy.world, found
        line = [world.stone(episode.state, stone)[:2], *(p[:2] for p in way)]
        points = np.concatenate([np.linspace(a, b, 50) for a, b in pairwise(line)])
        others = [k for k in episode.state.stone_ids.tolist() if k != stone]
        apart = [np.linalg.norm(points - world.stone(episode.state, k)[:2], axis=1).min() for k in others]
        assert min(apart) >= 0.025 - 1e-4
        detours += len(way) > 1
    assert detours >= 5


def test_push_waits_where_no_stone_of_the_board_will_do(make_env):
    seed = next(seed for seed in range(40) if ways("place_stone", seed) is None)
    info = play(make_env("mujoco", max_steps=30), make_policy("push"), seed).info
    assert not info["stage"]["touched"] and info["placement"]["others_moved_mm"] < 1.0


class StateAlone(dict):
    """An observation that lets nobody look at a picture, nor read the words again."""

    def __getitem__(self, key):
        assert key == "state", f"looked at {key}"
        return super().__getitem__(key)


def test_feeler_needs_words_and_state_alone(backend, make_env):
    """Where the words name the stone nothing need be felt for; where not, it finds one, of either colour."""

    class Watched(Feeler):
        def act(self, observation):
            return super().act(StateAlone(observation))

    assert not Feeler.privileged
    env = make_env(backend, task="move_stone", stop_on_success=True)
    assert play(env, Watched(), 0).info["success"]
    env = make_env(backend, stop_on_success=True)
    info = play(env, Watched(), 0).info
    placed = np.hypot(*info["placement"]["offset_mm"]) if info["success"] else None
    assert info["success"] or info["placement"]["reason"] == "wrong_color", info["placement"]
    assert placed is None or placed < 10.0


def test_feeler_reads_every_tasks_words_and_holds_still_at_others(make_env):
    for task in ("place_stone", "move_stone", "remove_stone"):
        for seed in range(5):
            episode = drawn(task, seed)
            assert heard(episode.instruction.text) == (episode.goal,)
    assert heard("Do the task.") == ()
    info = play(make_env("mujoco", max_steps=10), make_policy("mute(feeler)"), 0).info
    assert not info["stage"]["touched"]


def test_what_fingers_feel():
    places = np.array([[0.0, 0.0], [0.013, 0.019], [0.0, 0.0285], [0.022, 0.0], [0.0175, 0.0]])
    assert np.allclose(felt_at(places, np.zeros(2)), [1.0, 1.0, 0.0, 0.0, 0.5])


@pytest.mark.parametrize("words", ["push", "feeler"])
def test_they_keep_the_contract_of_policies(words):
    check_policy(make_policy(words), backends=["mujoco"], cameras=())
    check_policy(make_policy(words), backends=["mujoco"], cameras=(), action_mode="absolute", control_hz=10)
