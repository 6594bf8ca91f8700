"""Inside the policy process: collects what workers ask into batches."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import AuthenticationError, Pipe
from multiprocessing.connection import Connection, Listener
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.disk.text import kept, message_of
from bomb.evaluation.jobs import PolicyAddress
from bomb.evaluation.workers.description import checked_description
from bomb.processes.child import ready
from core.errors import BombError, PolicyError
from core.policy import BatchPolicy, Request
from core.registry import register_again
from core.rendering.sight import described


@dataclass(frozen=True, kw_only=True)
class PolicyAbout:
    """What a policy is.

    Attributes:
        privileged: whether it needs the truth.
        batches: whether it stays in this process and answers for all workers.
        description: ``Policy.describe()``, and what it declares to look at.
        place: where it listens, if it does.
    """

    privileged: bool
    batches: bool
    description: dict[str, Any]
    place: str | tuple[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class NoAnswer:
    """Why a request got no chunk.

    Attributes:
        message: in words.
        value: what was wrong, in a few of them; None where there is no value.
        kind: what the worker raises, as if the policy had raised it there; of ``core.errors``.
    """

    message: str
    value: str | None = None
    kind: type[PolicyError] = PolicyError


def serve(
    pipe: Connection,
    words: str,
    address: PolicyAddress,
    most: int,
    patience: float,
    registered: dict[str, Any],
) -> None:
    """The life of the process.

    Args:
        pipe: gets a ``PolicyAbout``, or in words why the policy cannot be made.
        words: that make the policy.
        address: where to listen.
        most: requests in a batch, at most.
        patience: seconds that a batch waits for more.
        registered: what was registered at run time, see ``core.registry``.
    """
    from bomb.policies.making import make_policy
    from bomb.policies.words import shortened

    try:
        register_again(registered)
        policy = make_policy(words)
        # What needs more than observations stays beside the environment that has it.
        more = policy.privileged or policy.wants_goal_picture or policy.wants_action_spec
        batches = isinstance(policy, BatchPolicy) and not more
        listener = Listener(address.place, authkey=address.key, backlog=128) if batches else None
        about = PolicyAbout(
            privileged=bool(policy.privileged),
            batches=batches,
            description=checked_description(described(policy)),
            place=listener.address if listener else None,
        )
    except (Exception, SystemExit) as error:
        said = message_of(error)
        if not isinstance(error, BombError):  # ours say it all
            said = f"{type(error).__name__}: {said}"
        pipe.send(kept(f"policy {shortened(words)} cannot be made: {said}"))
        return
    pipe.send(about)
    try:
        if listener is not None and isinstance(policy, BatchPolicy):
            Batches(policy, listener, most, patience).run()
    finally:
        policy.close()


class Batches:
    """Answers the workers of a run, as many at once as have asked.

    Args:
        policy: what answers.
        listener: where workers come in.
        most: requests in a batch, at most.
        patience: seconds that a batch waits while workers are there that have not asked.
    """

    def __init__(self, policy: BatchPolicy, listener: Listener, most: int, patience: float):
        self._policy, self._listener = policy, listener
        self._most, self._patience = most, patience
        self._clients: list[Connection] = []
        self._new: deque[Connection] = deque()
        self._bell, self._button = Pipe(duplex=False)

    def run(self) -> None:
        """Answers until the process ends."""
        threading.Thread(target=self._let_in, daemon=True).start()
        while True:
            asked = self._collect()
            if not asked:
                continue
            answers = infer(self._policy, [request for _, request in asked])
            for (client, _), answer in zip(asked, answers, strict=True):
                try:
                    client.send(answer)
                except OSError:
                    self._drop(client)

    def _collect(self) -> list[tuple[Connection, Request]]:
        """Waits for one request, then a little for more."""
        asked = self._receive([self._bell, *self._clients], None)
        until = time.monotonic() + self._patience
        while asked and len(asked) < min(self._most, len(self._clients)):
            silent = set(self._clients) - {client for client, _ in asked}
            more = self._receive([self._bell, *silent], until - time.monotonic())
            if not more and time.monotonic() >= until:
                break
            asked += more
        return asked

    def _receive(self, sources: list[Connection], timeout: float | None) -> list[tuple[Connection, Request]]:
        asked: list[tuple[Connection, Request]] = []
        for source in ready(sources, None if timeout is None else max(timeout, 0.0)):
            if source is self._bell:
                source.recv()
                self._clients.append(self._new.popleft())
                continue
            try:
                asked.append((source, source.recv()))
            except (EOFError, OSError):
                self._drop(source)
        return asked

    def _let_in(self) -> None:
        while True:
            with suppress(OSError, EOFError, AuthenticationError):  # whoever it was does not belong here
                client = self._listener.accept()
                self._new.append(client)
                self._button.send(None)

    def _drop(self, client: Connection) -> None:
        client.close()
        with suppress(ValueError):
            self._clients.remove(client)


def infer(policy: BatchPolicy, requests: Sequence[Request]) -> list[npt.NDArray[np.float32] | NoAnswer]:
    """An answer for each request: a chunk, or why there is none.

    Where a batch raises, each is asked for alone, so that one bad request costs the others nothing.
    """
    try:
        # Copied here: a tensor of a device, or an array that is changed later, goes no further. Whoever asked
        # says what is wrong with the numbers.
        chunks: list[npt.NDArray[np.float32] | NoAnswer] = [
            np.array(chunk) for chunk in policy.infer(requests)
        ]
        if len(chunks) != len(requests):
            raise ValueError(f"{len(chunks)} chunks for {len(requests)} requests")
        return chunks
    except Exception as error:
        if len(requests) > 1:
            return [answer for request in requests for answer in infer(policy, [request])]
        step = requests[0].step
        if isinstance(error, PolicyError):
            # A class of the policy's own may not exist where the answer goes.
            kind = next(base for base in type(error).__mro__ if base.__module__ == PolicyError.__module__)
            value = None if error.value is None else kept(error.value)
            return [NoAnswer(message=kept(message_of(error)), value=value, kind=kind)]
        name = type(policy).__name__
        said = f"{name}.infer raised {type(error).__name__} at step {step}: {message_of(error)}"
        return [NoAnswer(message=kept(said))]
