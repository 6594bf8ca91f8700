"""The pictures that an eye learns from and is measured on, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bomb.models.keypoint.format import scaled
from bomb.training.keypoint.augmentation import random_warp, recovered, relit, warped
from bomb.training.keypoint.drawing import Look
from bomb.training.keypoint.labels import Points, Targets, points_of, targets_of
from bomb.training.keypoint.network import normalised


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureBatch:
    """N pictures, normalised float32[N, 3, H, W], states float32[N, 4], and what an eye is to say of them."""

    pictures: torch.Tensor
    states: torch.Tensor
    targets: list[Targets]


class CameraSamples:
    """All pictures of one camera.

    Args:
        files: of looks.
        camera: index in ``bomb.models.keypoint.format.CAMERAS``.

    Raises:
        FileError: naming a file that is damaged.
    """

    def __init__(self, files: Sequence[Path], camera: int):
        self.pictures: list[np.ndarray] = []
        self.parts: list[np.ndarray] = []
        self.states: list[np.ndarray] = []
        self.points: list[Points] = []
        self.groups: list[str] = []
        for file in files:
            look = Look.read(file)
            for moment in range(len(look.pictures)):
                self.pictures.append(look.pictures[moment, camera])
                self.parts.append(look.parts[moment, camera])
                self.states.append(look.states[moment])
                self.points.append(points_of(look, moment, camera))
                self.groups.append(file.parent.name)

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, chosen: Sequence[int], rng: np.random.Generator) -> PictureBatch:
        """Pictures to learn from, each changed at random."""
        warps = np.array([random_warp(rng) for _ in chosen])
        pictures = np.stack(
            [
                recovered(self.pictures[k].astype(np.float32) / 255, self.parts[k], self.points[k].plane, rng)
                for k in chosen
            ]
        )
        seen = torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32)).contiguous()
        seen = relit(warped(seen, warps), rng)
        targets = [targets_of(self.points[k], warp) for k, warp in zip(chosen, warps, strict=True)]
        states = torch.from_numpy(scaled(np.array([self.states[k] for k in chosen])))
        return PictureBatch(pictures=normalised(seen), states=states, targets=targets)
