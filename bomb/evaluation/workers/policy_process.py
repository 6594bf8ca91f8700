"""A process of its own for the policy: says what it is, and answers batches if it can."""

import os
from contextlib import suppress
from os import urandom
from pathlib import Path

from bomb.evaluation.jobs import PolicyAddress
from bomb.evaluation.settings import ExecutionSettings
from bomb.evaluation.workers.policy_server import PolicyAbout, serve
from bomb.policies.words import shortened
from bomb.processes.child import Child
from core.errors import LifecycleError, OptionError, PolicyError
from core.registry import registrations
from core.world.temporary import TemporaryFolder

LONGEST_SOCKET = 100  # bytes of a path; the kernel takes 107, other systems 103
ATTEMPTS = 3  # deaths in a row before it has said anything, until it is given up


class PolicyProcess:
    """Makes the policy once, in a process of its own.

    A policy that can batch stays there and is asked by all workers; of any other only the description is
    taken, and each worker makes one for itself.

    Args:
        words: of the policy.
        execution: size of batches and patience with them.
        host: address to listen at; None: workers are on this machine.

    Attributes:
        about: what it said of itself.

    Raises:
        OptionError: if the policy cannot be made.
    """

    def __init__(self, words: str, execution: ExecutionSettings, host: str | None = None):
        self._words, self._execution = words, execution
        self._folder = TemporaryFolder("policy")
        place = _place(self._folder.path / "policy") if host is None else (host, 0)
        self._address = PolicyAddress(place=place, key=urandom(32))
        self._deaths = 0
        self._child: Child | None = None
        try:
            self._start()
            self.about: PolicyAbout = self._first_words()
        except BaseException:
            self.close()
            raise
        if self.about.place is not None:
            self._address = PolicyAddress(place=self.about.place, key=self._address.key)

    @property
    def address(self) -> PolicyAddress | None:
        """Where workers ask; None if each makes a policy of its own."""
        return self._address if self.about.batches else None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return None if self._child is None else self._child.pid

    def check(self) -> None:
        """Starts the process again if it died.

        Raises:
            PolicyError: if it keeps dying before it is ready.
        """
        if not self.about.batches:
            return
        with suppress(OSError, EOFError):
            if self._running.connection.poll():
                self._running.connection.recv()
                self._deaths = 0
        if not self._running.alive:
            self._deaths += 1
            if self._deaths >= ATTEMPTS:
                raise PolicyError(
                    f"the process of policy {shortened(self._words)} {self._running.death}, "
                    f"{self._deaths} times in a row"
                )
            self.restart()

    def restart(self) -> None:
        """Ends the process and starts it anew, at the same address."""
        if self.about.batches:
            self._end()
            self._start()

    def close(self) -> None:
        """Ends the process. A second call does nothing."""
        self._end()
        self._folder.close()

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise LifecycleError("the policy's process was ended")
        return self._child

    def _start(self) -> None:
        if isinstance(self._address.place, str):
            Path(self._address.place).unlink(missing_ok=True)
        limits = (self._execution.batch, self._execution.batch_wait_ms / 1e3)
        # No daemon: a policy may start processes of its own.
        self._child = Child(serve, self._words, self._address, *limits, registrations())

    def _first_words(self) -> PolicyAbout:
        try:
            said = self._running.connection.recv()
        except (EOFError, OSError):
            self._running.join()
            how = self._running.death
            raise OptionError(f"policy {shortened(self._words)} cannot be made: its process {how}") from None
        if not isinstance(said, PolicyAbout):
            raise OptionError(said)
        return said

    def _end(self) -> None:
        if self._child is None:
            return
        if "about" in self.__dict__ and not self.about.batches:
            self._child.join(5.0)  # it has only to close the policy
        self._child.end()
        self._child = None


def _place(file: Path) -> str | tuple[str, int]:
    """Where to listen: a socket file, or if its path is too long for one, a port of this machine."""
    path = str(file)
    if len(os.fsencode(path)) <= LONGEST_SOCKET and path.isascii():
        return path
    return "127.0.0.1", 0
