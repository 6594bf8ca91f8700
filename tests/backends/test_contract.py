"""One contract, run on both engines: what ``core.make_task`` promises of any backend."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from core.errors import LifecycleError, StateError
from core.world.state import SceneState
from tests.conftest import play, wave

ROLLOUT = """
import sys, hashlib, numpy as np, core
from tests.conftest import wave
env = core.make_task(backend=sys.argv[1], cameras=(), split="ci")
env.reset(seed=3)
digest = hashlib.sha256()
for step in range(40):
    env.step(wave(step))
    digest.update(env.scene_state.to_bytes())
print(digest.hexdigest())
"""


def rollout(env, seed: int = 3, steps: int = 40) -> list[bytes]:
    """The bytes of every state of a fixed sequence of actions."""
    env.reset(seed=seed)
    states = [env.scene_state.to_bytes()]
    for step in range(steps):
        env.step(wave(step))
        states.append(env.scene_state.to_bytes())
    return states


def test_gymnasium_accepts_it(backend, make_env):
    with warnings.catch_warnings():
        # A float32 state in a Box and text are fine; the checker only wonders about their bounds.
        warnings.simplefilter("ignore")
        check_env(make_env(backend), skip_render_check=True)


def test_observation_holds_state_and_instruction_and_nothing_else(backend, make_env):
    env = make_env(backend)
    observation, _ = env.reset(seed=0)
    assert set(observation) == {"state", "instruction"}
    assert observation["state"].dtype == np.float32 and observation["state"].shape == (4,)
    assert observation["instruction"].isascii() and observation["instruction"].isprintable()


def test_info_is_plain_and_never_nan(backend, make_env):
    env = make_env(backend)
    env.reset(seed=0)
    *_, info = env.step(wave(0))
    assert set(info) == {
        "success", "is_success", "success_once", "placement", "stage", "perturbation", "goal", "spans",
        "sim_time", "clipped", "moves", "seed", "split",
    }  # fmt: skip

    def check(value):
        if isinstance(value, dict):
            assert all(isinstance(key, str) for key in value)
            for item in value.values():
                check(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                check(item)
        else:
            assert value is None or type(value) in (bool, int, float, str), (value, type(value))
            assert value == value  # NaN is not equal to itself

    check(info)


def test_same_seed_same_bytes_after_ten_other_episodes(backend, make_env):
    env = make_env(backend, max_steps=30)
    first = rollout(env, steps=29)
    for seed in range(100, 110):
        play(env, seed=seed, steps=25)
    assert rollout(env, steps=29) == first


def test_same_seed_same_bytes_beside_another_environment(backend, make_env):
    alone = rollout(make_env(backend))
    env, other = make_env(backend), make_env(backend)
    env.reset(seed=3)
    other.reset(seed=8)
    beside = [env.scene_state.to_bytes()]
    for step in range(40):
        other.step(wave(step + 3))
        env.step(wave(step))
        beside.append(env.scene_state.to_bytes())
    assert beside == alone


def test_same_seed_same_bytes_in_a_fresh_process(backend):
    command = [sys.executable, "-c", ROLLOUT, backend]
    digests = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1


def test_both_engines_get_the_same_episode(make_env):
    one, other = make_env("mujoco"), make_env("robotwin")
    for seed in range(20):
        observation, info = one.reset(seed=seed)
        observation_2, info_2 = other.reset(seed=seed)
        assert one.scene_state == other.scene_state
        assert info == info_2
        assert observation["instruction"] == observation_2["instruction"]
        assert (observation["state"] == observation_2["state"]).all()


def test_save_load_save_is_the_same_bytes(backend, make_env):
    env = make_env(backend)
    env.reset(seed=5)
    for step in range(60):
        if step % 7 == 0:
            saved = env.save_state()
            env.load_state(saved)
            assert env.save_state() == saved
        env.step(wave(step))


def test_what_follows_a_load_depends_on_the_state_alone(backend, make_env):
    env, fresh = make_env(backend), make_env(backend)
    play(env, seed=11, steps=45)
    saved = env.save_state()

    def after(environment):
        environment.load_state(saved)
        for step in range(30):
            environment.step(wave(step))
        return environment.save_state()

    first = after(env)
    play(env, seed=12, steps=50)
    assert after(env) == first
    assert after(fresh) == first


def test_a_state_moves_to_the_other_engine_and_measures_the_same(backend, make_env):
    other = "robotwin" if backend == "mujoco" else "mujoco"
    env, there = make_env(backend), make_env(other)
    for seed, steps in ((1, 20), (2, 40), (3, 60)):
        play(env, seed=seed, steps=steps)
        _, info = there.load_state(env.save_state())
        _, here = env.load_state(env.save_state())
        assert there.scene_state == env.scene_state
        assert there.save_state() == env.save_state()
        assert info == here


def test_a_damaged_or_foreign_state_is_refused_and_nothing_moved(backend, make_env):
    env = make_env(backend)
    env.reset(seed=1)
    saved = env.save_state()
    env.step(wave(0))
    before = env.scene_state
    damaged = bytearray(saved)
    damaged[len(damaged) // 2] ^= 1
    for bad in (b"", b"junk", saved[:-1], bytes(damaged), "text", 7):
        with pytest.raises(StateError):
            env.load_state(bad)
    with pytest.raises(StateError, match="action_mode"):
        absolute = make_env(backend, action_mode="absolute")
        absolute.reset(seed=1)
        absolute.load_state(saved)
    assert env.scene_state == before
    env.step(wave(1))


def test_scene_state_survives_its_own_encoding(backend, make_env):
    env = make_env(backend)
    play(env, seed=4, steps=30)
    assert SceneState.from_bytes(env.scene_state.to_bytes()) == env.scene_state


def test_calls_out_of_order(backend, make_env):
    env = make_env(backend, max_steps=2)
    for call in (lambda: env.step(wave(0)), env.save_state, env.hold_action, env.episode_record):
        with pytest.raises(LifecycleError, match="reset"):
            call()
    env.reset(seed=0)
    env.step(wave(0))
    *_, truncated, _ = env.step(wave(1))
    assert truncated
    with pytest.raises(LifecycleError, match="over"):
        env.step(wave(2))
    env.close()
    env.close()
    for call in (lambda: env.step(wave(0)), lambda: env.reset(seed=0), env.save_state):
        with pytest.raises(LifecycleError, match="closed"):
            call()


def test_hold_does_nothing(backend, make_env):
    env = make_env(backend)
    env.reset(seed=0)
    for _ in range(20):
        env.step(env.hold_action())
    before = env.scene_state
    for _ in range(20):
        env.step(env.hold_action())
    moved = abs(env.scene_state.stone_poses[:, :3] - before.stone_poses[:, :3]).max()
    assert moved < 1e-5  # m
    assert abs(env.scene_state.joint_positions - before.joint_positions).max() < 1e-5


def test_stones_start_at_rest(backend, make_env):
    env = make_env(backend)
    for seed in range(5):
        env.reset(seed=seed)
        start = env.scene_state.stone_poses
        for _ in range(10):
            env.step(env.hold_action())
        assert abs(env.scene_state.stone_poses[:, :3] - start[:, :3]).max() < 1e-4  # 0.1 mm


def test_the_end_is_judged_after_half_a_second(backend, make_env):
    env = make_env(backend, max_steps=3)
    env.reset(seed=0)
    for step in range(3):
        *_, info = env.step(wave(step))
    assert info["sim_time"] == pytest.approx(3 / 20 + 0.5)


def test_contact_forces_of_a_held_stone(backend, make_env):
    """Both fingers push on it with about the force of their drives, against each other."""
    env = make_env(backend)
    play(env, seed=2, steps=35)
    for _ in range(10):
        env.step(env.hold_action())
    push = {"panda_leftfinger": np.zeros(3), "panda_rightfinger": np.zeros(3)}
    for contact in env.debug.backend.contact_forces():
        assert all(np.isfinite(contact.normal)) and all(np.isfinite(contact.position))
        for k, (finger, other) in enumerate((contact.bodies, contact.bodies[::-1])):
            if finger in push and other.startswith("stone"):
                push[finger] += np.array(contact.normal) * (1 if k else -1)
    left, right = (np.linalg.norm(force) for force in push.values())
    assert 5 < left < 20 and left == pytest.approx(right, rel=0.05)  # N
    assert np.linalg.norm(sum(push.values())) < 0.2
