"""The expert with variety: every variety shows, none costs success, and seeds repeat."""

from functools import cache

import numpy as np
import pytest

import core
from bomb.policies.making import make_policy
from bomb.policies.varied import VARIETIES, VariedExpert
from bomb.rollouts.rollout import play
from core.errors import OptionError, UnknownNameError

SEEDS = range(2)


def actions(env, policy, seed) -> np.ndarray:
    result = play(env, policy, seed)
    assert result.info["success"], (seed, result.info["placement"]["reason"])
    return result.record.actions


@pytest.fixture
def env(make_env, backend):
    return make_env(backend, stop_on_success=True)


@cache
def plain_actions(backend: str, seed: int) -> np.ndarray:
    """The expert's own, played once in each engine."""
    with core.make_task(backend=backend, cameras=(), split="ci", stop_on_success=True) as env:
        return actions(env, make_policy("expert"), seed)


def test_level_zero_is_the_expert(env):
    for seed in SEEDS[:2]:
        plain = plain_actions(env.backend_name, seed)
        assert np.array_equal(actions(env, make_policy("varied_expert(0.0)"), seed), plain)
        assert np.array_equal(actions(env, make_policy("varied_expert(1.0, ())"), seed), plain)


@pytest.mark.parametrize("variety", VARIETIES)
def test_every_variety_shows_and_succeeds(env, variety):
    policy, changed = VariedExpert(1.0, (variety,)), 0
    for seed in SEEDS:
        plain = plain_actions(env.backend_name, seed)
        varied = actions(env, policy, seed)
        changed += not np.array_equal(varied, plain)
        drawn = policy.variety["moves"][0]
        assert set(drawn) == set(VARIETIES)
        if variety == "miss" and any(drawn["miss"]):
            closings = np.flatnonzero(np.diff(varied[:, 3]) < -0.5)
            assert len(closings) == len(np.flatnonzero(np.diff(plain[:, 3]) < -0.5)) + 1
    assert changed >= 1


def test_all_at_once_succeeds_and_repeats(env):
    policy = VariedExpert(1.0)
    first = [actions(env, policy, seed) for seed in SEEDS]
    drawn = policy.variety
    again = VariedExpert(1.0)
    assert np.array_equal(actions(env, again, SEEDS[-1]), first[-1]) and again.variety == drawn
    assert len({len(one) for one in first}) > 1


def test_every_move_of_a_game_varies_by_itself(make_env, backend):
    env = make_env(backend, task="tic_tac_toe", stop_on_success=True)
    policy = VariedExpert(0.5)
    actions(env, policy, 1)
    moves = policy.variety["moves"]
    assert len(moves) == env.info()["moves"]["done"] > 1
    assert len({move["height"] for move in moves}) == len(moves)


def test_wrong_levels_and_varieties_are_named():
    for level in (-0.1, 1.1, "wild", True):
        with pytest.raises(OptionError, match="level of variety"):
            VariedExpert(level)
    with pytest.raises(UnknownNameError, match="variety 'dance'; valid: correction, curve"):
        VariedExpert(0.5, ("dance",))
    assert VariedExpert(0.5, "speed").describe() == {"level": 0.5, "varieties": ["speed"]}


def test_levels_by_variety(env):
    policy = VariedExpert({"height": 1.0, "pause": 0.0, "speed": 0.5})
    actions(env, policy, SEEDS[0])
    (drawn,) = policy.variety["moves"]
    whole = VariedExpert(1.0)
    actions(env, whole, SEEDS[0])
    (all_of_it,) = whole.variety["moves"]
    assert drawn["height"] == all_of_it["height"] and drawn["pause"] == {} and drawn["correction"] == {}
    assert 1 - drawn["speed"] == pytest.approx((1 - all_of_it["speed"]) / 2)
    assert policy.variety["level"] == {"height": 1.0, "pause": 0.0, "speed": 0.5}
    assert make_policy("varied_expert({'speed': 0.5})").describe()["level"] == {"speed": 0.5}
