"""One spawned process with a pipe to it: the only place that starts processes of our own."""

import multiprocessing
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from bomb.processes.main_program import UNGUARDED_WORDS
from bomb.processes.orphans import (
    die_with_parent,
    end_group,
    ending,
    in_a_group_of_its_own,
    without_interrupts,
)
from bomb.processes.statuses import UNGUARDED
from core.errors import OptionError


def ready(connections: Iterable[Connection], timeout: float | None = None) -> list[Connection]:
    """Those with something to receive, or whose other end is closed; waits for one, ``timeout`` s at most."""
    return [one for one in wait(list(connections), timeout) if isinstance(one, Connection)]


class Child:
    """A process that does not outlive this one, and leaves Ctrl-C to it; it leads a group of its own.

    Args:
        life: called in the process with its end of the pipe and ``args``; must pickle.
        args: must pickle, or be inherited by a process that is spawned.
        daemon: whether it is ended at the exit of this interpreter; it may then start no processes itself.

    Attributes:
        connection: this end of the pipe; closed by the process's end.
    """

    def __init__(self, life: Callable[..., None], *args: object, daemon: bool = False):
        context = multiprocessing.get_context("spawn")  # a forked renderer or engine hangs
        self.connection, there = context.Pipe()
        self._process = context.Process(target=_live, args=(there, life, args), daemon=daemon)
        try:
            with without_interrupts():
                self._process.start()
        except BaseException:  # it may run already, and nobody else would know of it
            if self._process.pid is not None:
                self.end()
            raise
        finally:
            there.close()  # so that the end of the process is the end of the pipe

    @property
    def pid(self) -> int | None:
        """Of the process, which leads the group of what it has started."""
        return self._process.pid

    @property
    def sentinel(self) -> int:
        """Ready, for ``multiprocessing.connection.wait``, when the process has ended."""
        return self._process.sentinel

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    @property
    def death(self) -> str:
        """How it ended, in words.

        Raises:
            OptionError: if it never began, for the program starts processes whenever it is read.
        """
        if self._process.exitcode == UNGUARDED:
            raise OptionError(UNGUARDED_WORDS)
        return ending(self._process.exitcode)

    def tell(self, message: object) -> None:
        """Sends a message; nothing happens if it has died, which its end of the pipe will show."""
        with suppress(OSError):
            self.connection.send(message)

    def join(self, timeout: float | None = None) -> None:
        """Waits for its end."""
        self._process.join(timeout)

    def end(self) -> None:
        """Ends it and what it has started, whatever they do."""
        end_group(self._process)
        self.connection.close()


def _live(connection: Connection, life: Callable[..., None], args: tuple[Any, ...]) -> None:
    die_with_parent()
    in_a_group_of_its_own()
    life(connection, *args)
