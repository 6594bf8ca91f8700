"""Workers on this machine: spawned processes, each at the end of a pipe."""

import time
from ctypes import Array
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.sharedctypes import RawArray
from typing import Any

from bomb.evaluation.executors.base import Executor
from bomb.evaluation.jobs import EpisodeJob, JobOutcome, Setup, failed
from bomb.evaluation.workers.worker import SLOTS, STEP, UNTIL, work
from bomb.machine.provenance import cores
from bomb.processes.child import Child
from core.errors import LifecycleError

GLANCE_S = 0.5  # how often time limits are looked at


@dataclass(kw_only=True, eq=False)
class _Worker:
    """A process, what it tells, and what it plays."""

    child: Child
    shared: Array[Any]
    job: EpisodeJob | None = None
    since: float = 0.0

    @property
    def playing(self) -> EpisodeJob:
        """What it plays."""
        if self.job is None:
            raise LifecycleError("the worker plays no episode")
        return self.job


class LocalExecutor(Executor):
    """Spawned processes, for neither engine survives a fork.

    A worker that dies, hangs in the policy or takes too long over an episode is replaced; its job has an
    error for an outcome.
    """

    def __init__(self, workers: int):
        self._setup: Setup  # since ``begin``
        self.threads = max(1, cores() // workers)
        self._workers = [self._start() for _ in range(workers)]

    def begin(self, setup: Setup) -> None:
        self._setup = setup
        for worker in self._workers:
            worker.child.tell(setup)

    def idle(self) -> list[int]:
        return [k for k, worker in enumerate(self._workers) if worker.job is None]

    def submit(self, worker: int, job: EpisodeJob) -> None:
        chosen = self._workers[worker]
        if not chosen.child.alive:
            self._replace(worker)
            chosen = self._workers[worker]
        chosen.job, chosen.since = job, time.monotonic()
        chosen.child.tell(job)

    def wait(self, timeout: float) -> list[JobOutcome]:
        busy = [worker for worker in self._workers if worker.job is not None]
        wait(
            [end for worker in busy for end in (worker.child.connection, worker.child.sentinel)],
            timeout=min(timeout, GLANCE_S),
        )
        outcomes = (self._look(k) for k, worker in enumerate(self._workers) if worker.job is not None)
        return [outcome for outcome in outcomes if outcome is not None]

    def close(self) -> None:
        for worker in self._workers:
            worker.child.end()
        self._workers = []

    def _look(self, k: int) -> JobOutcome | None:
        """What became of the job of a worker, if anything did."""
        worker = self._workers[k]
        try:
            if worker.child.connection.poll():
                outcome = worker.child.connection.recv()
                if not isinstance(outcome, JobOutcome) or outcome.job != worker.job:
                    value = "an answer to another job"
                    return self._give_up(k, "policy", f"the policy's process sent {value}", value)
                worker.job = None
                return outcome
        except (EOFError, OSError):
            worker.child.join(GLANCE_S)  # it is ending
        except Exception as error:  # bytes of somebody else in the pipe
            value = f"what is not an answer ({type(error).__name__})"
            return self._give_up(k, "policy", f"the policy's process sent {value}", value)
        step = int(worker.shared[STEP])
        if not worker.child.alive:
            how = worker.child.death
            return self._give_up(k, "worker", f"the worker {how} at step {step}", how)
        late, now, limits = worker.shared[UNTIL], time.monotonic(), self._setup.execution
        if 0 < late < now:
            value = f"no answer in {limits.policy_timeout:g} s"
            return self._give_up(k, "timeout", f"the policy gave {value} at step {step}", value)
        if now - worker.since > limits.episode_timeout:
            value = f"not over in {limits.episode_timeout:g} s"
            return self._give_up(k, "timeout", f"the episode was {value}, at step {step}", value)
        return None

    def _give_up(self, k: int, kind: str, message: str, value: str) -> JobOutcome:
        worker = self._workers[k]
        job, step = worker.playing, int(worker.shared[STEP])
        self._replace(k)
        return failed(job, kind, message, step=step, value=value)

    def _replace(self, k: int) -> None:
        self._workers[k].child.end()
        self._workers[k] = self._start()
        self._workers[k].child.tell(self._setup)

    def _start(self) -> _Worker:
        shared = RawArray("d", SLOTS)
        # No daemon: a policy may start processes of its own.
        return _Worker(child=Child(work, shared), shared=shared)
