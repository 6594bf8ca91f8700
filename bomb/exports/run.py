"""``export``: a dataset of demonstrations becomes a dataset of a trainer's format."""

import shutil
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import held_out_of, visible_levels
from bomb.demonstrations.workers import Workers
from bomb.exports import writer_class
from bomb.exports.folder import ExportFolder, open_export, writing
from bomb.exports.frames import drawn_frames, make_renderer
from bomb.exports.plan import EpisodePlan, Plan, make_plan
from bomb.exports.readme import write_readme
from bomb.exports.settings import ExportSettings
from bomb.exports.writer import Drawn, ShardReport, Writer
from bomb.versions import versions
from core.errors import BombError, OptionError, check_choice

DEATHS = 3  # of the processes that write one shard


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export holds now.

    Attributes:
        path: its folder.
        episodes, frames, tasks: how many.
        written: frames that this call wrote.
    """

    path: Path
    episodes: int
    frames: int
    tasks: int
    written: int


def export(
    dataset_path: Path,
    format: str,
    out: Path,
    *,
    backend: str | None = None,
    cameras: Sequence[str] = ("head",),
    image_size: tuple[int, int] = (256, 256),
    perturbations: object = None,
    supersample: int | None = None,
    columns: Sequence[str] = (),
    actions: str = "delta",
    pictures: str | None = None,
    codec: str = "h264",
    drop_noops: bool = False,
    name: str | None = None,
    shard_frames: int = 2000,
    workers: int = 1,
    bars: bool = True,
) -> Exported:
    """Draws every demonstration of a dataset and writes it in a trainer's format.

    The same call again goes on where an earlier one stopped, and takes up demonstrations that the dataset got
    since. Memory does not grow with the dataset but for its states and actions, 100 bytes per frame at most.

    Args:
        dataset_path: folder of the demonstrations.
        format: out of ``bomb.exports.FORMATS``.
        out: folder of the export; new, empty, or the same export begun earlier.
        backend: engine that draws; None: the one that the demonstrations were played in.
        cameras, image_size, supersample: see ``core.make_task``.
        perturbations: knobs that change only what is seen and said, as ``core.make_task`` takes them.
        columns, actions, codec, drop_noops, shard_frames: see ``ExportSettings``.
        pictures: ``video``, ``png`` or ``jpeg``; None: the format's default.
        name: of the dataset, in formats that want one; None: ``bomb_`` and the task.
        workers: processes that draw.
        bars: whether bars on stderr show how far it is, once it takes longer than a second.

    Raises:
        OptionError, UnknownNameError: for options that are not allowed, or other than those of the folder.
        FileError: naming a file of the dataset or the export that is missing, damaged, foreign or cannot be
            written.
        BombError: if an extra is missing.
        RenderError: if no graphics driver works.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise OptionError(f"workers must be a positive integer, got {workers!r}")
    kind, dataset = writer_class(format), Dataset.open(dataset_path)
    settings = ExportSettings(
        format=format,
        backend=backend or _only_backend(dataset),
        cameras=tuple(cameras),
        image_size=tuple(image_size),
        perturbations=visible_levels(perturbations, held_out_of(dataset.settings)),
        supersample=supersample,
        columns=tuple(columns),
        actions=actions,
        pictures=pictures or kind.pictures[0],
        codec=codec,
        drop_noops=drop_noops,
        name=name or f"bomb_{dataset.settings['task']}",
        shard_frames=shard_frames,
    )
    check_choice(f"way of storing pictures in {format}", settings.pictures, kind.pictures)
    kind.check()
    writer = kind(settings, dataset.settings)
    reading = partial(_bar, unit="episode", desc="reading", leave=False, disable=not bars)
    plan = make_plan(dataset, settings, kind.vectors, reading)
    about = {"settings": settings.to_dict(), "dataset": _about(dataset), "versions": versions()}
    with open_export(Path(out), writer, about, plan) as folder:
        before = plan.frames(folder.episodes)
        if folder.episodes < len(plan.episodes):
            with _bar(
                total=plan.frames(), initial=before, unit="frame", desc=format, disable=not bars
            ) as bar:
                _write_shards(folder, plan, dataset, settings, workers, bar.update)
            write_readme(folder.path, writer, plan, about)
    return Exported(
        path=Path(out),
        episodes=len(plan.episodes),
        frames=plan.frames(),
        tasks=len(plan.tasks),
        written=plan.frames() - before,
    )


def _bar(*args: object, **options: object):
    from tqdm import tqdm

    return tqdm(*args, file=sys.stderr, delay=1, **options)


def _only_backend(dataset: Dataset) -> str:
    """The engine that all demonstrations were played in."""
    backends = dataset.settings["backends"]
    if len(backends) != 1:
        raise OptionError(
            f"the demonstrations of {dataset.path} were played in {' and '.join(backends)}: "
            "say which of them, or of the others, is to draw"
        )
    return backends[0]


def _about(dataset: Dataset) -> dict:
    """What the export says of its demonstrations: all settings but how many there are to be."""
    return {name: value for name, value in dataset.settings.items() if name != "episodes"}


class Job(NamedTuple):
    """A shard to write: its number, the folder for its files, its episodes."""

    shard: int
    part: Path
    episodes: Sequence[EpisodePlan]


class ShardMaker:
    """Draws and writes shards, in this process or in another; opens the renderer when it first needs it.

    Args:
        dataset: what is exported.
        settings: how.
    """

    def __init__(self, dataset: Dataset, settings: ExportSettings):
        self._dataset, self._settings = dataset, settings
        self._writer: Writer = writer_class(settings.format)(settings, dataset.settings)
        self._renderer = None

    def __call__(self, job: Job) -> ShardReport:
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

    def close(self) -> None:
        """Frees the renderer."""
        if self._renderer is not None:
            self._renderer.close()


def _write_shards(
    folder: ExportFolder,
    plan: Plan,
    dataset: Dataset,
    settings: ExportSettings,
    workers: int,
    report: Callable[[int], object],
) -> None:
    """Writes what is missing; shards are put into place in their order, whoever is first with one."""
    done = len(folder.shards)
    ranges = plan.shards([shard.episodes for shard in folder.shards], settings.shard_frames)
    jobs = deque(
        Job(number, folder.parts(number), plan.episodes[episodes.start : episodes.stop])
        for number, episodes in enumerate(ranges)
        if number >= done
    )
    apart = workers > 1 or writer_class(settings.format).draws_apart
    with closing(_Processes(dataset, settings, workers) if apart else _Here(dataset, settings)) as makers:
        ready: dict[int, tuple[Job, ShardReport]] = {}
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
            report(sum(episode.length for episode in job.episodes))


class _Here:
    """Makes shards in this process."""

    def __init__(self, dataset: Dataset, settings: ExportSettings):
        self._maker, self._jobs = ShardMaker(dataset, settings), deque()

    @property
    def busy(self) -> int:
        return len(self._jobs)

    @property
    def free(self) -> bool:
        return not self._jobs

    def submit(self, job: Job) -> None:
        self._jobs.append(job)

    def wait(self) -> Iterable[tuple[Job, ShardReport]]:
        job = self._jobs.popleft()
        return [(job, self._maker(job))]

    def close(self) -> None:
        self._maker.close()


class _Processes(Workers):
    """Makes shards in processes of their own; one whose process dies is made again, some times."""

    def __init__(self, dataset: Dataset, settings: ExportSettings, count: int):
        super().__init__(partial(ShardMaker, dataset, settings), count)
        self._deaths: Counter[int] = Counter()

    def wait(self) -> Iterable[tuple[Job, ShardReport]]:
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
