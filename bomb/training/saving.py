"""States to resume from, each whole or not there, and what a folder is the training of."""

import os
import shutil
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.models.folders import saving
from bomb.training.folders import CHECKPOINTS, LOCK, RECIPE, step_folder, steps_in
from bomb.training.recipe import Recipe
from core.errors import OptionError

STATE, POSITION = "state", "bomb_state.json"


def check_folder(out: Path) -> None:
    """Returns if a training may be in this folder, or is.

    Raises:
        FileError: if something else is in it.
    """
    if (out / RECIPE).is_file() or not out.exists():
        return
    if not out.is_dir() or any(entry.name not in ("frames", LOCK) for entry in out.iterdir()):
        raise FileError(f"{out} exists and holds no training; choose another folder")


def begin(out: Path, recipe: Recipe, data: list[dict[str, Any]]) -> None:
    """Says what the training in a folder is, or finds that it is the same.

    Called once all is ready for the first step, so that a recipe which is refused does not bind the folder.

    Raises:
        OptionError: naming what differs.
    """
    if not check_same(out, recipe, data):
        with writing(out):
            write_json(out / RECIPE, _told(recipe, data))


def check_same(out: Path, recipe: Recipe, data: list[dict[str, Any]]) -> bool:
    """Whether there is a training in a folder, which then is this one.

    Raises:
        OptionError: naming what differs.
    """
    wanted = _told(recipe, data)
    if there := (out / RECIPE).is_file():
        difference = first_difference(read_json(out / RECIPE), wanted)
        if difference is not None:
            raise OptionError(
                f"{out} was trained with {difference.name} = {difference.before!r}, not {difference.now!r}; "
                "choose another folder, or the same recipe and data to resume it"
            )
    return there


def _told(recipe: Recipe, data: list[dict[str, Any]]) -> dict[str, Any]:
    return {"format": "bomb-training", "version": 1, "recipe": recipe.to_dict(), "data": data}


def save_state(accelerator: Accelerator, out: Path, step: int, position: dict[str, Any], keep: int) -> None:
    """Writes weights, optimiser, running mean, random states and position; older states beyond ``keep`` go.

    Raises:
        WriteError: if the disk is full; the states before are whole.
    """
    folder = step_folder(out, STATE, step)
    # One name for all processes, which write into it together.
    beside = folder.with_name(f".{folder.name}.part")
    if accelerator.is_main_process:
        shutil.rmtree(beside, ignore_errors=True)
        with writing(beside):
            beside.mkdir(parents=True)
    accelerator.wait_for_everyone()
    with saving(beside):
        accelerator.save_state(str(beside), safe_serialization=False)
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        with writing(folder):
            write_json(beside / POSITION, position)
            _flush(beside)
            shutil.rmtree(folder, ignore_errors=True)
            beside.rename(folder)
        for old in steps_in(out, STATE)[:-keep]:
            shutil.rmtree(step_folder(out, STATE, old), ignore_errors=True)
    accelerator.wait_for_everyone()


def remove_left_behind(out: Path) -> None:
    """Removes what a killed process was writing; nobody else may be training in the folder."""
    for kind in (STATE, CHECKPOINTS):
        for half in (out / kind).glob(".step_*"):
            shutil.rmtree(half, ignore_errors=True)


def load_state(accelerator: Accelerator, out: Path) -> dict[str, Any] | None:
    """Takes up the newest state; None if there is none.

    Raises:
        FileError: if it cannot be read.
    """
    steps = steps_in(out, STATE)
    if not steps:
        return None
    folder = step_folder(out, STATE, steps[-1])
    position = read_json(folder / POSITION)
    try:
        accelerator.load_state(str(folder))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        message = " ".join(str(error).split())[:200]
        raise FileError(f"{folder} cannot be read: {type(error).__name__}: {message}") from error
    return position


def _flush(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
