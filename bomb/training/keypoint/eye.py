"""One eye learns, and can be interrupted: what a step does depends on its number and the seed alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bomb.disk.files import FileError, appearing
from bomb.models.folders import saving
from bomb.training.keypoint.eye_loss import eye_loss
from bomb.training.keypoint.network import EyeNetwork
from bomb.training.keypoint.recipe import EyeRecipe
from bomb.training.keypoint.samples import CameraSamples
from core.errors import BombError

SAVE_EVERY = 100
WARM_UP = 0.05  # share of the steps in which the rate rises
CLIP = 5.0  # greatest norm of the gradient


def train_eye(
    samples: CameraSamples, references: int, recipe: EyeRecipe, seed: int, state: Path,
    report: Callable[[int, float, dict[str, Any]], None] | None = None,
) -> EyeNetwork:  # fmt: skip
    """An eye that has learned; the same call resumes one that was interrupted.

    Args:
        samples: what it learns from.
        references: how many reference points the camera has.
        recipe: how.
        seed: of weights, order and augmentation.
        state: file to resume from, written every ``SAVE_EVERY`` steps.
        report: called with each step, its loss and the loss's parts.

    Raises:
        FileError: if the state cannot be read.
        BombError: naming the step, if a loss is not finite.
    """
    torch.manual_seed(seed)
    network = EyeNetwork(references)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.steps, pct_start=WARM_UP
    )
    parts = {"network": network, "optimiser": optimiser, "schedule": schedule}
    first = resumed_step(state, parts) + 1
    network.train()
    for step in range(first, recipe.steps + 1):
        rng = np.random.default_rng([seed, step])
        batch = samples.batch(rng.integers(len(samples), size=recipe.batch).tolist(), rng)
        loss, said = eye_loss(*network(batch.pictures, batch.states), targets=batch.targets)
        if not torch.isfinite(loss):
            raise BombError(f"the loss of an eye is not finite in step {step}")
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        if step % SAVE_EVERY == 0 or step == recipe.steps:
            save_state(state, parts, step)
        if report is not None:
            report(step, loss.item(), said)
    return network


def save_state(file: Path, parts: dict[str, Any], step: int) -> None:
    """Writes the states of modules, optimisers and schedules by name, as a whole or not at all.

    Raises:
        WriteError: if the file cannot be written.
    """
    with saving(file), appearing(file) as beside:
        torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, beside)


def resumed_step(file: Path, parts: dict[str, Any]) -> int:
    """Loads a state into its parts; the step that it was saved after, 0 if there is none.

    Raises:
        FileError: if it cannot be read.
    """
    if not file.exists():
        return 0
    try:
        stored = torch.load(file, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(stored[name])
        return int(stored["step"])
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise FileError(f"{file} cannot be read; remove it to begin this part again: {error}") from error
