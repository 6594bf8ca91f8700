"""Playing a dataset's actions again: in the engine that made it, and in others."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import core
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.settings import environment_of
from bomb.processes.workers import work_off
from bomb.rollouts.rollout import replay
from bomb.statistics import Estimate, rate
from core.environment import Environment
from core.errors import BombError
from core.registry import BACKENDS

LEAST = 0.99  # of the episodes must succeed again in the engine that made them


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One demonstration, played again.

    Attributes:
        seed: of the episode.
        made_in, played_in: registered names of engines.
        success: whether it succeeded again.
        exact: whether the world ended in the very state that was recorded, to the last bit.
        reason: why not, if it did not succeed.
    """

    seed: int
    made_in: str
    played_in: str
    success: bool
    exact: bool
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class ReplayRow:
    """All demonstrations that one engine made, played in one engine.

    Attributes:
        made_in, played_in: registered names.
        success: share that succeeded.
        exact: how many ended in the very state that was recorded.
        reasons: why others did not succeed, reason to count.
        failed: their seeds.
    """

    made_in: str
    played_in: str
    success: Estimate
    exact: int
    reasons: dict[str, int]
    failed: list[int]

    @property
    def required(self) -> bool:
        """Whether ``LEAST`` is asked of it: of an engine that plays what it made."""
        return self.made_in == self.played_in

    @property
    def passed(self) -> bool:
        """Whether it is as good as is asked of it."""
        return not self.required or (self.success.value is not None and self.success.value >= LEAST)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "made_in": self.made_in,
            "played_in": self.played_in,
            "n": self.success.n,
            "success_rate": self.success.value,
            "interval": self.success.interval,
            "exact": self.exact,
            "reasons": self.reasons,
            "failed": self.failed,
            "required": LEAST if self.required else None,
            "passed": self.passed,
        }


def replay_dataset(
    dataset: Dataset,
    backends: tuple[str, ...] = (),
    *,
    workers: int = 1,
    report: Callable[[Replayed], None] | None = None,
) -> list[ReplayRow]:
    """Plays every demonstration's actions in the engine that made it and in ``backends``.

    Args:
        dataset: an existing one.
        backends: registered names of engines to play in besides.
        workers: processes that play.
        report: called with each episode that was played.

    Raises:
        UnknownNameError: for an unknown engine, before anything is played.
        FileError: naming an episode that cannot be read.
        BombError: if the dataset is empty, or an episode cannot be played.
    """
    for name in backends:
        BACKENDS.target(name)
    jobs = _jobs(dataset, backends)
    if not jobs:
        raise BombError(f"{dataset.path} has no demonstrations")
    done: list[Replayed] = []

    def played(job: tuple[int, str], one: Replayed) -> None:
        done.append(one)
        if report is not None:
            report(one)

    make = partial(Replayer, dataset.path)
    work_off(make, jobs, workers, done=played, name=lambda job: f"seed {job[0]} in {job[1]}")
    pairs = sorted({(one.made_in, one.played_in) for one in done}, key=lambda pair: (pair[0], pair[::-1]))
    return [_row(made, played, done) for made, played in pairs]


def count_replays(dataset: Dataset, backends: tuple[str, ...]) -> int:
    """How many episodes ``replay_dataset`` plays."""
    return len(_jobs(dataset, backends))


def _jobs(dataset: Dataset, backends: tuple[str, ...]) -> list[tuple[int, str]]:
    """(seed, engine) of every episode to play."""
    made_in, jobs = dataset.settings["backends"], []
    for seed in dataset.seeds():
        own = made_in[seed % len(made_in)]
        jobs += [(seed, name) for name in dict.fromkeys((own, *backends))]
    return jobs


def _row(made_in: str, played_in: str, done: list[Replayed]) -> ReplayRow:
    ours = sorted(
        (one for one in done if (one.made_in, one.played_in) == (made_in, played_in)),
        key=lambda one: one.seed,
    )
    return ReplayRow(
        made_in=made_in,
        played_in=played_in,
        success=rate([one.success for one in ours]),
        exact=sum(one.exact for one in ours),
        reasons=dict(Counter(str(one.reason) for one in ours if not one.success).most_common()),
        failed=[one.seed for one in ours if not one.success],
    )


class Replayer:
    """Plays demonstrations in a worker process.

    Args:
        path: folder of the dataset.
    """

    def __init__(self, path: Path):
        self._dataset = Dataset.open(path)
        self._envs: dict[str, Environment] = {}

    def __call__(self, job: tuple[int, str]) -> Replayed:
        """Plays the actions of one (seed, engine).

        Raises:
            FileError: if the episode cannot be read.
        """
        seed, backend = job
        demonstration = self._dataset.load(seed)
        env = self._environment(backend)
        info = replay(env, seed, demonstration.actions).info
        return Replayed(
            seed=seed,
            made_in=demonstration.about["backend"],
            played_in=backend,
            success=info["success"],
            exact=env.scene_state == demonstration.world(demonstration.length),
            reason=info["placement"]["reason"],
        )

    def _environment(self, backend: str) -> Environment:
        if backend not in self._envs:
            settings = environment_of(self._dataset.settings, backend=backend)
            self._envs[backend] = core.make_environment(settings)
        return self._envs[backend]
