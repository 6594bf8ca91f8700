"""What all tests share: which engines there are, and how to play an episode."""

import gc
import os
import signal

import numpy as np
import pytest

import core
from bomb.machine.provenance import cores
from core.seeding import policy_seed

# A shell that starts the tests in the background has them ignore Ctrl-C, and all that they start with them.
signal.signal(signal.SIGINT, signal.default_int_handler)

BACKENDS = tuple(core.list_backends())
MOST_WORKERS = 8  # each holds both engines and both renderers, about a gigabyte

# How long a test waits for a child process: far more than it needs, so that a slow machine fails nothing.
PATIENCE_S = 600


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config) -> int:
    """What ``-n auto`` means: a process a core, as many as the memory of a small machine holds."""
    return min(cores(), MOST_WORKERS)


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: the garbage collector need not look at it again."""
    gc.freeze()


@pytest.fixture(params=BACKENDS)
def backend(request) -> str:
    """Every test that asks for it runs once in each engine."""
    return request.param


@pytest.fixture
def make_env():
    """``core.make_task`` without cameras on the ``ci`` split; everything made is closed at the end."""
    made = []

    def make(backend: str, **options):
        env = core.make_task(**{"backend": backend, "cameras": (), "split": "ci", **options})
        made.append(env)
        return env

    yield make
    for env in made:
        env.close()


def play(env, *, seed: int, steps: int | None = None, policy=None) -> dict:
    """Plays an episode of ``seed`` with the expert (or ``policy``), to its end or for ``steps`` actions.

    Returns:
        The last ``info``.
    """
    from bomb.policies.expert import Expert

    policy = policy or Expert()
    observation, info = env.reset(seed=seed)
    policy.reset(
        observation["instruction"],
        policy_seed(env.episode.split, seed),
        episode=env.episode,
        action_spec=env.action_spec,
    )
    count, over, move = 0, False, env.move
    while not over and (steps is None or count < steps):
        action = policy.act(observation, truth=env.scene_state)[0]
        observation, _, terminated, truncated, info = env.step(action)
        over, count = terminated or truncated, count + 1
        if not over and env.move is not move:
            move = env.move
            policy.proceed(observation["instruction"], move=move)
    return info


def wave(step: int) -> np.ndarray:
    """An action that keeps the arm moving and the gripper working."""
    return np.array(
        [np.sin(step / 5), np.cos(step / 7), np.sin(step / 11) / 2, step // 10 % 2], dtype=np.float32
    )


@pytest.fixture(autouse=True, scope="session")
def quiet_home(tmp_path_factory):
    """Nothing a test does may depend on, or leave traces in, the working directory of the user."""
    os.environ.setdefault("MUJOCO_LOG", os.devnull)
