"""One policy, one episode: the loop that everything else stands on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.environment import Environment
from core.errors import ActionError
from core.policy import Policy
from core.record import EpisodeRecord

Watcher = Callable[[Environment, dict], None]


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


def play(env: Environment, policy: Policy, seed: int, watch: Watcher | None = None) -> EpisodeResult:
    """Plays the episode of ``seed`` to its end.

    Args:
        env: an open environment.
        policy: gets the observation, and the truth only if it is privileged.
        seed: of the episode, and of the policy's own randomness.
        watch: called as ``watch(env, info)`` after the reset and after each action;
            it looks with ``env.observe()`` or ``env.render_camera``.

    Raises:
        ActionError: if the policy returns no float[k, 4] with k >= 1, or values that are not finite.
    """
    start = time.perf_counter()
    observation, info = env.reset(seed=seed)
    extras: dict = {}
    if policy.privileged:
        extras = {"episode": env.episode, "action_spec": env.action_spec}
    if policy.wants_action_spec:
        extras["action_spec"] = env.action_spec
    if policy.wants_goal_picture:
        extras["goal_picture"] = env.goal_picture()
    policy.reset(observation["instruction"], seed, **extras)
    if watch is not None:
        watch(env, info)
    ended, step = False, 0
    while not ended:
        if step:
            observation = env.observe()
        extras = {"truth": env.scene_state} if policy.privileged else {}
        if policy.wants_step:
            extras["step"] = step
        for action in _chunk(policy, policy.act(observation, **extras)):
            move = env.move
            # Nothing is drawn until the policy looks again.
            _, terminated, truncated = env.advance(action)
            ended, step = terminated or truncated, step + 1
            if watch is not None:
                watch(env, env.info())
            if ended:
                break
            if env.move is not move:
                words = env.move.instruction.text
                policy.proceed(words, **({"move": env.move} if policy.privileged else {}))
                break
    return EpisodeResult(record=env.episode_record(), info=env.info(), wall_s=time.perf_counter() - start)


def replay(env: Environment, seed: int, actions: np.ndarray, watch: Watcher | None = None) -> EpisodeResult:
    """Plays recorded actions, float[N, 4], in the episode of ``seed``; ends with the last of them."""
    start = time.perf_counter()
    _, info = env.reset(seed=seed)
    if watch is not None:
        watch(env, info)
    ended = False
    for action in actions:
        _, terminated, truncated = env.advance(action)
        ended, info = terminated or truncated, env.info()
        if watch is not None:
            watch(env, info)
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
