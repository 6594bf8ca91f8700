"""Where a server's requests are answered: policies, and the one thread that asks them."""

import asyncio
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bomb.integrations.openpi.session import Turn
from bomb.policies.making import make_policy, policy_class
from bomb.rollouts.output import checked_chunk
from core.errors import CapabilityError, PolicyOutputError
from core.policy import BatchPolicy, Policy, Request
from core.rendering.observation import ObservationSpec
from core.rendering.sight import Sight, described

Chunk: TypeAlias = npt.NDArray[np.float32]  # [k, 4]

MOST = 64  # requests in a batch


class Desk:
    """Makes the policies that a server needs, and lets them answer one after another.

    A ``BatchPolicy`` remembers nothing: one serves every connection, and requests that have come while it
    was busy are answered together. Of other policies each connection has one of its own, which goes to the
    next when the connection ends. All are made and asked in one thread, because some models mind.

    Args:
        words: the policy, as ``make_policy`` takes it.
        shown: what every request shows; None: what each client chooses.

    Raises:
        ConventionError: if the policy looks at something else than is shown.
        CapabilityError: if the policy needs what no request carries: the truth, or a goal picture.
        BombError: as ``make_policy``.
    """

    def __init__(self, words: str, shown: ObservationSpec | None = None):
        _check(words, policy_class(words))
        self._words = words
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="policy")
        first = self._thread.submit(make_policy, words).result()
        self._made, self._idle = [first], [first]
        _check(words, first)
        if shown is not None:
            Sight.of(first).check(repr(words), shown)
        self._shared = first if isinstance(first, BatchPolicy) else None
        self._waiting: deque[tuple[Turn, Future[Chunk]]] = deque()
        self.about: dict[str, Any] = described(first)

    @property
    def waiting(self) -> int:
        """Questions that have not been taken up yet."""
        return len(self._waiting)

    async def lend(self) -> Policy:
        """The policy of a new connection."""
        if self._shared is not None:
            return self._shared
        if not self._idle:
            policy = await asyncio.wrap_future(self._thread.submit(make_policy, self._words))
            self._made.append(policy)
            return policy
        return self._idle.pop()

    def take_back(self, policy: Policy) -> None:
        """The connection has ended."""
        if policy is not self._shared:
            self._idle.append(policy)

    async def ask(self, policy: Policy, turn: Turn) -> Chunk:
        """The answer, [k, 4] with k >= 1.

        Raises:
            PolicyOutputError: if the policy's answer is of another shape, or not finite.
            ConventionError: if it looks at something else than the request shows.
            Exception: whatever the policy raises.
        """
        if self._shared is None:
            return await asyncio.wrap_future(self._thread.submit(_answer, policy, turn))
        answer: Future[Chunk] = Future()
        self._waiting.append((turn, answer))
        self._thread.submit(self._answer_waiting, self._shared)
        return await asyncio.wrap_future(answer)

    def close(self) -> None:
        """Closes every policy."""
        for policy in self._made:
            self._thread.submit(policy.close)
        self._thread.shutdown()

    def _answer_waiting(self, policy: BatchPolicy) -> None:
        """Answers all that wait now. Of several calls that were due, the first finds them all."""
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        if not batch:
            return
        try:
            answers = self._infer(policy, [turn for turn, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            # One bad request must not fail the others.
            for turn, answer in batch:
                try:
                    answer.set_result(self._infer(policy, [turn])[0])
                except Exception as own:
                    answer.set_exception(own)
            return
        for (_, answer), actions in zip(batch, answers, strict=True):
            answer.set_result(actions)

    def _infer(self, policy: BatchPolicy, turns: list[Turn]) -> list[Chunk]:
        requests = [Request(observation=turn.observation, seed=turn.seed, step=turn.step) for turn in turns]
        for request in requests:
            Sight.of(policy).check_observation(repr(self._words), request.observation)
        answers = policy.infer(requests)
        if len(answers) != len(turns):
            raise PolicyOutputError(f"{self._words} gave {len(answers)} answers to {len(turns)} requests")
        name = type(policy).__name__
        return [checked_chunk(name, actions, turn.step) for actions, turn in zip(answers, turns, strict=True)]


def _answer(policy: Policy, turn: Turn) -> Chunk:
    Sight.of(policy).check_observation(type(policy).__name__, turn.observation)
    words = turn.observation["instruction"]
    if turn.begins:
        policy.reset(words, turn.seed, **({"action_spec": turn.spec} if policy.wants_action_spec else {}))
    elif turn.proceeds:
        policy.proceed(words)
    answer = policy.act(turn.observation, **({"step": turn.step} if policy.wants_step else {}))
    return checked_chunk(type(policy).__name__, answer, turn.step)


def _check(words: str, policy: Policy | type[Policy]) -> None:
    if policy.privileged:
        raise CapabilityError(
            f"policy {words!r} is privileged: it needs the true state, which no request carries; "
            "it cannot be served"
        )
    if policy.wants_goal_picture:
        raise CapabilityError(
            f"policy {words!r} wants a goal picture, which no request carries; it cannot be served"
        )
