"""What a measurement of the parity table is, and how its episodes are spread over processes.

A study splits into jobs, one per seed, each of which depends on the plan and the seed alone. So the
result is the same with any number of worker processes and in any order.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from bomb.parity.table import Row
from bomb.processes.workers import work_off
from core.errors import RenderError

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """How much is measured, and on what.

    Attributes:
        episodes: size of the large rows; the others scale with it.
        seed: the first seed; the rest count up.
        split: family of seeds.
        backends: the two simulators that are compared.
        out: where pictures go; None keeps none.
        perturbations: ``knob:level`` or a preset under which pictures are compared; None is the clean world.
    """

    episodes: int = 1000
    seed: int = 0
    split: str = "parity"
    backends: tuple[str, str] = ("mujoco", "robotwin")
    out: Path | None = None
    perturbations: str | None = None

    def share(self, part: int, least: int = 1) -> int:
        """The size of a row that has ``part`` episodes at the full size of 1,000."""
        return max(least, round(self.episodes * part / 1000))


class Study(ABC, Generic[Result]):
    """One measurement, which fills one or more rows; ``Result`` is what one of its jobs finds.

    Attributes:
        name: shown beside the progress bar.
        keys: of the rows it fills, in the order of the table.
    """

    name: str
    keys: tuple[str, ...]

    @abstractmethod
    def jobs(self, plan: StudyPlan) -> list[int]:
        """The seeds to play."""

    @abstractmethod
    def run(self, plan: StudyPlan, seed: int) -> Result:
        """Plays one job in this process. The result can be pickled and depends on the arguments alone."""

    @abstractmethod
    def rows(self, plan: StudyPlan, results: list[Result]) -> list[Row]:
        """The rows, from the results of the jobs that were finished, in the order of ``jobs``."""


def measure(
    study: Study[Any],
    plan: StudyPlan,
    results: dict[int, object],
    *,
    workers: int,
    report: Callable[[], None],
    keep: Callable[[int, object], None] = lambda seed, result: None,
) -> None:
    """Runs the jobs of ``study`` that are not in ``results`` (seed to result), and fills it as they finish.

    Args:
        study: what to measure; must be importable by workers.
        plan: how much of it.
        results: filled in place, so that an interrupted run leaves what was finished.
        workers: processes; 0 runs everything in this one.
        report: called once per finished job.
        keep: called with each seed and its result.

    Raises:
        RenderError: if the study draws, and no graphics driver works.
        BombError: if a worker dies.
    """
    jobs = [seed for seed in study.jobs(plan) if seed not in results]

    def done(seed: int, result: object) -> None:
        if isinstance(result, RenderError):
            raise result
        results[seed] = result
        keep(seed, result)
        report()

    if workers == 0 or not jobs:
        for seed in jobs:
            done(seed, study.run(plan, seed))
        return
    make = partial(_Runner, study, plan)
    work_off(make, jobs, min(workers, len(jobs)), done=done, name=lambda seed: f"{study.name}, seed {seed},")


class _Runner:
    """Plays jobs in a worker process."""

    def __init__(self, study: Study[Any], plan: StudyPlan):
        self._study, self._plan = study, plan

    def __call__(self, seed: int) -> object:
        try:
            return self._study.run(self._plan, seed)
        except RenderError as error:  # what it is is known to the caller: the others need no renderer
            return error
