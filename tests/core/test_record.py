"""Records: judged again they say the same, and they are small."""

import json

import numpy as np
import pytest

import core
from core.errors import StateError
from tests.conftest import play


@pytest.mark.parametrize("steps", [None, 35])
def test_judged_again_with_the_same_tolerances_the_verdict_is_the_same(backend, make_env, steps):
    env = make_env(backend, stop_on_success=True)
    info = play(env, seed=3, steps=steps)
    if steps:
        info = env.end_episode()
    record = core.EpisodeRecord.from_bytes(env.episode_record().to_bytes())
    assert record.rejudge().to_dict() == info["placement"] == record.about["verdict"]


def test_other_tolerances_give_other_verdicts(backend, make_env):
    env = make_env(backend, stop_on_success=True)
    play(env, seed=3)
    record = env.episode_record()
    distance = record.about["verdict"]["distance_mm"] / 1000
    assert not record.rejudge(core.Tolerances(distance=distance * 0.9)).success
    assert record.rejudge(core.Tolerances(distance=distance * 1.1)).success


def test_a_full_episode_takes_about_20_kb(backend, make_env):
    env = make_env(backend)
    play(env, seed=3)
    assert len(env.episode_record().actions) == 400
    assert len(env.episode_record().to_bytes()) < 80_000


def test_what_is_in_comes_out(backend, make_env):
    env = make_env(backend)
    play(env, seed=5, steps=50)
    record = env.episode_record()
    again = core.EpisodeRecord.from_bytes(record.to_bytes())
    assert again.about == json.loads(json.dumps(record.about))
    for name in ("colors", "times", "tools", "openings", "measures", "actions"):
        assert (getattr(again, name) == getattr(record, name)).all(), name
    assert len(again.times) == len(again.measures) == 51


def test_foreign_bytes_are_refused():
    for bad in (b"", b"PK\x03\x04 junk", b"junk"):
        with pytest.raises(StateError, match="record"):
            core.EpisodeRecord.from_bytes(bad)


def test_a_half_loaded_episode_has_no_record(backend, make_env):
    env = make_env(backend)
    play(env, seed=5, steps=10)
    env.load_state(env.save_state())
    with pytest.raises(StateError, match="half-way"):
        env.episode_record()


def test_times_are_control_periods(backend, make_env):
    env = make_env(backend, max_steps=4)
    env.reset(seed=0)
    for _ in range(4):
        env.step(env.hold_action())
    times = env.episode_record().times
    assert np.diff(times) == pytest.approx(0.05)
    assert times[-1] == pytest.approx(4 / 20 + 0.5)
