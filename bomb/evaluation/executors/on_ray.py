"""Workers on a Ray cluster: one actor per worker, each with a process of its own as on this machine."""

from contextlib import suppress

from bomb.evaluation.executors.base import Executor
from bomb.evaluation.executors.local import LocalExecutor
from bomb.evaluation.jobs import EpisodeJob, JobOutcome, Setup, failed
from core.errors import missing_extra

CLOSING_S = 10.0  # for actors to end their workers


class Seat:
    """The actor: a ``LocalExecutor`` with one worker, so that deaths and time limits are handled alike."""

    def __init__(self) -> None:
        self._executor = LocalExecutor(1)

    def begin(self, setup: Setup) -> None:
        """As ``Executor.begin``."""
        self._executor.begin(setup)

    def play(self, job: EpisodeJob) -> JobOutcome:
        """Plays one job to its end."""
        self._executor.submit(0, job)
        while True:
            outcomes = self._executor.wait(1.0)
            if outcomes:
                return outcomes[0]

    def close(self) -> None:
        """Ends the worker."""
        self._executor.close()


class RayExecutor(Executor):
    """Workers wherever the cluster has a core for them; BOMB must be installed on every node.

    An actor whose node is lost is started again elsewhere; its job has an error for an outcome.

    Args:
        workers: how many actors; None: one a core of the cluster.
        most: no more than this.
        address: of a running cluster; None: ``RAY_ADDRESS``, else one is begun on this machine.

    Raises:
        BombError: if Ray is not installed.
    """

    def __init__(self, workers: int | None, most: int, address: str | None = None):
        try:
            import ray
        except ImportError as error:
            raise missing_extra("evaluation on a Ray cluster", "ray") from error
        self._ray = ray
        self._began = not ray.is_initialized()
        if self._began:
            ray.init(address=address, log_to_driver=False, include_dashboard=False)
        self.host = ray.util.get_node_ip_address()
        # Ray would hide the cores of an actor from the libraries in it; workers see to that themselves.
        self._seat = ray.remote(num_cpus=1, max_restarts=0)(Seat)
        self._setup: Setup | None = None
        workers = workers or int(ray.cluster_resources().get("CPU", 1))
        self._seats = [self._seat.remote() for _ in range(min(workers, most))]
        self._coming: dict[int, object] = {}  # seats that are being told what is played
        self._jobs: dict[int, tuple[object, EpisodeJob]] = {}

    def begin(self, setup: Setup) -> None:
        self._setup = self._ray.put(setup)
        for k in range(len(self._seats)):
            self._coming[k] = self._seats[k].begin.remote(self._setup)

    def idle(self) -> list[int]:
        for k in self._over(self._coming, 0.0):
            try:
                self._ray.get(self._coming.pop(k))
            except self._ray.exceptions.RayError:
                self._replace(k)
        return [k for k in range(len(self._seats)) if k not in self._jobs and k not in self._coming]

    def submit(self, worker: int, job: EpisodeJob) -> None:
        self._jobs[worker] = self._seats[worker].play.remote(job), job

    def wait(self, timeout: float) -> list[JobOutcome]:
        if not self._jobs:
            self._over(self._coming, timeout)  # nobody plays: a seat that is ready is what can be waited for
            return []
        references = {worker: reference for worker, (reference, _) in self._jobs.items()}
        return [self._take(worker) for worker in self._over(references, timeout)]

    def close(self) -> None:
        ending = [seat.close.remote() for k, seat in enumerate(self._seats) if k not in self._jobs]
        with suppress(Exception):  # they are killed all the same
            self._ray.wait(ending, num_returns=len(ending), timeout=CLOSING_S)
        for seat in self._seats:
            self._ray.kill(seat)
        self._seats = []
        if self._began:
            self._ray.shutdown()

    def _over(self, references: dict[int, object], timeout: float) -> list[int]:
        """Seats whose reference has a value."""
        if not references:
            return []
        seats = {reference: k for k, reference in references.items()}
        ready, _ = self._ray.wait(list(seats), num_returns=1, timeout=timeout)
        ready, _ = self._ray.wait(list(seats), num_returns=len(seats), timeout=0) if ready else (ready, ())
        return [seats[reference] for reference in ready]

    def _take(self, worker: int) -> JobOutcome:
        reference, job = self._jobs.pop(worker)
        try:
            outcome: JobOutcome = self._ray.get(reference)
            return outcome
        except self._ray.exceptions.RayError as error:
            self._replace(worker)
            return failed(job, "worker", f"the worker's node or actor was lost: {type(error).__name__}")

    def _replace(self, k: int) -> None:
        """Another actor, wherever there is room for one; until there is, the others go on."""
        with suppress(Exception):
            self._ray.kill(self._seats[k])
        self._seats[k] = self._seat.remote()
        self._coming[k] = self._seats[k].begin.remote(self._setup)
