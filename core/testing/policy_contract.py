"""What a policy promises: chunks of finite actions, the same for the same seed, and nothing touched."""

import json
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

from core.environment import Environment
from core.make import make_task
from core.policy import BatchPolicy, Policy, Request
from core.registry import BACKENDS
from core.rendering.sight import DECLARED, described
from core.task import Task
from core.testing.promise import promise

_KNOWN = {"checkpoint": str, "parameters": int, "memory_mb": (int, float), "trained_on": list}
BATCH_TOLERANCE = 1e-4  # of action units: sums in another order, as large batches have them


def check_policy(
    policy: Policy,
    *,
    task: str | Task = "place_stone",
    backends: Sequence[str] | None = None,
    seeds: Iterable[int] = range(2),
    steps: int = 24,
    split: str = "ci",
    **options: Any,
) -> None:
    """Checks all that the contract of ``core.Policy`` promises, and closes the policy.

    Args:
        policy: the policy, made.
        task: whose episodes it gets.
        backends: simulators to act in; None takes every registered one.
        seeds: of the episodes.
        steps: actions executed in each of them.
        split: which family of seeds.
        options: more arguments of ``core.make_task``. ``action_mode``, ``control_hz``, ``cameras``,
            ``image_size`` and ``modalities`` are by themselves those that the policy declares.

    Raises:
        ContractError: for the first promise that is broken.
    """
    who = f"policy {type(policy).__name__}"
    about = policy.describe()
    _check_description(who, about)
    about = described(policy)
    names = ("action_mode", "control_hz", *DECLARED)
    options = {name: about[name] for name in names if name in about} | options
    seeds = list(seeds)
    for name in BACKENDS.names() if backends is None else backends:
        with make_task(task, backend=name, split=split, **options) as env:
            first = [_course(who, policy, env, seed, steps) for seed in seeds]
            again = [_course(who, policy, env, seed, steps) for seed in reversed(seeds)][::-1]
            same = all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
            promise(same, who, f"the same seed gives the same actions, whatever was played before ({name})")
            if isinstance(policy, BatchPolicy):
                _check_batches(who, policy, env, seeds)
            _check_next_move(who, policy, env, seeds[0])
    policy.close()
    policy.close()


def _check_description(who: str, about: Any) -> None:
    promise(isinstance(about, dict), who, f"describe() returns a dict, got {about!r}")
    try:
        plain = json.loads(json.dumps(about, allow_nan=False)) == about
    except (TypeError, ValueError):
        plain = False
    promise(plain, who, f"describe() holds plain values that JSON can carry, got {about!r}")
    kind: Any  # a class, or several
    for key, kind in _KNOWN.items():
        value = about.get(key)
        promise(
            value is None or isinstance(value, kind), who, f"describe()[{key!r}] is {kind}, got {value!r}"
        )


def _course(who: str, policy: Policy, env: Environment, seed: int, steps: int) -> npt.NDArray[np.float32]:
    """Every action of the beginning of an episode, float32[N, 4]."""
    observation, _ = env.reset(seed=seed)
    _reset(policy, env, observation, seed)
    actions: list[npt.NDArray[np.float32]] = []
    while len(actions) < steps:
        chunk = _act(who, policy, env, observation, len(actions))
        for action in chunk[: steps - len(actions)]:
            actions.append(action)
            observation, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                return np.array(actions)
    return np.array(actions)


def _reset(policy: Policy, env: Environment, observation: dict[str, Any], seed: int) -> None:
    extras: dict[str, Any] = {}
    if policy.privileged:
        extras["episode"] = env.episode
    if policy.privileged or policy.wants_action_spec:
        extras["action_spec"] = env.action_spec
    if policy.wants_goal_picture:
        extras["goal_picture"] = env.goal_picture()
    policy.reset(observation["instruction"], seed, **extras)


def _act(
    who: str, policy: Policy, env: Environment, observation: dict[str, Any], step: int
) -> npt.NDArray[np.float32]:
    extras: dict[str, Any] = {"truth": env.scene_state} if policy.privileged else {}
    if policy.wants_step:
        extras["step"] = step
    before = deepcopy(observation)
    chunk = policy.act(observation, **extras)
    _check_chunk(who, chunk)
    promise(_equal(before, observation), who, "act() leaves the observation as it is")
    return chunk


def _check_chunk(who: str, chunk: Any) -> None:
    shaped = isinstance(chunk, np.ndarray) and chunk.ndim == 2 and chunk.shape[1] == 4 and len(chunk) >= 1
    shape = getattr(chunk, "shape", type(chunk).__name__)
    promise(shaped, who, f"act() returns an array of shape (k, 4), k >= 1, got {shape}")
    real = chunk.dtype.kind in "fiu" and bool(np.isfinite(chunk).all())
    promise(real, who, f"actions are finite real numbers, got {chunk.dtype} {chunk.tolist()[:2]}")


def _check_batches(who: str, policy: BatchPolicy, env: Environment, seeds: Sequence[int]) -> None:
    requests = []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        requests.append(Request(observation=observation, seed=seed, step=0))
    alone = [policy.infer([request])[0] for request in requests]
    together = policy.infer(requests)
    promise(len(together) == len(requests), who, f"infer() answers each of {len(requests)} requests")
    for one, other in zip(alone, together, strict=True):
        _check_chunk(who, other)
        same = one.shape == other.shape and bool(np.allclose(one, other, atol=BATCH_TOLERANCE))
        promise(same, who, "infer() answers a request the same alone and in a batch")


def _check_next_move(who: str, policy: Policy, env: Environment, seed: int) -> None:
    """A policy is told of the next move of an episode that has several, and acts on."""
    observation, _ = env.reset(seed=seed)
    _reset(policy, env, observation, seed)
    extras = {"move": env.move} if policy.privileged else {}
    policy.proceed(observation["instruction"], **extras)
    _act(who, policy, env, observation, 0)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return bool(np.array_equal(one, other))
