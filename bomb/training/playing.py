"""Every checkpoint of a training, played on the same scenes of the split ``validation``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bomb.disk.files import read_json
from bomb.evaluation.runner import evaluate
from bomb.evaluation.settings import EvaluationSettings, ExecutionSettings
from bomb.models.registry import FAMILIES
from bomb.models.settings import VLASettings
from bomb.runs.store import RunStore
from bomb.training.folders import CHECKPOINTS, step_folder, steps_in
from core.errors import BombError

ROLLOUTS, SPLIT = "rollouts", "validation"


def play_checkpoints(
    out: Path, scenes: int, *, backends: Sequence[str], workers: int | None = None
) -> dict[int, dict[tuple[str, int], bool]]:
    """Plays what was not played yet; runs are kept in ``OUT/rollouts``.

    Args:
        out: folder of the training.
        scenes: how many, from seed 0 on, in each engine.
        backends: registered names.
        workers: processes; None: one a core.

    Returns:
        By step, whether each (engine, seed) ended in success.

    Raises:
        BombError: as ``bomb.evaluation.runner.evaluate``, and if a run was not finished.
    """
    return {step: _played(out, step, scenes, tuple(backends), workers) for step in steps_in(out, CHECKPOINTS)}


def success_rates(out: Path, scenes: int) -> dict[int, float]:
    """By step, the share of successes in all engines that the training's data were played in."""
    (first, *_) = steps_in(out, CHECKPOINTS)
    trained_on = VLASettings.read(step_folder(out, CHECKPOINTS, first)).trained_on
    backends = sorted({name for entry in trained_on for name in entry.get("backends", ())}) or ["mujoco"]
    played = play_checkpoints(out, scenes, backends=backends)
    return {step: float(np.mean(list(outcomes.values()))) for step, outcomes in played.items()}


def policy_of(checkpoint: Path, model: VLASettings) -> str:
    """The words for ``bomb.make_policy`` that play a checkpoint."""
    scheme = "vla" if model.history == 1 else "vla_history"
    if FAMILIES.load(model.family).recurrent:
        scheme = "small-vla"
    return f"{scheme}(checkpoint={str(checkpoint)!r}, threads=1)"


def _played(
    out: Path, step: int, scenes: int, backends: tuple[str, ...], workers: int | None
) -> dict[tuple[str, int], bool]:
    checkpoint = step_folder(out, CHECKPOINTS, step).resolve()
    model = VLASettings.read(checkpoint)
    settings = EvaluationSettings(
        policy=policy_of(checkpoint, model),
        backends=backends,
        tasks=tuple(dict.fromkeys(entry["task"] for entry in model.trained_on if "task" in entry))
        or ("place_stone",),
        split=SPLIT,
        episodes=scenes,
        cameras=model.cameras,
        image_size=model.image_size,
        action_mode=model.convention.action_mode,
        control_hz=model.control_hz,
    )
    folder = out / ROLLOUTS / f"step_{step:06d}-{scenes}-{'-'.join(backends)}"
    # A finished run is not opened again: it would load the model to play nothing.
    summary = folder / "summary.json"
    result: dict[str, Any] = read_json(summary) if summary.is_file() else {"complete": False}
    if not result["complete"]:
        result = evaluate(settings, folder, execution=ExecutionSettings(workers=workers))
    if not result["complete"]:
        raise BombError(f"{folder} is not complete: {result['stopped'] or 'episodes ended with errors'}")
    names = {entry["condition"]: (entry["task"], entry["backend"]) for entry in result["conditions"]}
    with RunStore.open(folder) as store:
        rows = store.episodes()
    return {("/".join(names[row.condition]), row.seed): bool(row.success) for row in rows}
