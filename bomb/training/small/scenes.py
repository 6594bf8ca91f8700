"""Scenes that the whole network learns from: moments of one look, in a row, with words about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bomb.models.keypoint.format import CAMERAS, LINES, PITCH
from bomb.models.small.memory import LONG
from bomb.training.keypoint.augmentation import random_warp, recovered, relit, warped
from bomb.training.keypoint.drawing import Look
from bomb.training.keypoint.labels import Points, Targets, points_of, targets_of
from bomb.training.keypoint.sentences import sentence

OPEN = 0.55  # a measured opening above this is that of an empty hand
AT_TOOL = 0.75  # share of carried stones that are to go to the intersection under them
HINTED = 0.6  # share of scenes in which the stone under the hand is what the memory begins with
HINT = 0.006  # m, standard deviation of that
SHAKEN = 0.002  # m, of the commanded target beside the tool


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """One look, as ``bomb.training.keypoint.drawing.Look`` has it, and the key points of each picture."""

    look: Look
    points: list[list[Points]]
    group: str

    @classmethod
    def read(cls, file: Path) -> "Scene":
        """Reads a file.

        Raises:
            FileError: naming it, if it is damaged.
        """
        look = Look.read(file)
        moments = range(len(look.pictures))
        points = [[points_of(look, moment, k) for k in range(len(CAMERAS))] for moment in moments]
        return cls(look=look, points=points, group=file.parent.name)

    def usable(self) -> list[int]:
        """Moments in which it is plain what the gripper does; the first is not among them."""
        look = self.look
        return [k for k in range(1, len(look.states)) if look.held[k] >= 0 or look.states[k, 3] > OPEN]


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What a scene is asked about: words, and what they mean.

    Attributes:
        moments: of the look, in their order.
        words: the instruction.
        meant: colour (0 black, 1 white), row, column.
        goal: float64[2], x and y in R (m).
        stone: float64[2] (m), the stone that is to be taken; None: one is in the hand.
        hint: float64[2] (m), where the memory begins to believe the stone; None: nothing is believed.
    """

    moments: list[int]
    words: str
    meant: tuple[int, int, int]
    goal: np.ndarray
    stone: np.ndarray | None
    hint: np.ndarray | None


def about(scene: Scene, looks: int, rng: np.random.Generator) -> Told:
    """Chooses moments, and words about the last of them."""
    look, usable = scene.look, scene.usable()
    last = int(rng.choice(usable))
    holds = look.held[last] >= 0
    alike = [k for k in usable if k != last and (look.held[k] >= 0) == holds] or [last]
    between = [int(k) for k in rng.choice(alike, size=looks - 2)]
    tool = look.states[last, :2].astype(np.float64)
    nodes = np.array([_node(look, row, column) for row in range(LINES) for column in range(LINES)])
    place = int(rng.integers(len(nodes)))
    stone: np.ndarray | None = None
    hint: np.ndarray | None = None
    if holds:
        color = int(look.colors[look.held[last]])
        if rng.random() < AT_TOOL:
            place = int(np.linalg.norm(nodes - tool, axis=1).argmin())
    else:
        stones = look.stones[last, :, :2]
        away = np.linalg.norm(stones - tool, axis=1)
        off = np.linalg.norm(stones[:, None] - nodes[None], axis=2).min(1) > 0.02
        nearest = int((away + 10.0 * ~off).argmin())
        color, stone = int(look.colors[nearest]), np.asarray(stones[nearest])
        if rng.random() < HINTED:
            hint = stone + rng.normal(0.0, HINT, 2)
    meant = (color - 1, place // LINES, place % LINES)
    return Told(
        moments=[0, *between, last], words=sentence(rng, meant)[0], meant=meant, goal=nodes[place],
        stone=stone, hint=hint,
    )  # fmt: skip


def _node(look: Look, row: int, column: int) -> np.ndarray:
    middle = (LINES - 1) / 2
    place = np.array([(column - middle) * PITCH, (middle - row) * PITCH])
    return np.asarray(look.board[:, :2] @ place + look.board[:, 2])


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One moment of N scenes.

    Attributes:
        pictures: float32[N, cameras, 3, H, W], 0 to 1.
        states: float32[N, 4], proprioception.
        commanded: float32[N, 4], target (m) and opening.
        since, holds: float32[N, 1].
        targets: by camera what the eyes are to say of each picture.
        stones: of each scene float32[S, 2], the stones of the colour that was said (m).
    """

    pictures: Tensor
    states: Tensor
    commanded: Tensor
    since: Tensor
    holds: Tensor
    targets: list[list[Targets]]
    stones: list[Tensor]


def shown(scenes: Sequence[Scene], told: Sequence[Told], rng: np.random.Generator | None) -> list[Shown]:
    """What N scenes show, moment by moment; cameras, light and table stay the same in each.

    Args:
        scenes: as many as ``told``.
        told: what they are asked about, all of the same number of moments.
        rng: of the augmentation; None leaves pictures as they are.
    """
    eye = np.eye(3)
    warps = [[random_warp(rng) if rng else eye for _ in CAMERAS] for _ in scenes]
    seeds = rng.integers(1 << 30, size=len(scenes)) if rng else None
    light = rng.integers(1 << 30) if rng else 0
    return [_moment(scenes, told, k, warps, seeds, int(light)) for k in range(len(told[0].moments))]


def _moment(
    scenes: Sequence[Scene], told: Sequence[Told], number: int, warps: list[list[np.ndarray]],
    seeds: np.ndarray | None, light: int,
) -> Shown:  # fmt: skip
    pictures, targets = [], []
    moments = [one.moments[number] for one in told]
    for camera in range(len(CAMERAS)):
        seen = []
        for k, (scene, moment) in enumerate(zip(scenes, moments, strict=True)):
            picture = scene.look.pictures[moment, camera].astype(np.float32) / 255
            if seeds is not None:
                plane, parts = scene.points[moment][camera].plane, scene.look.parts[moment, camera]
                picture = recovered(picture, parts, plane, np.random.default_rng([seeds[k], camera]))
            seen.append(picture.transpose(2, 0, 1))
        stacked = torch.from_numpy(np.stack(seen).astype(np.float32)).contiguous()
        if seeds is not None:
            here = np.array([one[camera] for one in warps])
            stacked = relit(warped(stacked, here), np.random.default_rng([light, camera]))
        pictures.append(stacked)
        targets.append(
            [
                targets_of(s.points[m][camera], warps[k][camera])
                for k, (s, m) in enumerate(zip(scenes, moments, strict=True))
            ]
        )
    states = np.array(
        [scene.look.states[m] for scene, m in zip(scenes, moments, strict=True)], dtype=np.float32
    )
    holds = np.array(
        [[float(s.look.held[m] >= 0)] for s, m in zip(scenes, moments, strict=True)], dtype=np.float32
    )
    shake = np.random.default_rng([light, number]).normal(0.0, SHAKEN, (len(scenes), 3)) * (seeds is not None)
    commanded = np.concatenate([states[:, :3] + shake, 1 - holds], 1).astype(np.float32)
    stones = [
        torch.from_numpy(s.look.stones[m, s.look.colors == one.meant[0] + 1, :2].astype(np.float32))
        for s, m, one in zip(scenes, moments, told, strict=True)
    ]
    return Shown(
        pictures=torch.stack(pictures, 1), states=torch.from_numpy(states),
        commanded=torch.from_numpy(commanded), since=torch.from_numpy(np.where(holds > 0, 10.0,
        LONG).astype(np.float32)), holds=torch.from_numpy(holds), targets=targets, stones=stones,
    )  # fmt: skip
