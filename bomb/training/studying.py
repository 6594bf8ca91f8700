"""A study from its trainings to a table and a page; the same call resumes it."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bomb.demonstrations.dataset import Dataset
from bomb.disk.differences import first_difference
from bomb.disk.files import read_json, write_json, writing
from bomb.disk.lock import WriterLock
from bomb.evaluation.runner import evaluate
from bomb.evaluation.settings import EvaluationSettings, ExecutionSettings
from bomb.models.settings import VLASettings
from bomb.runs.store import RunStore
from bomb.statistics.estimate import Estimate
from bomb.statistics.location import mean
from bomb.statistics.rates import clustered_rate
from bomb.training.folders import CHOSEN, LOCK, SELECTION
from bomb.training.keypoint.parts import PartWatcher
from bomb.training.lerobot import is_lerobot
from bomb.training.playing import policy_of
from bomb.training.recipe import Recipe
from bomb.training.run import Watcher, train
from bomb.training.selection import measurements
from bomb.training.small.recipe import SmallRecipe
from bomb.training.small.run import train_small
from bomb.training.sources import named_sources
from bomb.training.study_page import write_study_page
from bomb.training.study_recipe import StudyRecipe, Training
from core.errors import BombError, OptionError

RECIPE, RESULT, TRAININGS, PLAYED = "study.json", "result.json", "trainings", "played"
ERRORS = ("mse", "relative", "l1")  # on held-out episodes, of the chosen checkpoint


def study(
    recipe: StudyRecipe,
    made: Sequence[Training],
    folders: Sequence[Path],
    out: Path,
    *,
    workers: int = 1,
    watch: Callable[[str], Watcher] | None = None,
    told: Callable[[str], None] | None = None,
) -> dict[str, Any] | None:
    """Trains and plays what is not there yet.

    Args:
        recipe: of the study.
        made: its trainings.
        folders: of ``--data``.
        out: folder of the study.
        workers: processes that draw and play.
        watch: called with the name of each training, tells who watches it.
        told: called with a word about each thing that begins.

    Returns:
        ``cells``: a list with, for each arm and condition, ``success`` (over all scenes and trainings;
        trainings are the clusters), the held-out errors (over trainings), and what it was; None if it was
        interrupted.

    Raises:
        OptionError: if there is no data, or another study is in the folder.
        FileError: naming a folder that holds no data, before anything is written.
        BombError: as ``bomb.training.run.train`` and ``bomb.evaluation.runner.evaluate``.
    """
    out = Path(out)
    _check_data(made, folders)  # what is refused does not bind the folder
    _begin(out, recipe, made)
    lock = WriterLock(out / LOCK)
    try:
        for number, training in enumerate(made, 1):
            if told is not None:
                told(f"{training.folder} ({number} of {len(made)})")
            folder = out / TRAININGS / training.folder
            if not (folder / SELECTION).is_file():
                watcher = Watcher() if watch is None else watch(training.folder)
                if not _train(training.recipe, folders, folder, out, workers, watcher):
                    return None
            for chunks in recipe.chunks:
                if not _play(recipe, folder, chunks, workers)["complete"]:
                    return None
        result = {"study": recipe.to_dict(), "cells": summed_up(recipe, made, out)}
        with writing(out):
            write_json(out / RESULT, result)
            write_study_page(out, result)
        return result
    finally:
        lock.release()


def _train(
    recipe: Recipe | SmallRecipe, folders: Sequence[Path], folder: Path, out: Path, workers: int,
    watcher: Watcher,
) -> bool:  # fmt: skip
    """Whether it came to its end; what is drawn is shared by the trainings that draw alike."""
    if isinstance(recipe, Recipe):
        named = [] if recipe.data.sources else folders
        reached, _ = train(recipe, named, folder, store=out / "frames", workers=workers, watcher=watcher)
        return reached.complete
    drawn, step = watcher.drawn, watcher.step
    parts = PartWatcher(
        drawn=lambda there, of: drawn(f"{there} of {of} looks drawn") if drawn else None,
        step=lambda part, number, loss: step(number, loss) if step else None,
    )
    looks = json.dumps([asdict(one) for one in recipe.looks], sort_keys=True)
    store = out / "looks" / hashlib.sha256(looks.encode()).hexdigest()[:8]
    try:
        train_small(recipe, folders, folder, store=store, workers=workers, watcher=parts)
    except KeyboardInterrupt:
        return False
    return True


def summed_up(recipe: StudyRecipe, made: Sequence[Training], out: Path) -> list[dict[str, Any]]:
    """Every cell of the study with its numbers; see ``study``."""
    cells: dict[tuple[Any, ...], dict[str, Any]] = {}
    for training in made:
        folder = out / TRAININGS / training.folder
        chosen = read_json(folder / SELECTION)["step"]
        errors = measurements(folder).get(chosen, {})
        for chunks in recipe.chunks:
            for condition, backend, seed, success in _outcomes(_played(folder, chunks)):
                what = {**training.cell, "condition": condition, "chunks": chunks, "backend": backend}
                cell = cells.setdefault(tuple(what.items()), {**what, "outcomes": [], "errors": {}})
                cell["outcomes"].append((training.recipe.seed, seed, success))
                cell["errors"][training.recipe.seed] = errors
    return [_estimated(cell) for cell in cells.values()]


def _estimated(cell: dict[str, Any]) -> dict[str, Any]:
    outcomes, errors = cell.pop("outcomes"), cell.pop("errors")
    success = clustered_rate([o for *_, o in outcomes], [training for training, *_ in outcomes])
    measured = {
        name: _mean([row[name] for row in errors.values() if row.get(name) is not None]).to_dict()
        for name in ERRORS
    }
    return {
        **cell, "success": success.to_dict(), "trainings": len(errors), "held_out": measured,
    }  # fmt: skip


def _mean(values: list[float]) -> Estimate:
    if not values:
        return Estimate(value=None, low=None, high=None, n=0, reason="the chosen checkpoint was not measured")
    return mean(values)


def _check_data(made: Sequence[Training], folders: Sequence[Path]) -> None:
    paths: dict[Path, None] = {}
    for recipe in (training.recipe for training in made):
        if isinstance(recipe, Recipe):
            sources = named_sources(recipe.data, [] if recipe.data.sources else folders)
            paths |= {Path(one.folder): None for one in sources if one.folder is not None}
        elif not folders:
            raise OptionError("there is nothing to learn from: --data names no folder")
        else:
            paths |= dict.fromkeys(map(Path, folders))
    for path in paths:
        if not is_lerobot(path):
            Dataset.open(path)


def _begin(out: Path, recipe: StudyRecipe, made: Sequence[Training]) -> None:
    wanted = {
        "format": "bomb-study", "version": 1, "study": recipe.to_dict(),
        "recipes": {training.folder: training.recipe.to_dict() for training in made},
    }  # fmt: skip
    if (out / RECIPE).is_file():
        if (difference := first_difference(read_json(out / RECIPE), wanted)) is not None:
            raise OptionError(
                f"{out} is a study with {difference.name} = {difference.before!r}, not {difference.now!r}; "
                "choose another folder"
            )
        return
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / RECIPE, wanted)


def _played(folder: Path, chunks: str) -> Path:
    return folder / PLAYED / chunks.replace("(", "_").replace(")", "")


def _play(recipe: StudyRecipe, folder: Path, chunks: str, workers: int) -> dict[str, Any]:
    """Plays the chosen checkpoint of a training; a finished run is not opened again."""
    out, checkpoint = _played(folder, chunks), (folder / CHOSEN).resolve()
    if (out / "summary.json").is_file():
        result = read_json(out / "summary.json")
        if result["complete"]:
            return result
    model = VLASettings.read(checkpoint)
    settings = EvaluationSettings(
        policy=policy_of(checkpoint, model),
        backends=recipe.backends,
        tasks=tuple(dict.fromkeys(entry["task"] for entry in model.trained_on if "task" in entry))
        or ("place_stone",),
        perturbations=recipe.perturbations,
        split=recipe.split,
        episodes=recipe.scenes,
        chunks=chunks,
        action_mode=model.convention.action_mode,
        control_hz=model.control_hz,
    )
    return evaluate(settings, out, execution=ExecutionSettings(workers=workers))


def _outcomes(folder: Path) -> list[tuple[str, str, int, bool]]:
    """(condition, engine, seed, success) of every episode of a run."""
    result = read_json(folder / "summary.json")
    if not result["complete"]:
        raise BombError(f"{folder} is not complete: {result['stopped'] or 'episodes ended with errors'}")
    named = {c["condition"]: (c["perturbation"], c["backend"]) for c in result["conditions"]}
    with RunStore.open(folder) as store:
        return [(*named[row.condition], row.seed, bool(row.success)) for row in store.episodes()]
