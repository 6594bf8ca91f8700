"""Questions, actions and statistics that are made up, for checking models."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.models.codecs.statistics import DatasetStatistics, Statistics
from bomb.models.registry import FAMILIES
from bomb.models.requests import Request
from bomb.models.settings import VLASettings
from bomb.models.vla import VLA

TEXTS = (
    "Put the black stone on row 1, column 2.",
    "Put a white stone on the intersection of row 0 and column 3, please.",
    "Place black at row 4, column 0.",
)
SIDE = 64


def toy_statistics(dims: int = 4) -> DatasetStatistics:
    """Of actions that are equally likely from -1 to 1, with a gripper that is 0 or 1."""
    draw = np.random.default_rng(0)
    actions = draw.uniform(-1, 1, (1000, dims))
    actions[:, -1] = draw.integers(0, 2, 1000)
    states = draw.uniform([-0.2, -0.2, 0.0, 0.0], [0.6, 0.2, 0.4, 1.0], (1000, 4))
    mask = np.arange(dims) < dims - 1
    return DatasetStatistics(
        action=Statistics.of(actions, mask),
        proprio=Statistics.of(states),
        transitions=1000,
        trajectories=10,
    )


def toy_settings(family: str, **changes: Any) -> VLASettings:
    """Of a model that looks through the camera ``head`` at pictures of 64 x 64 pixels."""
    return replace(VLASettings(family=family, cameras=("head",), image_size=(SIDE, SIDE)), **changes)


def tiny(family: str, *, seed: int = 0, **changes: Any) -> VLA:
    """A tiny model of a registered family that knows the words of ``TEXTS``.

    Args:
        family: its name.
        seed: of its weights.
        changes: of ``toy_settings``.
    """
    settings = toy_settings(family, **changes)
    kind: type[VLA] = FAMILIES.load(family)
    return kind.tiny(settings, toy_statistics(settings.convention.dims), texts=TEXTS, seed=seed)


def toy_requests(settings: VLASettings, count: int = 3, seed: int = 0) -> list[Request]:
    """Questions about pictures of random squares, with sentences of different lengths."""
    draw = np.random.default_rng(seed)

    def moment(k: int) -> Request:
        pictures = {}
        for camera in settings.cameras:
            picture = np.full((*settings.image_size, 3), draw.integers(0, 256), dtype=np.uint8)
            for _ in range(6):
                top, left = draw.integers(0, settings.image_size[0]), draw.integers(0, settings.image_size[1])
                picture[top : top + 20, left : left + 20] = draw.integers(0, 256, 3)
            pictures[camera] = picture
        state = draw.uniform([-0.2, -0.2, 0.0, 0.0], [0.6, 0.2, 0.4, 1.0]).astype(np.float32)
        return Request(pictures=pictures, instruction=TEXTS[k % len(TEXTS)], state=state)

    def question(k: int) -> Request:
        earlier = tuple(moment(k) for _ in range(settings.history - 1))
        return replace(moment(k), history=earlier)

    return [question(k) for k in range(count)]


def toy_actions(settings: VLASettings, count: int = 3, seed: int = 0) -> npt.NDArray[np.float32]:
    """float32[count, chunk, 4]: deltas from -0.9 to 0.9, a gripper that is 0 or 1."""
    draw = np.random.default_rng(seed)
    actions = draw.uniform(-0.9, 0.9, (count, settings.chunk, 4))
    actions[..., 3] = draw.integers(0, 2, (count, settings.chunk))
    return actions.astype(np.float32)
