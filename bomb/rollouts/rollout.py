"""One policy, one episode: the loop that everything else stands on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bomb.disk.text import message_of
from bomb.rollouts.chunks import ChunkExecution
from bomb.rollouts.output import checked_chunk
from core.environment import Environment
from core.episode.record import EpisodeRecord
from core.errors import PolicyError
from core.policy import Policy
from core.rendering.sight import Sight
from core.seeding import policy_seed

SceneWatcher = Callable[[Environment, dict[str, Any]], None]


class Deadline(Protocol):
    """Who is told when the policy is being waited for, and when no longer."""

    def begins(self, step: int) -> None:
        """The policy was asked something, after ``step`` actions."""

    def ends(self) -> None:
        """It has answered."""


@dataclass(kw_only=True)
class Timing:
    """Where the time of an episode went, in seconds of wall clock.

    Attributes:
        sim: in the environment, without looking: engine, controller, checker, judge.
        render: looking: drawing what the policy sees.
        policy: waiting for the policy.
        latencies: of each of its answers.
    """

    sim: float = 0.0
    render: float = 0.0
    policy: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @contextmanager
    def measured(self, part: str) -> Iterator[None]:
        """Adds what is done inside to ``part``."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, part, getattr(self, part) + time.perf_counter() - begin)

    def to_dict(self, wall_s: float) -> dict[str, Any]:
        """Plain numbers, as rows of a run have them; the rest of ``wall_s`` is overhead."""
        latencies = np.array(self.latencies or [0.0]) * 1e3
        return {
            "wall_s": round(wall_s, 6),
            "sim_s": round(self.sim, 6),
            "render_s": round(self.render, 6),
            "policy_s": round(self.policy, 6),
            "overhead_s": round(wall_s - self.sim - self.render - self.policy, 6),
            "looks": len(self.latencies),
            "policy_ms_mean": round(float(latencies.mean()), 4),
            "policy_ms_p95": round(float(np.percentile(latencies, 95)), 4),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeResult:
    """How one episode went.

    Attributes:
        record: its series of measures, from which it can be judged again.
        info: the environment's last ``info``.
        wall_s: how long it took (s, wall clock).
        timing: where the time went; None of a replay.
    """

    record: EpisodeRecord
    info: dict[str, Any]
    wall_s: float
    timing: Timing | None = None


def play(
    env: Environment,
    policy: Policy,
    seed: int,
    watch: SceneWatcher | None = None,
    *,
    chunks: ChunkExecution | None = None,
    deadline: Deadline | None = None,
    until: Callable[[dict[str, Any]], bool] | None = None,
) -> EpisodeResult:
    """Plays the episode of ``seed`` to its end.

    Args:
        env: an open environment.
        policy: gets the observation, and the truth only if it is privileged.
        seed: of the episode. The policy's own is drawn from it, see ``core.seeding.policy_seed``.
        watch: called as ``watch(env, info)`` after the reset and after each action;
            it looks with ``env.observe()`` or ``env.render_camera``.
        chunks: how much of a chunk is executed before the policy looks again; None: all of it.
        deadline: told when the policy is waited for.
        until: asked as ``until(info)`` after each action whether the episode is to end there.

    Raises:
        ConventionError: if the environment does not show what the policy declares to look at.
        PolicyOutputError: if the policy returns no float[k, 4] with k >= 1, or values that are not finite.
        PolicyError: if it raises anything else.
    """
    Sight.of(policy).check(type(policy).__name__, env.settings.observation_spec)
    now = time.perf_counter  # the loop counts in microseconds
    start, timing = now(), Timing()
    asked = _Asked(policy, timing, deadline)
    pending = (chunks or ChunkExecution()).begin()
    with timing.measured("sim"):
        env.begin(seed=seed)
    with timing.measured("render"):
        observation = env.observe()
    asked.reset(env, observation)
    if watch is not None:
        watch(env, env.info())
    ended, step = False, 0
    while not ended:
        if step:
            begin = now()
            observation = env.observe()
            timing.render += now() - begin
        for action in pending.take(asked.act(env, observation, step), step):
            move, begin = env.move, now()
            # Nothing is drawn until the policy looks again.
            _, terminated, truncated = env.advance(action)
            timing.sim += now() - begin
            ended, step = terminated or truncated, step + 1
            if not ended and until is not None and until(env.info()):
                env.end_episode()
                ended = True
            if watch is not None:
                watch(env, env.info())
            if ended:
                break
            if env.move is not move:
                asked.proceed(env, step)
                pending.drop()
                break
    return EpisodeResult(record=env.episode_record(), info=env.info(), wall_s=now() - start, timing=timing)


def replay(
    env: Environment, seed: int, actions: npt.NDArray[np.floating], watch: SceneWatcher | None = None
) -> EpisodeResult:
    """Plays recorded actions, float[N, 4], in the episode of ``seed``; ends with the last of them."""
    start = time.perf_counter()
    env.begin(seed=seed)
    if watch is not None:
        watch(env, env.info())
    ended = False
    for action in actions:
        _, terminated, truncated = env.advance(action)
        ended = terminated or truncated
        if watch is not None:
            watch(env, env.info())
        if ended:
            break
    if not ended:
        env.end_episode()
    return EpisodeResult(record=env.episode_record(), info=env.info(), wall_s=time.perf_counter() - start)


class _Asked:
    """A policy whose calls are timed, and whose errors say at which step they came."""

    def __init__(self, policy: Policy, timing: Timing, deadline: Deadline | None):
        self._policy, self._timing, self._deadline = policy, timing, deadline
        self._name = type(policy).__name__

    def reset(self, env: Environment, observation: dict[str, Any]) -> None:
        seed = policy_seed(env.episode.split, env.episode.seed)
        extras: dict[str, Any] = {}
        if self._policy.privileged:
            extras = {"episode": env.episode, "action_spec": env.action_spec}
        if self._policy.wants_action_spec:
            extras["action_spec"] = env.action_spec
        if self._policy.wants_goal_picture:
            with self._timing.measured("render"):
                extras["goal_picture"] = env.goal_picture()
        self._call("reset", 0, self._policy.reset, observation["instruction"], seed, **extras)

    def proceed(self, env: Environment, step: int) -> None:
        extras = {"move": env.move} if self._policy.privileged else {}
        self._call("proceed", step, self._policy.proceed, env.move.instruction.text, **extras)

    def act(self, env: Environment, observation: dict[str, Any], step: int) -> npt.NDArray[np.float32]:
        extras: dict[str, Any] = {"truth": env.scene_state} if self._policy.privileged else {}
        if self._policy.wants_step:
            extras["step"] = step
        timing = self._timing
        before = timing.policy
        answer = self._call("act", step, self._policy.act, observation, **extras)
        timing.latencies.append(timing.policy - before)
        return checked_chunk(self._name, answer, step)

    def _call(
        self, what: str, step: int, call: Callable[..., Any], /, *args: object, **extras: object
    ) -> object:
        if self._deadline is not None:
            self._deadline.begins(step)
        begin = time.perf_counter()
        try:
            return call(*args, **extras)
        except PolicyError as error:
            error.step = step if error.step is None else error.step
            raise
        except (Exception, SystemExit) as error:
            raise PolicyError(
                f"{self._name}.{what} raised {type(error).__name__} at step {step}: {message_of(error)}",
                step=step,
            ) from error
        finally:
            self._timing.policy += time.perf_counter() - begin
            if self._deadline is not None:
                self._deadline.ends()
