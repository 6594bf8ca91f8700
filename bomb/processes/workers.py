"""Spawned processes that work off jobs; one may die without taking others along."""

import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, TypeVar

from bomb.disk.files import WriteError
from bomb.processes.child import Child, ready
from bomb.processes.main_program import check_main_program
from core.errors import BombError, check_integer
from core.registry import register_again, registrations

Work = Callable[[Any], Any]  # of a job, as the function that makes it knows them
Job = TypeVar("Job")
_END = object()  # in place of a job: no more will come
DEPTH = 2  # jobs that a process has at a time: one is worked on, the next waits, so that nobody waits for us


@dataclass(frozen=True, kw_only=True, eq=False)
class FinishedJob:
    """What became of a job.

    Attributes:
        job: as it was submitted.
        result: what the work returned; None if the process died.
        death: how the process ended, in words; None if it lives.
        begun: whether the process may have been at this job when it died.
    """

    job: Any
    result: Any = None
    death: str | None = None
    begun: bool = True


@dataclass(kw_only=True, eq=False)
class _Worker:
    """A process, and the jobs that it has, oldest first."""

    child: Child
    jobs: deque[Any]


class Workers:
    """A fixed number of processes.

    Args:
        make: called once in each process, returns what is called with every job. Must pickle.
        count: how many processes.

    Raises:
        OptionError: if ``count`` is no positive integer, or processes cannot read this program.
    """

    def __init__(self, make: Callable[[], Work], count: int):
        check_main_program()
        self._make, self._count = make, check_integer("workers", count, least=1)
        self._workers: list[_Worker] = []

    @property
    def busy(self) -> int:
        """How many jobs have been submitted and are not over."""
        return sum(len(worker.jobs) for worker in self._workers)

    @property
    def free(self) -> bool:
        """Whether ``submit`` may be called."""
        return self.busy < self._count * DEPTH

    def submit(self, job: object) -> None:
        """Gives a job to the process with the fewest, a new one if all have some and there is room."""
        worker = min(self._workers, key=lambda worker: len(worker.jobs), default=None)
        if worker is None or (worker.jobs and len(self._workers) < self._count):
            worker = self._start()
        worker.child.tell(job)  # if it died meanwhile, `wait` will say so
        worker.jobs.append(job)

    def wait(self) -> list[FinishedJob]:
        """Waits until at least one job is over.

        Raises:
            BombError: if the work could not begin or raised; it is expected to answer for its own errors.
        """
        answers = []
        at_work = {worker.child.connection: worker for worker in self._workers if worker.jobs}
        for connection in ready(at_work):
            worker = at_work[connection]
            try:
                kind, result = connection.recv()
            except (EOFError, ConnectionResetError):
                answers += self._bury(worker)
                continue
            if kind == "unwritable":
                raise WriteError(result)
            if kind == "raised":
                raise BombError(result)
            answers.append(FinishedJob(job=worker.jobs.popleft(), result=result))
        return answers

    def close(self) -> None:
        """Ends all processes, whatever they do."""
        for worker in self._workers:
            worker.child.end()
        self._workers = []

    def _bury(self, worker: _Worker) -> list[FinishedJob]:
        worker.child.join()
        worker.child.end()
        self._workers.remove(worker)
        death = worker.child.death
        return [FinishedJob(job=job, death=death, begun=k == 0) for k, job in enumerate(worker.jobs)]

    def _start(self) -> _Worker:
        child = Child(_serve, self._make, registrations(), daemon=True)
        self._workers.append(_Worker(child=child, jobs=deque()))
        return self._workers[-1]


def work_off(
    make: Callable[[], Work],
    jobs: Iterable[Job],
    count: int,
    *,
    done: Callable[[Job, Any], None],
    name: Callable[[Job], str],
) -> None:
    """Has every job done.

    Args:
        make: as ``Workers`` takes it.
        jobs: in the order in which they are begun.
        count: how many processes.
        done: called with each job and its result, as they are over.
        name: what a job is, for messages.

    Raises:
        BombError: if a process dies, or as ``Workers.wait``.
    """
    waiting = deque(jobs)
    pool = Workers(make, count)
    try:
        while waiting or pool.busy:
            while waiting and pool.free:
                pool.submit(waiting.popleft())
            for answer in pool.wait():
                if answer.death is not None:
                    raise BombError(f"the process of {name(answer.job)} {answer.death}")
                done(answer.job, answer.result)
    finally:
        pool.close()


def _receive(connection: Connection, waiting: SimpleQueue[object]) -> None:
    """Takes what comes until the other end is gone."""
    try:
        while True:
            waiting.put(connection.recv())
    except (EOFError, OSError):
        waiting.put(_END)


def _serve(connection: Connection, make: Callable[[], Work], registered: dict[str, Any]) -> None:
    """The life of a process."""
    try:
        register_again(registered)
        work = make()
        waiting: SimpleQueue[object] = SimpleQueue()
        # Jobs are taken off the pipe at once: two that send to each other more than a pipe holds would wait
        # for each other for ever.
        threading.Thread(target=_receive, args=(connection, waiting), daemon=True).start()
        while (job := waiting.get()) is not _END:
            connection.send(("done", work(job)))
    except BombError as error:
        connection.send(("unwritable" if isinstance(error, WriteError) else "raised", str(error)))
    except Exception:  # nothing is lost: `Workers.wait` raises it again where the jobs came from
        connection.send(("raised", f"a worker failed:\n{traceback.format_exc()}"))
