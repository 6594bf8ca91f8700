"""One policy, one episode: the loop that everything else stands on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.environment import Environment
from core.errors import ActionError
from core.policy import Policy
from core.record import EpisodeRecord
from core.registry import POLICIES

Watcher = Callable[[Environment, dict, dict], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeResult:
    """How one episode went.

    Attributes:
        record: its series of measures, from which it can be judged again.
        info: the environment's last ``info``.
        wall_s: how long it took (s, wall clock).
    """

    record: EpisodeRecord
    info: dict
    wall_s: float


def list_policies() -> list[str]:
    """Names that ``make_policy`` takes."""
    return POLICIES.names()


def make_policy(name: str) -> Policy:
    """A policy by its registered name.

    Raises:
        UnknownNameError: listing the valid names.
        RegistrationError: if it cannot be imported.
    """
    return POLICIES.load(name)()


def play(env: Environment, policy: Policy, seed: int, watch: Watcher | None = None) -> EpisodeResult:
    """Plays the episode of ``seed`` to its end.

    Args:
        env: an open environment.
        policy: gets the observation, and the truth only if it is privileged.
        seed: of the episode, and of the policy's own randomness.
        watch: called as ``watch(env, observation, info)`` after the reset and after each action.

    Raises:
        ActionError: if the policy returns no float[k, 4] with k >= 1, or values that are not finite.
    """
    start = time.perf_counter()
    observation, info = env.reset(seed=seed)
    extras: dict = {}
    if policy.privileged:
        extras = {"episode": env.episode, "action_spec": env.action_spec}
    if policy.wants_goal_picture:
        extras["goal_picture"] = env.goal_picture()
    policy.reset(observation["instruction"], seed, **extras)
    if watch is not None:
        watch(env, observation, info)
    ended = False
    while not ended:
        truth = {"truth": env.scene_state} if policy.privileged else {}
        for action in _chunk(policy, policy.act(observation, **truth)):
            move = env.move
            observation, _, terminated, truncated, info = env.step(action)
            ended = terminated or truncated
            if watch is not None:
                watch(env, observation, info)
            if ended:
                break
            if env.move is not move:
                policy.proceed(
                    observation["instruction"], **({"move": env.move} if policy.privileged else {})
                )
                break
    return EpisodeResult(record=env.episode_record(), info=info, wall_s=time.perf_counter() - start)


def replay(env: Environment, seed: int, actions: np.ndarray, watch: Watcher | None = None) -> EpisodeResult:
    """Plays recorded actions, float[N, 4], in the episode of ``seed``; ends with the last of them."""
    start = time.perf_counter()
    observation, info = env.reset(seed=seed)
    if watch is not None:
        watch(env, observation, info)
    ended = False
    for action in actions:
        observation, _, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
        if watch is not None:
            watch(env, observation, info)
        if ended:
            break
    if not ended:
        info = env.end_episode()
    return EpisodeResult(record=env.episode_record(), info=info, wall_s=time.perf_counter() - start)


def _chunk(policy: Policy, actions: object) -> np.ndarray:
    chunk = np.asarray(actions)
    if chunk.ndim != 2 or chunk.shape[0] < 1 or chunk.shape[1] != 4:
        name = type(policy).__name__
        raise ActionError(f"{name}.act must return an array of shape (k, 4) with k >= 1, got {chunk.shape}")
    return chunk
