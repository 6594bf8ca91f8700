"""Datasets opened for a training: which episodes are learned from, drawn, ready to be read."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.moments import Moments
from bomb.training.data import Source
from bomb.training.data_recipe import DataRecipe, SourceRecipe
from bomb.training.drawing import DrawingSettings, draw
from bomb.training.episodes import Frames
from bomb.training.lerobot import LeRobotEpisodes, is_lerobot
from bomb.training.recipe import Recipe
from core.errors import OptionError

PROVENANCE = ("task", "split", "backends", "perturbations", "held_out")
DrawingListener = Callable[[str], None]


def named_sources(data: DataRecipe, folders: Sequence[Path]) -> list[SourceRecipe]:
    """The recipe's sources with their folders, those of ``--data`` put where it names none.

    Raises:
        OptionError: if there are too few folders, or too many.
    """
    if not data.sources:
        if not folders:
            raise OptionError("there is nothing to learn from: the recipe names no folder, nor does --data")
        return [SourceRecipe(folder=str(folder)) for folder in folders]
    open_places = [k for k, source in enumerate(data.sources) if source.folder is None]
    if len(open_places) != len(folders):
        raise OptionError(
            f"the recipe has {len(open_places)} sources without a folder, --data names {len(folders)}"
        )
    named = list(data.sources)
    for place, folder in zip(open_places, folders, strict=True):
        named[place] = replace(named[place], folder=str(folder))
    return named


def open_sources(
    recipe: Recipe,
    folders: Sequence[Path],
    store: Path,
    *,
    workers: int = 1,
    report: DrawingListener | None = None,
) -> list[Source]:
    """Opens the datasets of a recipe, and draws what the store lacks.

    Args:
        recipe: says which and how.
        folders: of ``--data``.
        store: where what is drawn is kept.
        workers: processes that draw.
        report: called with a word about each episode that was drawn.

    Raises:
        OptionError, FileError, BombError: as ``named_sources`` and ``bomb.training.drawing.draw``.
    """
    return [
        _read_lerobot(recipe, source, store, report)
        if is_lerobot(source.path)
        else _open(recipe, source, store, workers, report)
        for source in named_sources(recipe.data, folders)
    ]


def _read_lerobot(
    recipe: Recipe, source: SourceRecipe, store: Path, report: DrawingListener | None
) -> Source:
    if source.backends or source.perturbations or recipe.data.visual_draws > 1 or recipe.data.depth:
        raise OptionError(
            f"{source.folder} is a LeRobotDataset, whose pictures are drawn: backends, perturbations, "
            "visual_draws and depth are for folders of `bomb collect`"
        )
    episodes = LeRobotEpisodes(
        source.path,
        source.lerobot,
        cameras=recipe.model.cameras,
        image_size=recipe.model.image_size,
        moments=Moments(every=recipe.data.every, count=recipe.data.moments),
        drop_noops=recipe.data.drop_noops,
    )
    dataset = episodes.dataset
    held, learned = chosen(range(len(dataset)), recipe.data, source.episodes, str(dataset.path))
    told = None if report is None else (lambda k: report(f"episode {k} of {dataset.path.name}"))
    frames = [Frames(episodes.copy(store, numbers=sorted(held + learned), report=told))]
    return make_source(
        name=str(source.folder),
        frames=frames,
        held=held,
        learned=learned,
        weight=source.weight,
        provenance=episodes.provenance(learned, held),
        action_mode=source.lerobot.convention.action_mode,
        control_hz=dataset.fps,
    )


def _open(
    recipe: Recipe, source: SourceRecipe, store: Path, workers: int, report: DrawingListener | None
) -> Source:
    dataset = Dataset.open(source.path)
    held, learned = chosen(dataset.seeds(), recipe.data, source.episodes, str(dataset.path))
    engines = dataset.settings["backends"]
    # Each engine of ``backends`` draws everything; without any, each draws what was played in it.
    shares = {name: held + learned for name in source.backends} or {
        name: [s for s in held + learned if engines[s % len(engines)] == name] for name in engines
    }
    frames = []
    for backend, seeds in shares.items():
        if not seeds:
            continue
        settings = DrawingSettings(
            backend=backend,
            cameras=recipe.model.cameras,
            image_size=recipe.model.image_size,
            perturbations=source.perturbations,
            action_mode=recipe.model.convention.action_mode,
            every=recipe.data.every,
            moments=recipe.data.moments,
            visual_draws=recipe.data.visual_draws,
            drop_noops=recipe.data.drop_noops,
            visible=recipe.data.visible,
            depth=recipe.data.depth,
            supersample=recipe.data.supersample,
        )
        told = None if report is None else (lambda seed, b=backend: report(f"seed {seed} in {b}"))
        frames.append(Frames(draw(dataset, settings, store, seeds=seeds, workers=workers, report=told)))
    known = {name: dataset.settings[name] for name in PROVENANCE if name in dataset.settings}
    return make_source(
        name=str(source.folder),
        frames=frames,
        held=held,
        learned=learned,
        weight=source.weight,
        provenance={
            **known,
            "drawn_by": list(shares),
            "drawn_with": source.perturbations,
            "visual_draws": recipe.data.visual_draws,
            "demonstrations": len(learned),
            "seeds": sorted(learned),
            "held_out_seeds": sorted(held),
        },
        action_mode=recipe.model.convention.action_mode,
        control_hz=dataset.settings["control_hz"],
    )


def make_source(
    *, frames: Sequence[Frames], held: Sequence[int], learned: Sequence[int], **rest: Any
) -> Source:
    """A source whose moments are those of some episodes.

    Args:
        frames: of the dataset.
        held, learned: numbers of the episodes.
        rest: as ``Source`` takes it.
    """
    return Source(
        frames=tuple(frames), learned=_moments(frames, learned), held_out=_moments(frames, held), **rest
    )


def chosen(
    numbers: Sequence[int], data: DataRecipe, most: int | None, name: str
) -> tuple[list[int], list[int]]:
    """Episodes that are held out, and those that are learned from.

    Both are the first of one random order, so that smaller subsets are part of larger ones, and what is held
    out does not depend on how many are learned from.

    Raises:
        OptionError: if there are too few.
    """
    order = [numbers[k] for k in np.random.default_rng([data.subset_seed, 4]).permutation(len(numbers))]
    held = int(data.held_out) if data.held_out >= 1 else max(1, round(data.held_out * len(numbers)))
    rest = len(numbers) - held
    if rest < (most or 1):
        raise OptionError(
            f"{name} has {len(numbers)} episodes: {held} are held out, so at most {max(rest, 0)} are learned "
            f"from, {most or 1} are asked for"
        )
    return order[:held], order[held : held + (most or rest)]


def _moments(frames: Sequence[Frames], numbers: Sequence[int]) -> np.ndarray:
    wanted = set(numbers)
    found = [
        (part, k, moment)
        for part, drawn in enumerate(frames)
        for k, episode in enumerate(drawn.episodes)
        if episode.number in wanted
        for moment in range(len(episode))
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 3)
