"""Which worker plays what: so that environments are made rarely, and nothing is played twice."""

import time
from collections import Counter, deque
from collections.abc import Iterable

from bomb.evaluation.jobs import EpisodeJob
from bomb.evaluation.matrix import ConditionPlan
from core.seeding import shuffled

PAUSE_S = 1.0  # before the first retry; twice that before the second, and so on


class Schedule:
    """The jobs of a run that are not over yet.

    A worker stays with its condition, whose environment it has; a new one gets a condition that nobody plays,
    and where every one is being played helps with the longest. Within a condition seeds are
    played in a shuffled order, the same whenever the run is taken up again.

    Args:
        plans: the matrix.
        finished: (condition, seed) of episodes that are there already.
        retries: how often an episode is tried again.
        attempts: how often an episode was tried before, by (condition, seed).
    """

    def __init__(
        self,
        plans: Iterable[ConditionPlan],
        finished: set[tuple[str, int]],
        retries: int,
        attempts: Counter[tuple[str, int]] | None = None,
    ):
        before = attempts or Counter()
        self._retries = retries
        self._waiting: list[tuple[float, EpisodeJob]] = []
        self._at: dict[int, str] = {}
        self._begun: dict[tuple[str, int], int] = {}
        self._queues: dict[str, deque[EpisodeJob]] = {}
        self._playing = 0
        for plan in plans:
            key = plan.condition.key
            # Each condition in an order of its own: counting episodes does not tell a policy their seeds.
            order = shuffled(plan.seeds, f"order of {key}")
            places = [(key, seed) for seed in order if (key, seed) not in finished]
            self._begun |= {place: before[place] for place in places}
            self._queues[key] = deque(
                EpisodeJob(condition=key, seed=seed, attempt=before[key, seed] + 1) for _, seed in places
            )

    @property
    def left(self) -> int:
        """Episodes that are neither played nor given up."""
        return self._playing + len(self._waiting) + sum(map(len, self._queues.values()))

    def next(self, worker: int) -> EpisodeJob | None:
        """A job for a worker; None if there is nothing to do for it now."""
        self._wake()
        here = self._at.get(worker)
        if here is None or not self._queues[here]:
            here = self._choose(worker)
            if here is None:
                return None
            self._at[worker] = here
        self._playing += 1
        return self._queues[here].popleft()

    def played(self, job: EpisodeJob) -> None:
        """A job ended with an episode."""
        self._playing -= 1

    def failed(self, job: EpisodeJob) -> bool:
        """A job ended with an error; returns whether it will be tried again."""
        self._playing -= 1
        tries = job.attempt - self._begun[job.condition, job.seed]
        if tries > self._retries:
            return False
        # What is away, a server for example, may be back in a moment.
        due = time.monotonic() + PAUSE_S * 2 ** (tries - 1)
        again = EpisodeJob(condition=job.condition, seed=job.seed, attempt=job.attempt + 1)
        self._waiting.append((due, again))
        return True

    def _wake(self) -> None:
        now = time.monotonic()
        for entry in [entry for entry in self._waiting if entry[0] <= now]:
            self._waiting.remove(entry)
            self._queues[entry[1].condition].append(entry[1])

    def _choose(self, worker: int) -> str | None:
        others = Counter(key for other, key in self._at.items() if other != worker)
        open_ones = [key for key, queue in self._queues.items() if queue]
        if not open_ones:
            return None
        # min keeps the order of the matrix among equals.
        return min(open_ones, key=lambda key: (others[key], -len(self._queues[key]) if others[key] else 0))
