"""Who plays jobs: a number of workers, wherever they are."""

from abc import ABC, abstractmethod

from bomb.evaluation.jobs import EpisodeJob, JobOutcome, Setup


class Executor(ABC):
    """Workers with numbers from 0; each plays one job at a time and survives whatever a job does to it.

    Attributes:
        host: address at which workers reach this machine; None where they are on it.
        threads: how many threads the renderer of a worker may use, if it draws in software.
    """

    host: str | None = None
    threads: int = 1

    @abstractmethod
    def begin(self, setup: Setup) -> None:
        """Tells every worker what is played. Called once, before the first job."""

    @abstractmethod
    def idle(self) -> list[int]:
        """Workers that may be given a job."""

    @abstractmethod
    def submit(self, worker: int, job: EpisodeJob) -> None:
        """Gives an idle worker a job."""

    @abstractmethod
    def wait(self, timeout: float) -> list[JobOutcome]:
        """Outcomes of jobs that are over; waits for one, but no longer than ``timeout`` seconds.

        Every job that was submitted has one outcome in the end, also where its worker dies or takes too long.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends all workers at once, whatever they do. A second call does nothing."""

    def __enter__(self) -> "Executor":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
