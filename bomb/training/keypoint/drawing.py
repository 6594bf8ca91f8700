"""Demonstrations drawn with what is exactly known of them: where everything is, and how each camera looks.

::

    STORE/NAME-BACKEND-0/seed_000007_1.npz   the moments of demonstration 7 in its first look
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.pictures import Renderer
from bomb.disk.files import FileError, write_bytes, writing
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE
from bomb.processes.workers import work_off
from bomb.training.keypoint.recipe import LooksRecipe
from bomb.training.keypoint.scenes import NONE, MomentChooser, board_in_base
from core.board.boards import COLORS
from core.environment import Environment
from core.episode.archive import read_archive
from core.rendering.pinhole import Cameras
from core.seeding import stream
from core.world.scene import SegmentationId

BLACK, WHITE = (
    int(SegmentationId.STONE),
    int(SegmentationId.STONE) + 1,
)  # of all stones in a stored segmentation


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """N moments of one demonstration in one look, seen by C cameras.

    Attributes:
        pictures: uint8[N, C, H, W, 3].
        parts: uint8[N, C, H, W], ``SegmentationId``; black stones are ``STONE``, white ones ``STONE`` + 1.
        projections: float64[N, C, 3, 4], from points of R (m) to pixels, up to a factor.
        states: float32[N, 4], proprioception.
        stones: float64[N, S, 3], middles of the stones in R (m).
        colors: int64[S], 1 black, 2 white.
        held: int64[N], which of the S is in the hand, or -1.
        board: float64[2, 3], from (x_B, y_B, 1) to x and y of R (m).
    """

    pictures: np.ndarray
    parts: np.ndarray
    projections: np.ndarray
    states: np.ndarray
    stones: np.ndarray
    colors: np.ndarray
    held: np.ndarray
    board: np.ndarray

    def to_bytes(self) -> bytes:
        """A NumPy archive, not compressed: noise does not compress."""
        buffer = io.BytesIO()
        np.savez(buffer, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        return buffer.getvalue()

    @classmethod
    def read(cls, file: Path) -> "Look":
        """Reads an archive.

        Raises:
            FileError: naming the file, if it is damaged.
        """
        try:
            stored = read_archive(file.read_bytes())
            return cls(**{name: stored[name] for name in cls.__dataclass_fields__})
        except (OSError, ValueError, KeyError) as error:
            raise FileError(f"{file} is damaged ({error}); remove it, and it is drawn again") from error


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One demonstration in one look.

    Attributes:
        dataset: folder.
        looks: index of the recipe's entry.
        seed: of the demonstration.
        look: from 1 on.
    """

    dataset: str
    looks: int
    seed: int
    look: int

    def file(self, store: Path, looks: Sequence[LooksRecipe]) -> Path:
        """Where it is in a store."""
        folder = f"{Path(self.dataset).resolve().name}-{looks[self.looks].backend}-{self.looks}"
        return Path(store) / folder / f"seed_{self.seed:06d}_{self.look}.npz"


def drawings_of(datasets: Sequence[Dataset], looks: Sequence[LooksRecipe]) -> list[Drawing]:
    """All that a recipe has drawn of some datasets, those of one dataset and entry one after the other."""
    return [
        Drawing(dataset=str(dataset.path), looks=k, seed=seed, look=look)
        for dataset in datasets
        for k, recipe in enumerate(looks)
        for seed in dataset.seeds()[k % recipe.every :: recipe.every]
        for look in range(1, recipe.looks + 1)
    ]


def draw(
    drawings: Sequence[Drawing],
    looks: Sequence[LooksRecipe],
    store: Path,
    *,
    workers: int = 1,
    report: Callable[[int], None] | None = None,
) -> None:
    """Draws what a store lacks.

    Args:
        drawings: what is wanted.
        looks: the recipe's entries.
        store: a folder.
        workers: processes.
        report: called with how many are there, once for each.

    Raises:
        FileError: naming a file that is damaged or cannot be written.
        OptionError, UnknownNameError: for knobs that may not be turned.
        BombError: if a drawing process dies.
    """
    missing = [drawing for drawing in drawings if not drawing.file(store, looks).exists()]
    there = len(drawings) - len(missing)

    def drawn(_: Drawing, __: object) -> None:
        nonlocal there
        there += 1
        if report is not None:
            report(there)

    make = partial(Drawer, tuple(looks), Path(store))
    count = max(1, min(workers, len(missing)))
    work_off(make, missing, count, done=drawn, name=lambda drawing: f"the pictures of seed {drawing.seed}")


class Drawer:
    """Draws in a process of its own.

    Args:
        looks: the recipe's entries.
        store: where pictures go.
    """

    def __init__(self, looks: tuple[LooksRecipe, ...], store: Path):
        self._looks, self._store = looks, store
        self._open: tuple[str, int] | None = None
        self._dataset: Dataset
        self._renderer: Renderer

    def __call__(self, drawing: Drawing) -> None:
        """Draws one.

        Raises:
            FileError: if the demonstration cannot be read, or the file cannot be written.
        """
        if self._open != (drawing.dataset, drawing.looks):
            self._reopen(drawing)
        look = self._drawn(self._dataset.load(drawing.seed), drawing)
        file = drawing.file(self._store, self._looks)
        with writing(file):
            write_bytes(file, look.to_bytes())

    def _reopen(self, drawing: Drawing) -> None:
        if self._open is not None:
            self._renderer.close()
        recipe = self._looks[drawing.looks]
        self._dataset = Dataset.open(Path(drawing.dataset))
        self._renderer = Renderer(
            self._dataset.settings,
            backend=recipe.backend,
            cameras=CAMERAS,
            image_size=IMAGE_SIZE,
            modalities=("rgb", "segmentation"),
            perturbations=dict(recipe.perturbations) or None,
        )
        self._open = drawing.dataset, drawing.looks

    def _drawn(self, demonstration: Demonstration, drawing: Drawing) -> Look:
        rng = stream(
            self._dataset.settings["split"], drawing.seed, f"keypoint:{drawing.looks}:{drawing.look}"
        )
        (first,) = self._renderer.moments(demonstration, [0], visual_draw=drawing.look)
        env: Environment = first["env"]
        scene = env.episode.scene
        cameras, chooser = Cameras(scene, IMAGE_SIZE), MomentChooser(scene)
        chosen = chooser.choose(demonstration, scene, rng)
        ids = demonstration.stone_ids.tolist()
        rows: dict[str, list[Any]] = {
            name: [] for name in ("pictures", "parts", "projections", "states", "stones", "held")
        }
        for state, held in chosen:
            env.show(state)
            seen = env.observe()
            rows["pictures"].append([seen["images"][camera] for camera in CAMERAS])
            rows["parts"].append([parts_of(seen["segmentation"][camera], scene.stones) for camera in CAMERAS])
            rows["projections"].append(
                [cameras.K[camera] @ cameras.extrinsics(camera, state)[:3] for camera in CAMERAS]
            )
            rows["states"].append(seen["state"])
            rows["stones"].append(chooser.to_base(state.stone_poses[:, :3]))
            rows["held"].append(NONE if held == NONE else ids.index(held))
        return Look(
            pictures=np.array(rows["pictures"], dtype=np.uint8),
            parts=np.array(rows["parts"], dtype=np.uint8),
            projections=np.array(rows["projections"]),
            states=np.array(rows["states"], dtype=np.float32),
            stones=np.array(rows["stones"]),
            colors=np.array([COLORS[scene.stones[k].color] for k in ids]),
            held=np.array(rows["held"]),
            board=board_in_base(scene, chooser),
        )


def parts_of(segmentation: np.ndarray, stones: Sequence[Any]) -> np.ndarray:
    """uint8[H, W] of int32[H, W]: stones by their colour alone."""
    parts = segmentation.copy()
    for color, value in (("black", BLACK), ("white", WHITE)):
        ids = [int(SegmentationId.STONE) + k for k, stone in enumerate(stones) if stone.color == color]
        parts[np.isin(segmentation, ids)] = value
    return parts.astype(np.uint8)
