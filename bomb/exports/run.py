"""``export``: a dataset of demonstrations becomes a dataset of a trainer's format."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import held_out_of, visible_levels
from bomb.disk.files import writing
from bomb.exports.folder import open_export
from bomb.exports.formats import writer_class
from bomb.exports.plan import make_plan
from bomb.exports.readme import README, write_readme
from bomb.exports.settings import ExportSettings
from bomb.exports.shards import write_shards
from bomb.machine.progress import progress
from bomb.machine.versions import versions
from bomb.rollouts.states import LAYOUTS
from core.errors import Number, OptionError, check_choice, check_integer, check_names, plain_numbers
from core.perturbations.presets import make_suite
from core.registry import BACKENDS, TASKS


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
    every: int = 1,
    moments: int | None = None,
    visual_draws: int = 1,
    name: str | None = None,
    shard_frames: int = 2000,
    shard_seconds: float = 60.0,
    workers: int = 1,
    bars: bool = True,
) -> Exported:
    """Draws every demonstration of a dataset and writes it in a trainer's format.

    The same call again resumes where an earlier one stopped, and takes up demonstrations that the dataset got
    since. Memory does not grow with the dataset but for its states and actions, 100 bytes per frame at most.

    Args:
        dataset_path: folder of the demonstrations.
        format: out of ``bomb.exports.FORMATS``.
        out: folder of the export; new, empty, or the same export begun earlier.
        backend: engine that draws; None: the one that the demonstrations were played in.
        cameras, image_size, supersample: see ``core.make_task``.
        perturbations: knobs that change only what is seen and said, as ``core.make_task`` takes them.
        columns, actions, codec, drop_noops, every, moments, visual_draws, shard_frames: see
            ``ExportSettings``.
        pictures: ``video``, ``png`` or ``jpeg``; None: the format's default.
        name: of the dataset, in formats that want one; None: ``bomb_`` and the task.
        shard_seconds: a shard ends with the episode that is drawn after so many seconds, too: an interruption
            costs each process no more than that.
        workers: processes that draw.
        bars: whether bars on stderr show how far it is, once it takes longer than a second.

    Raises:
        OptionError, UnknownNameError: for options that are not allowed, or other than those of the folder.
        FileError: naming a file of the dataset or the export that is missing, damaged, foreign or cannot be
            written.
        BombError: if an extra is missing.
        RenderError: if no graphics driver works.
    """
    workers = check_integer("workers", workers, least=1)
    shard_seconds = plain_numbers(shard_seconds)
    Number(whole=False, above=0, unit="seconds").check("shard_seconds", shard_seconds)
    try:
        str(Path(out).absolute()).encode()
    except UnicodeEncodeError:
        raise OptionError(
            f"{str(out)!a} is not UTF-8, which the libraries that write {format} need; choose another folder"
        ) from None
    kind, dataset = writer_class(format), Dataset.open(dataset_path)
    settings = ExportSettings(
        format=format,
        backend=backend or _only_backend(dataset),
        cameras=check_names("cameras", cameras),
        image_size=image_size,
        perturbations=visible_levels(perturbations, held_out_of(dataset.settings)),
        supersample=supersample,
        columns=check_names("columns", columns),
        actions=actions,
        pictures=pictures or kind.pictures[0],
        codec=codec,
        drop_noops=drop_noops,
        every=every,
        moments=moments,
        visual_draws=visual_draws,
        name=name or f"bomb_{dataset.settings['task']}",
        shard_frames=shard_frames,
    )
    check_choice(f"way of storing pictures in {format}", settings.pictures, kind.pictures)
    kind.check()
    _check_drawable(dataset, settings)  # what cannot be drawn must not leave a folder behind
    writer = kind(settings, dataset.settings)
    reading = partial(progress, unit="episode", desc="reading", leave=False, disable=not bars)
    plan = make_plan(dataset, settings, kind.vectors, reading)
    about = {"settings": settings.to_dict(), "dataset": _about(dataset), "versions": versions()}
    about["state"] = {"layout": kind.state_layout, "format": LAYOUTS[kind.state_layout][0]}
    with open_export(Path(out), writer, about, plan) as folder:
        before = plan.frames(folder.episodes)
        if folder.episodes < len(plan.episodes):
            with progress(
                total=plan.frames(), initial=before, unit="frame", desc=format, disable=not bars
            ) as bar:
                write_shards(folder, plan, dataset, settings, workers, shard_seconds, bar.update)
        if before < plan.frames() or not (folder.path / README).exists():
            with writing(folder.path):
                write_readme(folder.path, writer, plan, about)
    return Exported(
        path=Path(out),
        episodes=len(plan.episodes),
        frames=plan.frames(),
        tasks=len(plan.tasks),
        written=plan.frames() - before,
    )


def _only_backend(dataset: Dataset) -> str:
    """The engine that all demonstrations were played in."""
    backends: list[str] = dataset.settings["backends"]
    if len(backends) != 1:
        raise OptionError(
            f"the demonstrations of {dataset.path} were played in {' and '.join(backends)}: "
            "say which of them, or of the others, is to draw"
        )
    return backends[0]


def _check_drawable(dataset: Dataset, settings: ExportSettings) -> None:
    """Returns if the engine that draws is there and can do all knobs.

    Raises:
        UnknownNameError, CapabilityError, OptionError: naming the engine or the knob.
    """
    suite = make_suite([dataset.settings["perturbations"], settings.perturbations])
    task = TASKS.load(dataset.settings["task"])()
    suite.check(BACKENDS.load(settings.backend), task, settings.cameras)


def _about(dataset: Dataset) -> dict[str, Any]:
    """What the export says of its demonstrations: all settings but how many there are to be."""
    return {name: value for name, value in dataset.settings.items() if name != "episodes"}
