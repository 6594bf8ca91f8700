"""Drawing and writing shards, in this process or in others, and putting them into place in their order."""

import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bomb.demonstrations.dataset import Dataset
from bomb.exports.folder import ExportFolder, writing
from bomb.exports.formats import writer_class
from bomb.exports.frames import drawn_frames, make_renderer
from bomb.exports.plan import EpisodePlan, ExportPlan
from bomb.exports.settings import ExportSettings
from bomb.exports.writer import Drawn, ShardReport, Writer
from bomb.processes.workers import Workers
from core.errors import BombError

DEATHS = 3  # of the processes that write one shard


class ShardJob(NamedTuple):
    """A shard to write: its number, the folder for its files, its episodes."""

    shard: int
    part: Path
    episodes: Sequence[EpisodePlan]


class ShardMaker:
    """Draws and writes shards, in this process or in another; opens the renderer when it first needs it.

    Args:
        dataset: what is exported.
        settings: how.
        report: called with the frames of each episode that is drawn.
    """

    def __init__(
        self, dataset: Dataset, settings: ExportSettings, report: Callable[[int], object] | None = None
    ):
        self._dataset, self._settings, self._report = dataset, settings, report
        self._writer: Writer = writer_class(settings.format)(settings, dataset.settings)
        self._renderer = None

    def __call__(self, job: ShardJob) -> ShardReport:
        """Writes a shard.

        Raises:
            FileError: naming a file that cannot be read or written.
        """
        shutil.rmtree(job.part, ignore_errors=True)  # of a process that died
        if self._renderer is None:
            self._renderer = make_renderer(self._dataset.settings, self._settings)
        with writing(job.part):
            job.part.mkdir(parents=True)
            return self._writer.write_shard(job.part, job.shard, self._drawn(job.episodes))

    def _drawn(self, episodes: Sequence[EpisodePlan]) -> Iterable[Drawn]:
        for plan in episodes:
            demonstration = self._dataset.load(plan.seed)
            yield plan, drawn_frames(self._renderer, demonstration, plan, self._settings)
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
    report: Callable[[int], object],
) -> None:
    """Writes what is missing.

    Args:
        folder: of the export.
        plan: of the whole export.
        dataset: what is exported.
        settings: how.
        workers: processes that draw.
        report: called with the frames of each episode that is drawn here, or of each shard that another
            process wrote.

    Raises:
        FileError: naming a file that cannot be read or written.
        BombError: if the processes that write a shard die again and again.
    """
    done = len(folder.shards)
    ranges = plan.shards([shard.episodes for shard in folder.shards], settings.shard_frames)
    jobs = deque(
        ShardJob(number, folder.parts(number), plan.episodes[episodes.start : episodes.stop])
        for number, episodes in enumerate(ranges)
        if number >= done
    )
    apart = workers > 1 or writer_class(settings.format).draws_apart
    made = _Processes(dataset, settings, workers) if apart else _Here(dataset, settings, report)
    with closing(made) as makers:
        ready: dict[int, tuple[ShardJob, ShardReport]] = {}
        for number in range(done, len(ranges)):
            while number not in ready:
                # A slow first shard must not let the others fill the disk: those that wait to be put into
                # place count.
                while jobs and makers.free and makers.busy + len(ready) < 2 * workers:
                    makers.submit(jobs.popleft())
                for job, shard in makers.wait():
                    ready[job.shard] = job, shard
            job, shard = ready.pop(number)
            folder.commit(plan, job.part, shard)
            if apart:
                report(sum(episode.length for episode in job.episodes))


class _Here:
    """Makes shards in this process."""

    def __init__(self, dataset: Dataset, settings: ExportSettings, report: Callable[[int], object]):
        self._maker, self._jobs = ShardMaker(dataset, settings, report), deque()

    @property
    def busy(self) -> int:
        return len(self._jobs)

    @property
    def free(self) -> bool:
        return not self._jobs

    def submit(self, job: ShardJob) -> None:
        self._jobs.append(job)

    def wait(self) -> Iterable[tuple[ShardJob, ShardReport]]:
        job = self._jobs.popleft()
        return [(job, self._maker(job))]

    def close(self) -> None:
        self._maker.close()


class _Processes(Workers):
    """Makes shards in processes of their own; one whose process dies is made again, some times."""

    def __init__(self, dataset: Dataset, settings: ExportSettings, count: int):
        super().__init__(partial(ShardMaker, dataset, settings), count)
        self._deaths: Counter[int] = Counter()

    def wait(self) -> Iterable[tuple[ShardJob, ShardReport]]:
        made = []
        for answer in super().wait():
            if answer.death is None:
                made.append((answer.job, answer.result))
                continue
            self._deaths[answer.job.shard] += answer.begun
            if self._deaths[answer.job.shard] >= DEATHS:
                raise BombError(
                    f"the process that wrote shard {answer.job.shard} {answer.death}, {DEATHS} times"
                )
            self.submit(answer.job)
        return made
