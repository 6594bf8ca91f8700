"""Drawing and writing shards, in this process or in others, and putting them into place in their order."""

import bisect
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.disk.files import writing
from bomb.exports.folder import ExportFolder
from bomb.exports.formats import writer_class
from bomb.exports.frames import drawn_frames, make_renderer
from bomb.exports.plan import EpisodePlan, ExportPlan
from bomb.exports.settings import ExportSettings
from bomb.exports.writer import Drawn, ShardReport, Writer
from bomb.processes.workers import Workers
from core.errors import BombError

DEATHS = 3  # of the processes that write one shard


class ShardJob(NamedTuple):
    """Episodes to write, which may become several shards, and the folder for the files of the first."""

    part: Path
    episodes: Sequence[EpisodePlan]

    @property
    def first(self) -> int:
        """Index of the first episode in the export."""
        return self.episodes[0].index


class ShardMaker:
    """Draws and writes shards, in this process or in another; opens the renderer when it first needs it.

    Args:
        dataset: what is exported.
        settings: how.
        patience: seconds after which a shard ends with the episode that is being drawn.
        report: called with the frames of each episode that is drawn.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: ExportSettings,
        patience: float,
        report: Callable[[int], object] | None = None,
    ):
        self._dataset, self._settings, self._report = dataset, settings, report
        self._patience = patience
        self._writer: Writer = writer_class(settings.format)(settings, dataset.settings)
        self._renderer: Renderer | None = None

    def __call__(self, job: ShardJob) -> ShardReport:
        """Writes a shard: the first episodes of the job, as many as there is patience for.

        Raises:
            FileError: naming a file that cannot be read or written.
        """
        shutil.rmtree(job.part, ignore_errors=True)  # of a process that died
        renderer = self._renderer
        if renderer is None:
            renderer = self._renderer = make_renderer(self._dataset.settings, self._settings)
        with writing(job.part):
            job.part.mkdir(parents=True)
            return self._writer.write_shard(job.part, self._drawn(renderer, job.episodes))

    def _drawn(self, renderer: Renderer, episodes: Sequence[EpisodePlan]) -> Iterable[Drawn]:
        begin = time.monotonic()
        for k, plan in enumerate(episodes):
            if k and time.monotonic() - begin > self._patience:
                return  # what there is becomes a shard: an interruption costs no more than this long
            demonstration = self._dataset.load(plan.seed)
            yield plan, drawn_frames(renderer, demonstration, plan, self._settings)
            if self._report is not None:
                self._report(plan.length)

    def close(self) -> None:
        """Frees the renderer."""
        if self._renderer is not None:
            self._renderer.close()


def write_shards(
    folder: ExportFolder,
    plan: ExportPlan,
    dataset: Dataset,
    settings: ExportSettings,
    workers: int,
    patience: float,
    report: Callable[[int], object],
) -> None:
    """Writes what is missing.

    Args:
        folder: of the export.
        plan: of the whole export.
        dataset: what is exported.
        settings: how.
        workers: processes that draw.
        patience: seconds of drawing after which a shard ends.
        report: called with the frames of each episode that is drawn here, or of each shard that another
            process wrote.

    Raises:
        FileError: naming a file that cannot be read or written.
        BombError: if the processes that write a shard die again and again.
    """
    if workers == 1 and not writer_class(settings.format).draws_apart:
        return _write_here(folder, plan, dataset, settings, patience, report)
    jobs = list(_planned(folder, plan, settings))
    with closing(_Processes(dataset, settings, workers, patience)) as makers:
        ready: dict[int, tuple[ShardJob, ShardReport]] = {}
        while folder.episodes < len(plan.episodes):
            while folder.episodes not in ready:
                # A slow first shard must not let the others fill the disk: those that wait to be put into
                # place count. What everybody waits for is begun in any case.
                while jobs and (
                    jobs[0].first == folder.episodes
                    or (makers.free and makers.busy + len(ready) < 2 * workers)
                ):
                    makers.submit(jobs.pop(0))
                for job, shard in makers.made():
                    ready[job.first] = job, shard
                    if rest := job.episodes[shard.episodes :]:  # it ran out of patience
                        bisect.insort(
                            jobs, ShardJob(folder.parts(rest[0].index), rest), key=lambda job: job.first
                        )
            job, shard = ready.pop(folder.episodes)
            folder.commit(plan, job.part, shard)
            report(sum(episode.length for episode in job.episodes[: shard.episodes]))


def _write_here(
    folder: ExportFolder,
    plan: ExportPlan,
    dataset: Dataset,
    settings: ExportSettings,
    patience: float,
    report: Callable[[int], object],
) -> None:
    """One shard after another in this process; each may end early, so the next is planned as it begins."""
    with closing(ShardMaker(dataset, settings, patience, report)) as maker:
        while folder.episodes < len(plan.episodes):
            job = next(_planned(folder, plan, settings))
            folder.commit(plan, job.part, maker(job))


def _planned(folder: ExportFolder, plan: ExportPlan, settings: ExportSettings) -> Iterator[ShardJob]:
    """What is missing."""
    ranges = plan.shards([shard.episodes for shard in folder.shards], settings.shard_frames)
    for episodes in ranges[len(folder.shards) :]:
        yield ShardJob(folder.parts(episodes.start), plan.episodes[episodes.start : episodes.stop])


class _Processes(Workers):
    """Makes shards in processes of their own; one whose process dies is made again, some times."""

    def __init__(self, dataset: Dataset, settings: ExportSettings, count: int, patience: float):
        super().__init__(partial(ShardMaker, dataset, settings, patience), count)
        self._deaths: Counter[int] = Counter()

    def made(self) -> list[tuple[ShardJob, ShardReport]]:
        """Waits until at least one job is over; the shards that were written."""
        made: list[tuple[ShardJob, ShardReport]] = []
        for answer in self.wait():
            if answer.death is None:
                made.append((answer.job, answer.result))
                continue
            self._deaths[answer.job.first] += answer.begun
            if self._deaths[answer.job.first] >= DEATHS:
                raise BombError(
                    f"the process that wrote episode {answer.job.first} and the next {answer.death}, "
                    f"{DEATHS} times"
                )
            self.submit(answer.job)
        return made
