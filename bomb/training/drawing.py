"""Demonstrations drawn once: what a source is, and the processes that draw it into a store."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.moments import Moments
from bomb.demonstrations.pictures import Renderer, held_out_of, visible_levels
from bomb.demonstrations.settings import action_spec_of
from bomb.demonstrations.stages import stages_of
from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.exports.actions import converted, is_noop
from bomb.exports.columns import STONES, Columns, column_name, needed_modalities
from bomb.machine.versions import versions
from bomb.processes.workers import work_off
from bomb.training.episodes import (
    FORMAT,
    MARKER,
    VERSION,
    Episode,
    MomentFile,
    depth_file,
    episode_file,
    picture_file,
    write_episode,
)
from core.control.actions import ACTION_MODES
from core.errors import OptionError, check_choice, check_integer
from core.language.swapping import swapped
from core.task import Instruction

# Columns of ``bomb.exports.columns`` that are stored with the pictures, as ``Episode.labels`` has them.
PLAIN_LABELS = ("stone", "target_position", "stone_positions", "board_corners", "commanded_target")
CAMERA_LABELS = ("stone_pixels", "intrinsics", "extrinsics")
SHAPES: dict[str, tuple[int, ...]] = {
    **{"stone": (), "stone_positions": (STONES, 4), "board_corners": (4, 3), "stone_pixels": (STONES, 3)},
    **{"intrinsics": (3, 3), "extrinsics": (4, 4)},
}


@dataclass(frozen=True, kw_only=True)
class DrawingSettings:
    """How the demonstrations of one dataset are drawn by one engine.

    Attributes:
        backend: registered name of the engine that draws.
        cameras, image_size, supersample: see ``core.make_task``.
        perturbations: levels of knobs beside the dataset's, which change only what is seen and said.
        action_mode: in which actions are stored.
        every, moments: which moments are drawn, see ``bomb.demonstrations.moments.Moments``.
        visual_draws: how often each demonstration is drawn, each time with other draws of the knobs that
            change only what is seen and said.
        drop_noops: whether moments in which nothing is commanded are left out.
        visible: whether it is found out, too, whether target and stones are covered; segmentation is drawn
            for it.
        depth: whether depth is stored beside the pictures.
    """

    backend: str
    cameras: tuple[str, ...] = ("head",)
    image_size: tuple[int, int] = (224, 224)
    perturbations: dict[str, Any] = field(default_factory=dict)
    action_mode: str = "delta"
    every: int = 1
    moments: int | None = None
    visual_draws: int = 1
    drop_noops: bool = False
    visible: bool = False
    depth: bool = False
    supersample: int | None = None

    def __post_init__(self) -> None:
        check_choice("action_mode", self.action_mode, ACTION_MODES)
        check_integer("visual_draws", self.visual_draws, least=1)
        _ = self.chosen

    @property
    def columns(self) -> tuple[str, ...]:
        """What is stored with the pictures."""
        own = ("target_pixel", "occupancy", *PLAIN_LABELS, *CAMERA_LABELS)
        return (*own, "visible") if self.visible else own

    @property
    def modalities(self) -> tuple[str, ...]:
        """What is drawn."""
        depth = ("depth",) if self.depth else ()
        return tuple(dict.fromkeys(("rgb", *needed_modalities(self.columns), *depth)))

    @property
    def chosen(self) -> Moments:
        """Which moments are drawn."""
        return Moments(every=self.every, count=self.moments)

    def about(self, dataset: Dataset) -> dict[str, Any]:
        """What a store says of the source, plain values."""
        collected = {name: value for name, value in dataset.settings.items() if name != "episodes"}
        settings = json.loads(json.dumps(asdict(self)))
        return {"format": FORMAT, "version": VERSION, "settings": settings, "dataset": collected}

    def folder(self, dataset: Dataset, store: Path) -> Path:
        """Where the source is in a store: what is drawn alike is drawn once."""
        digest = hashlib.sha256(json.dumps(self.about(dataset), sort_keys=True).encode()).hexdigest()
        return Path(store) / f"{dataset.path.resolve().name}-{self.backend}-{digest[:10]}"


def draw(
    dataset: Dataset,
    settings: DrawingSettings,
    store: Path,
    *,
    seeds: Sequence[int] | None = None,
    workers: int = 1,
    report: Callable[[int], None] | None = None,
) -> Path:
    """Draws the demonstrations that a store lacks, in processes of their own.

    Args:
        dataset: of ``bomb collect``.
        settings: how.
        store: the folder for all sources.
        seeds: of the demonstrations; None: all.
        workers: processes that draw.
        report: called with each seed that was drawn.

    Returns:
        The source's folder in the store.

    Raises:
        OptionError, UnknownNameError: for knobs that may not be turned, or cameras that there are not.
        FileError: naming a file that is missing, damaged or cannot be written.
        BombError: if a drawing process dies.
    """
    about, folder = settings.about(dataset), settings.folder(dataset, store)
    visible_levels(settings.perturbations or None, held_out_of(dataset.settings))
    wanted = dataset.seeds() if seeds is None else list(seeds)
    if not wanted:
        raise FileError(f"{dataset.path} has no demonstrations")
    if (folder / MARKER).exists():
        there = read_json(folder / MARKER)
        there.pop("versions", None)
        if (difference := first_difference(there, about)) is not None:
            raise OptionError(
                f"{folder} was drawn with {difference.name} = {difference.before!r}, not {difference.now!r}"
            )
    else:
        with writing(folder):
            write_json(folder / MARKER, {**about, "versions": versions()})
    last = settings.visual_draws - 1  # they are drawn in their order
    missing = [seed for seed in wanted if not episode_file(folder, seed, last).exists()]

    def drawn(seed: int, _: object) -> None:
        if report is not None:
            report(seed)

    make = partial(EpisodeDrawer, dataset.path, settings, folder)
    work_off(
        make, missing, max(1, min(workers, len(missing))), done=drawn, name="the pictures of seed {}".format
    )
    return folder


class EpisodeDrawer:
    """Draws demonstrations into a store, in a process of its own.

    Args:
        path: of the dataset.
        settings: how.
        folder: of the source in the store.
    """

    def __init__(self, path: Path, settings: DrawingSettings, folder: Path):
        self._dataset, self._settings, self._folder = Dataset.open(path), settings, folder

    def __call__(self, seed: int) -> None:
        """Draws one.

        Raises:
            FileError: if it cannot be read or written.
        """
        demonstration = self._dataset.load(seed)
        with writing(self._folder):
            for visual_draw in range(self._settings.visual_draws):
                if not episode_file(self._folder, seed, visual_draw).exists():
                    write_episode(self._folder, self._drawn(demonstration, visual_draw))

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(
            self._dataset.settings,
            backend=self._settings.backend,
            cameras=self._settings.cameras,
            image_size=self._settings.image_size,
            modalities=self._settings.modalities,
            perturbations=self._settings.perturbations or None,
            supersample=self._settings.supersample,
        )

    def _drawn(self, demonstration: Demonstration, visual_draw: int) -> Episode:
        settings, dataset = self._settings, self._dataset
        spec, start = action_spec_of(dataset.settings), demonstration.observations[0, :3]
        rows = np.arange(demonstration.length)
        if settings.drop_noops:
            rows = rows[~is_noop(converted(demonstration.actions, start, spec, "delta"))]
        rows = settings.chosen.rows(
            rows, split=demonstration.about["split"], seed=demonstration.seed, visual_draw=visual_draw
        )
        if not len(rows):
            raise FileError(f"{dataset.episode_file(demonstration.seed)} has no action that does anything")
        shape = (len(rows), len(settings.cameras), *settings.image_size, 3)
        labels = []
        place = picture_file(self._folder, demonstration.seed, visual_draw)
        files: dict[str, MomentFile] = {}
        whole = False
        try:
            files["images"] = MomentFile(place, shape, np.uint8)
            if settings.depth:
                files["depth"] = MomentFile(depth_file(place), shape[:-1], np.float32)
            instructions = self._renderer.instructions(demonstration, visual_draw=visual_draw)
            moments = self._renderer.moments(demonstration, rows, visual_draw=visual_draw)
            columns = None
            for t, seen in zip(rows, moments, strict=True):
                if columns is None:
                    columns = Columns(
                        settings.columns,
                        settings.cameras,
                        settings.image_size,
                        demonstration,
                        instructions,
                        seen["env"],
                    )
                for name, file in files.items():
                    file.add(np.stack([seen[name][camera] for camera in settings.cameras]))
                labels.append(columns.row(int(t), seen))
            whole = True
        finally:
            for file in files.values():
                file.close(whole=whole)
        asked = demonstration.instruction_index[rows].astype(np.int64)
        last = np.array(
            [
                np.flatnonzero(demonstration.instruction_index == move)[-1] + 1
                for move in range(asked.max() + 1)
            ]
        )
        targets = [[row[column_name("target_pixel", c)] for c in settings.cameras] for row in labels]
        return Episode(
            number=demonstration.seed,
            visual_draw=visual_draw,
            rows=rows.astype(np.int64),
            states=demonstration.observations[rows],
            texts=tuple(instruction.text for instruction in instructions),
            swapped=tuple(exchanged(instruction) for instruction in instructions),
            asked=asked,
            actions=converted(demonstration.actions, start, spec, settings.action_mode),
            ends=last[asked].astype(np.int64),
            stages=stages_of(demonstration)[rows],
            cells=cells_of(demonstration)[asked],
            targets=np.array(targets, dtype=np.float32),
            occupancy=np.stack([np.asarray(row["annotation.occupancy"]) for row in labels]).astype(np.int8),
            labels=self._labels(labels),
        )

    def _labels(self, rows: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
        made = {}
        for name in self._settings.columns[2:]:
            cameras = [None] if name in PLAIN_LABELS else self._settings.cameras
            values = np.stack([np.stack([row[column_name(name, c)] for c in cameras]) for row in rows])
            shape = SHAPES.get(name, values.shape[2:])
            made[name] = values.reshape(len(rows), *(() if cameras == [None] else (len(cameras),)), *shape)
        return made


def cells_of(demonstration: Demonstration) -> np.ndarray:
    """Row and column of the target of every move, int64[moves, 2]; -1 where it is not one intersection."""
    cells = np.full((len(demonstration.instructions), 2), -1, dtype=np.int64)
    placements = demonstration.about["moves"]["placements"]
    for move in range(len(cells)):
        goal = placements[move]["goal"] if move < len(placements) else demonstration.about["goal"]
        if "row" in goal and "column" in goal:
            cells[move] = goal["row"], goal["column"]
    return cells


def exchanged(instruction: Instruction) -> str:
    """The words with row and column exchanged; empty where that says nothing else."""
    other = swapped(instruction)
    return "" if other is None else other.text
