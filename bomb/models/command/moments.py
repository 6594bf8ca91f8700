"""Moments of a dataset as questions, with what was done then."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.dataset import Dataset
from bomb.models.pi0.samples import make_samples
from bomb.models.requests import Request
from bomb.models.settings import VLASettings
from core.errors import ConventionError

EVERY = 5  # moments of a demonstration; neighbours hardly differ


def moments(folder: Path, data: Path, *, backend: str) -> tuple[list[Request], npt.NDArray[np.float32]]:
    """Every fifth moment of the first demonstration, drawn by an engine as the checkpoint is shown it.

    Returns:
        Requests and actions, as ``bomb.models.command.verifying.verify`` takes them.

    Raises:
        ConventionError: if the dataset's actions mean something else than the checkpoint's.
        FileError, OptionError, RenderError: as reading and drawing demonstrations do.
    """
    settings, dataset = VLASettings.read(folder), Dataset.open(data)
    samples = make_samples(
        [dataset],
        backends=[backend],
        cameras=settings.cameras,
        image_size=settings.image_size,
        chunk=settings.chunk,
        limit=1,
    )
    here = (settings.convention.action_mode, settings.control_hz)
    if here != (samples.action_mode, samples.control_hz):
        raise ConventionError(
            f"the checkpoint's actions are {here[0]} at {here[1]} Hz, the dataset's {samples.action_mode} at "
            f"{samples.control_hz} Hz"
        )
    chosen = range(0, len(samples), EVERY)
    requests = [
        Request(
            pictures=dict(zip(settings.cameras, samples.pictures[k], strict=True)),
            instruction=samples.texts[k],
            state=samples.states[k],
        )
        for k in chosen
    ]
    return requests, samples.actions[list(chosen)]
