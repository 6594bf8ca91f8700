"""BOMB behind gymnasium's interfaces: by name, and several at once."""

import gymnasium
import numpy as np
import pytest

import bomb
import core
from core.errors import OptionError, UnknownNameError

BACKENDS = core.list_backends()
NAME = "bomb:bomb/PlaceStone-v0"


@pytest.mark.parametrize("backend", BACKENDS)
def test_made_by_name_it_is_the_same_environment(backend):
    ours = core.make_task(backend=backend, cameras=(), split="ci", max_steps=3)
    theirs = gymnasium.make(NAME, backend=backend, cameras=(), split="ci", max_steps=3)
    expected, _ = ours.reset(seed=11)
    observation, _ = theirs.reset(seed=11)
    assert observation["instruction"] == expected["instruction"]
    assert (observation["state"] == expected["state"]).all()
    for _ in range(3):
        *_, truncated, info = theirs.step(ours.hold_action())
    assert truncated and info["placement"]["reason"]
    ours.close()
    theirs.close()


def test_a_missing_or_wrong_backend_lists_the_valid_ones():
    with pytest.raises(UnknownNameError, match="valid: mujoco, robotwin"):
        gymnasium.make(NAME)
    with pytest.raises(UnknownNameError, match="'bullet'"):
        gymnasium.make(NAME, backend="bullet")


def test_registering_twice_is_harmless():
    bomb.register()
    assert "bomb/PlaceStone-v0" in gymnasium.registry


def test_a_name_that_bomb_lacks():
    with pytest.raises(AttributeError, match="explode"):
        bomb.explode  # noqa: B018


@pytest.mark.parametrize("n", [0, -1, 2.0, True])
def test_a_wrong_number_of_environments_is_named(n):
    with pytest.raises(OptionError, match="n must be an integer from 1 up"):
        bomb.make_vec(n, backend=BACKENDS[0])


def rollout(vector, steps: int = 3) -> list:
    n = vector.num_envs
    observation, info = vector.reset(seed=21)
    seen = [(observation, info)]
    for step in range(steps):
        action = np.tile(np.array([0.5, -0.2 * step, -1.0, 1.0], dtype=np.float32), (n, 1))
        observation, reward, terminated, truncated, info = vector.step(action)
        seen.append((observation, info))
        assert reward.shape == terminated.shape == truncated.shape == (n,)
    vector.close()
    return seen


def assert_same(a: list, b: list) -> None:
    for (one, one_info), (other, other_info) in zip(a, b, strict=True):
        assert one["instruction"] == other["instruction"]
        assert (one["state"] == other["state"]).all()
        for camera, pictures in one.get("images", {}).items():
            assert pictures.dtype == np.uint8 and pictures.std() > 2
            assert (pictures == other["images"][camera]).all()
        assert list(one_info["placement"]["reason"]) == list(other_info["placement"]["reason"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_asynchronous_equals_synchronous_without_pictures(backend):
    options = {"backend": backend, "cameras": (), "split": "ci"}
    one = rollout(bomb.make_vec(2, **options))
    other = rollout(bomb.make_vec(2, asynchronous=True, **options))
    assert one[0][0]["instruction"][0] != one[0][0]["instruction"][1]
    assert_same(one, other)


@pytest.mark.render
@pytest.mark.parametrize("backend", BACKENDS)
def test_asynchronous_equals_synchronous_with_pictures(backend):
    options = {"backend": backend, "image_size": (48, 64), "split": "ci"}
    one = rollout(bomb.make_vec(1, **options))
    assert one[0][0]["images"]["head"].shape == (1, 48, 64, 3)
    assert_same(one, rollout(bomb.make_vec(1, asynchronous=True, **options)))


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        (BACKENDS[0], {}),
        (BACKENDS[1], {}),
        (BACKENDS[0], {"vector_kwargs": {"context": "spawn", "copy": False}}),
    ],
)
def test_gymnasiums_own_shared_memory_keeps_the_words(backend, options):
    """Its buffers are read once when they are made; text that is not looked up anew stays blank."""
    settings = {"backend": backend, "cameras": (), "split": "ci", "max_steps": 1}
    one = core.make_task(**settings)
    vector = gymnasium.make_vec(NAME, num_envs=2, vectorization_mode="async", **options, **settings)
    try:
        for seed in (3, 30):
            observation, _ = vector.reset(seed=seed)
            assert list(observation["instruction"]) == [
                one.reset(seed=s)[0]["instruction"] for s in (seed, seed + 1)
            ]
        assert vector.observation_space.contains(
            {**observation, "instruction": tuple(observation["instruction"])}
        )
        *_, truncated, _ = vector.step(np.tile(one.hold_action(), (2, 1)))
        assert truncated.all()
    finally:
        vector.close()
        one.close()
