"""Moments of a dataset as questions, with what was done then."""

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.chunks import held
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.models.requests import Request
from bomb.models.settings import VLASettings
from core.errors import ConventionError, OptionError

MODALITIES = ("rgb", "depth", "intrinsics")  # all that a family may look at
EVERY = 5  # moments of a demonstration; neighbours hardly differ


def moments(folder: Path, data: Path, *, backend: str) -> tuple[list[Request], npt.NDArray[np.float32]]:
    """Every fifth moment of the first demonstration, drawn by an engine as the checkpoint is shown it.

    Returns:
        Requests and actions, as ``bomb.models.command.verifying.verify`` takes them.

    Raises:
        ConventionError: if the dataset's actions mean something else than the checkpoint's.
        OptionError: if the dataset has no demonstration.
        FileError, RenderError: as reading and drawing demonstrations do.
    """
    settings, dataset = VLASettings.read(folder), Dataset.open(data)
    here = (settings.convention.action_mode, settings.control_hz)
    there = (dataset.settings["action_mode"], dataset.settings["control_hz"])
    if here != there:
        raise ConventionError(
            f"the checkpoint's actions are {here[0]} at {here[1]} Hz, "
            f"the dataset's {there[0]} at {there[1]} Hz"
        )
    seeds = dataset.seeds()
    if not seeds:
        raise OptionError(f"{data} has no demonstration")
    demonstration = dataset.load(seeds[0])
    renderer = Renderer(
        dataset.settings,
        backend=backend,
        cameras=settings.cameras,
        image_size=settings.image_size,
        modalities=MODALITIES,
    )
    seen: deque[dict[str, Any]] = deque(maxlen=settings.history)
    requests: list[Request] = []
    chunks: list[npt.NDArray[np.float32]] = []
    try:
        for step, frame in enumerate(renderer.frames(demonstration)):
            seen.append(frame)
            if step % EVERY == 0:
                *earlier, now = seen
                requests.append(Request.from_observation(now, earlier))
                chunks.append(held(demonstration.actions[step:], settings.chunk, there[0]))
    finally:
        renderer.close()
    return requests, np.stack(chunks)
