"""The life of a worker process."""

import os
import time
from ctypes import Array
from multiprocessing.connection import Connection
from typing import Any

# What a worker tells while it plays, in an array that its parent reads: until when the policy must have
# answered (monotonic seconds, 0: it is not being waited for), and the actions executed so far.
UNTIL, STEP = 0, 1
SLOTS = 2


class SharedDeadline:
    """Keeps the array up to date; see ``bomb.rollouts.rollout.Deadline``."""

    def __init__(self, shared: Array[Any], timeout: float):
        self._shared, self._timeout = shared, timeout
        self._process = os.getpid()

    def begins(self, step: int) -> None:
        """The policy was asked something, after ``step`` actions."""
        self._shared[STEP] = step
        self._shared[UNTIL] = time.monotonic() + self._timeout

    def ends(self) -> None:
        """It has answered."""
        if os.getpid() != self._process:
            os._exit(1)  # the policy forked, and this is the copy: it must not play on, and answer, too
        self._shared[UNTIL] = 0.0


def work(connection: Connection, shared: Array[Any]) -> None:
    """Plays jobs until the connection closes: the first message is the ``Setup``, the others are jobs."""
    try:
        setup = connection.recv()
        # Before an engine is loaded: a renderer in software would take every core for itself.
        os.environ.setdefault("LP_NUM_THREADS", str(setup.threads))
        from bomb.evaluation.workers.player import Player  # after the environment is set
        from bomb.evaluation.workers.policy_client import PATIENCE_S

        timeout = setup.execution.policy_timeout
        # Who asks a policy process keeps the time himself, and may have to wait until it is there again.
        patience = timeout if setup.address is None else 2 * timeout + PATIENCE_S
        player = Player(setup, SharedDeadline(shared, patience))
        while True:
            connection.send(player.play(connection.recv()))
    except (EOFError, OSError):
        pass  # the parent has closed the connection: nobody listens any more
