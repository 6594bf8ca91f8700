"""Collecting a dataset: so many successful episodes of the expert, over worker processes."""

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bomb.collecting.folder import create_dataset
from bomb.collecting.outcome import Collected, SeedOutcome
from bomb.collecting.recording import Recorder, record_episode
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.settings import CollectionSettings
from bomb.disk.files import write_bytes
from bomb.disk.text import kept, message_of
from bomb.policies.making import make_policy
from bomb.processes.workers import Workers
from core.environment import Environment
from core.errors import BombError, check_integer
from core.make import make_environment
from core.perturbations.heldout import goal_set

DEATHS = 3  # of the processes that play one seed, before it counts as an error
# An expert that fails as often as this cannot do the task at all, and would be asked forever.
LEAST_TRIED, LEAST_SHARE = 40, 0.1


def collect(
    settings: CollectionSettings,
    episodes: int,
    out: Path,
    *,
    workers: int = 1,
    report: Callable[[SeedOutcome], None] | None = None,
) -> Collected:
    """Plays seeds upwards until ``episodes`` of them have succeeded; resumes where an earlier call stopped.

    Which seeds the dataset has depends on the settings alone: the lowest that succeed. No more are begun
    than are still needed, so a seed that is being played can never turn out to be one too many. Ctrl-C ends
    it with what is finished.

    Args:
        settings: what to collect.
        episodes: how many demonstrations the dataset is to have.
        out: its folder; an existing one is resumed.
        workers: processes that play.
        report: called with every outcome, those of earlier calls included.

    Raises:
        OptionError: for settings that are not allowed, or other than those of the folder.
        FileError: if the folder holds something else, an episode in it is damaged, or cannot be written.
        BombError: if hardly any episode succeeds.
    """
    episodes = check_integer("episodes", episodes, least=1)
    workers = check_integer("workers", workers, least=1)
    settings.check_backends()  # first: what cannot be played must not leave a folder behind
    start, result = time.perf_counter(), Collected()
    with create_dataset(out, {**settings.to_dict(), "episodes": episodes}) as dataset:
        run = _Run(settings, episodes, dataset, result, report or (lambda outcome: None))
        pool = Workers(partial(SeedPlayer, settings, dataset.path), workers)
        try:
            run.through(pool)
        except KeyboardInterrupt:
            pass
        finally:
            pool.close()
            result.wall_s = time.perf_counter() - start
    return result


class _Run:
    """One call of ``collect``: gives out seeds in their order, and counts."""

    def __init__(
        self,
        settings: CollectionSettings,
        episodes: int,
        dataset: Dataset,
        result: Collected,
        report: Callable[[SeedOutcome], None],
    ):
        self._episodes, self._dataset, self._result, self._report = episodes, dataset, result, report
        self._next, self._tried = settings.seed, 0
        self._kept, self._failed = set(dataset.seeds()), set(dataset.failures())
        self._deaths: Counter[int] = Counter()
        self._again: list[int] = []

    def through(self, pool: Workers) -> None:
        """Until all that was asked for is there."""
        while self._result.kept < self._episodes:
            while pool.free and self._result.kept + pool.busy < self._episodes:
                seed = self._take()
                if seed is not None:
                    pool.submit(seed)
            for answer in pool.wait() if pool.busy else ():
                if answer.death is None:
                    self._count(answer.result)
                elif answer.begun:
                    self._bury(answer.job, answer.death)
                else:
                    self._again.append(answer.job)
        self._result.complete = True

    def _take(self) -> int | None:
        """The next seed to play; None if the next one has been played by an earlier call."""
        if self._again:
            return self._again.pop()
        seed, self._next = self._next, self._next + 1
        if seed in self._kept:
            demonstration = self._dataset.load(seed)  # refuses a damaged one
            self._count(SeedOutcome(seed=seed, kind="kept", steps=demonstration.length, played=False))
        elif seed in self._failed:
            about = self._dataset.load_failure(seed).about
            reason = about["verdict"]["reason"]
            self._count(SeedOutcome(seed=seed, kind="failed", reason=reason, played=False))
        else:
            return seed
        return None

    def _count(self, outcome: SeedOutcome) -> None:
        result, kind = self._result, outcome.kind
        if kind == "held_out":
            result.left_out += 1
        else:
            self._tried += 1
            result.played += outcome.played
            result.steps += outcome.steps * outcome.played
        if kind == "kept":
            result.kept += 1
        elif kind == "failed":
            result.failures[str(outcome.reason)] += 1
        elif kind == "error":
            result.errors[outcome.seed] = str(outcome.reason)
        self._report(outcome)
        if self._tried >= LEAST_TRIED and result.kept < LEAST_SHARE * self._tried:
            reasons = [*result.failures, *sorted(set(result.errors.values()))[:3]]
            raise BombError(
                f"only {result.kept} of {self._tried} episodes succeeded: the expert cannot do this task "
                f"under these perturbations ({', '.join(reasons)})"
            )

    def _bury(self, seed: int, death: str) -> None:
        """A process died in an episode: it is played again by a new one, some times."""
        self._deaths[seed] += 1
        if self._deaths[seed] < DEATHS:
            self._again.append(seed)
            return
        message = f"the process that played it {death}, {DEATHS} times"
        write_bytes(self._dataset.error_file(seed), kept(message).encode())
        self._count(SeedOutcome(seed=seed, kind="error", reason=message))


class _HeldOutGoal(Exception):
    """A move asks for what is not trained on."""


class _TrainingRecorder(Recorder):
    """Stops an episode as soon as it asks for a goal that is held out."""

    def __call__(self, env: Environment, info: dict[str, Any]) -> None:
        if not self.moves or env.move is not self.moves[-1]:
            asked = (env.move,) if self.moves else env.episode.moves
            if any(goal_set(move.goal) != "seen" for move in asked):
                raise _HeldOutGoal
        super().__call__(env, info)


class SeedPlayer:
    """Plays seeds in a worker process and writes what came of them.

    Args:
        settings: what to collect.
        path: folder of the dataset.
    """

    def __init__(self, settings: CollectionSettings, path: Path):
        self._settings, self._dataset = settings, Dataset(path)
        self._policy = make_policy(settings.policy)
        self._envs: dict[str, Environment] = {}

    def __call__(self, seed: int) -> SeedOutcome:
        """Plays one seed.

        Raises:
            FileError: if the episode cannot be written.
        """
        recorder = _TrainingRecorder() if "intersections" in self._settings.held_out else Recorder()
        error_file = self._dataset.error_file(seed)
        env = self._environment(seed)
        try:
            made = record_episode(env, self._policy, seed, recorder, tail=self._settings.tail or None)
        except _HeldOutGoal:
            return SeedOutcome(seed=seed, kind="held_out")
        except Exception as error:
            write_bytes(error_file, kept(traceback.format_exc()).encode())
            self._envs.pop(env.backend_name).close()  # it may have stopped in the middle of anything
            return SeedOutcome(
                seed=seed, kind="error", reason=kept(f"{type(error).__name__}: {message_of(error)}")
            )
        verdict = made.about["verdict"]
        write_bytes(self._dataset.episode_file(seed, kept=verdict["success"]), made.to_bytes())
        error_file.unlink(missing_ok=True)
        outcome = SeedOutcome(seed=seed, kind="kept", steps=made.length)
        return outcome if verdict["success"] else replace(outcome, kind="failed", reason=verdict["reason"])

    def _environment(self, seed: int) -> Environment:
        name = self._settings.backend_of(seed)
        if name not in self._envs:
            self._envs[name] = make_environment(self._settings.environment(name))
        return self._envs[name]
