"""Spawned processes that work off jobs, one at a time each; one may die without taking others along."""

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from core.errors import BombError

Work = Callable[[object], object]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What became of a job.

    Attributes:
        job: as it was submitted.
        result: what the work returned; None if the process died.
        death: how the process died, None if it lives.
    """

    job: object
    result: object = None
    death: str | None = None


class Workers:
    """A fixed number of processes.

    Args:
        make: called once in each process, returns what is called with every job. Must pickle.
        count: how many processes.
    """

    def __init__(self, make: Callable[[], Work], count: int):
        self._make, self._count = make, count
        self._context = multiprocessing.get_context("spawn")  # a forked renderer or engine hangs
        self._idle: list[tuple[BaseProcess, Connection]] = []
        self._busy: dict[Connection, tuple[BaseProcess, object]] = {}

    @property
    def busy(self) -> int:
        """How many jobs are being worked on."""
        return len(self._busy)

    @property
    def free(self) -> bool:
        """Whether ``submit`` may be called."""
        return self.busy < self._count

    def submit(self, job: object) -> None:
        """Gives a job to an idle process, or to a new one."""
        process, connection = self._idle.pop() if self._idle else self._start()
        with contextlib.suppress(BrokenPipeError):  # it died while it was idle: `wait` will say so
            connection.send(job)
        self._busy[connection] = process, job

    def wait(self) -> list[Answer]:
        """Waits until at least one job is over.

        Raises:
            BombError: if the work could not begin or raised; it is expected to answer for its own errors.
        """
        answers = []
        for connection in wait(list(self._busy)):
            process, job = self._busy.pop(connection)
            try:
                kind, result = connection.recv()
            except (EOFError, ConnectionResetError):
                process.join()
                connection.close()
                answers.append(Answer(job=job, death=_death(process.exitcode)))
                continue
            self._idle.append((process, connection))
            if kind == "raised":
                raise BombError(result)
            answers.append(Answer(job=job, result=result))
        return answers

    def close(self) -> None:
        """Ends all processes, whatever they do."""
        everyone = [*self._idle, *((process, connection) for connection, (process, _) in self._busy.items())]
        for process, _ in everyone:
            process.terminate()
        for process, connection in everyone:
            process.join()
            connection.close()
        self._idle, self._busy = [], {}

    def _start(self) -> tuple[BaseProcess, Connection]:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(there, self._make), daemon=True)
        process.start()
        there.close()  # so that the end of the process is the end of the pipe
        return process, here


def _serve(connection: Connection, make: Callable[[], Work]) -> None:
    """The life of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        work = make()
        while True:
            job = connection.recv()
            connection.send(("done", work(job)))
    except EOFError:
        pass
    except BombError as error:
        connection.send(("raised", str(error)))
    except Exception:
        connection.send(("raised", f"a worker failed:\n{traceback.format_exc()}"))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    return f"exited with status {code}"
