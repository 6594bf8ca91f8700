"""Which checkpoint is the result: by a rule that was said beforehand, and is written into it."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError, writing
from bomb.models.settings import VLASettings
from bomb.training.folders import CHECKPOINTS, CHOSEN, step_folder, steps_in
from bomb.training.log import read_log
from bomb.training.recipe import parse_rule
from core.errors import OptionError, check_choice


def choose(out: Path, rule: str) -> dict[str, Any]:
    """Chooses among the checkpoints of a training, and copies the chosen one to ``OUT/chosen``.

    Args:
        out: folder of the training.
        rule: as ``Recipe.select``.

    Returns:
        ``rule``, ``values`` ({step: value}, smaller is better; None where there is none), and ``step``. Of
        several that are equally good it is the latest.

    Raises:
        FileError: if there is no checkpoint.
        UnknownNameError: for a group that there is not.
        OptionError: if the rule has no value for any checkpoint.
    """
    steps = steps_in(out, CHECKPOINTS)
    if not steps:
        raise FileError(f"{out} has no checkpoint to choose from")
    kind, about = parse_rule(rule)
    values: dict[int, float | None]
    if isinstance(about, int):  # closed-loop: a number of scenes
        from bomb.training.playing import success_rates  # plays

        values = {step: -rate for step, rate in success_rates(out, about).items()}
    elif kind == "last":
        values = {step: float(-step) for step in steps}
    else:
        values = {step: _value(out, step, kind, about) for step in steps}
    ranked = {step: value for step, value in values.items() if value is not None}
    if not ranked:
        raise OptionError(f"no checkpoint of {out} was measured, as select {rule!r} needs")
    step = min(sorted(ranked, reverse=True), key=lambda step: ranked[step])
    result = {"rule": rule, "step": step, "values": {str(key): value for key, value in values.items()}}
    _publish(out, step, result)
    return result


def measurements(out: Path) -> dict[int, dict[str, Any]]:
    """What was measured on held-out episodes, by step."""
    return {row["step"]: row for row in read_log(out) if row["kind"] == "held_out"}


def value_of(row: dict[str, Any], kind: str, about: str | None) -> float | None:
    """What a rule says of a measurement; smaller is better.

    Raises:
        UnknownNameError: for a group or error that there is not.
    """
    if kind == "group":
        row, kind = row["groups"][check_choice("group of the action", about, row["groups"])], "mse"
    elif kind == "error":
        row = row.get("errors", {})
        kind = check_choice("error of the model", about, row)
    value: float | None = row[kind]
    return value


def _value(out: Path, step: int, kind: str, about: str | None) -> float | None:
    row = measurements(out).get(step)
    return None if row is None else value_of(row, kind, about)


def _publish(out: Path, step: int, result: dict[str, Any]) -> None:
    """Copies the checkpoint as a whole, with the rule in its ``bomb.json``."""
    source, place = step_folder(out, CHECKPOINTS, step), out / CHOSEN
    with writing(place), tempfile.TemporaryDirectory(dir=out, prefix=".chosen.") as temporary:
        fresh = Path(temporary) / "new"
        shutil.copytree(source, fresh)
        settings = VLASettings.read(fresh)
        replace(settings, training={**settings.training, "selection": result}).write(fresh)
        if place.exists():
            place.rename(Path(temporary) / "old")
        fresh.rename(place)
