"""An episode as training reads it: pictures in one file that is mapped into memory, the rest in another.

::

    STORE/SOURCE/frames.json               what was drawn, and with what
    STORE/SOURCE/episode_000007.npy        pictures, uint8[N, cameras, H, W, 3]
    STORE/SOURCE/episode_000007.depth.npy  depth (m), float32[N, cameras, H, W], where it was asked for
    STORE/SOURCE/episode_000007.npz        the rest; written last, so that an episode is whole if it is there
    STORE/SOURCE/episode_000007_draw1.*    the same demonstration in another visual draw
"""

import io
import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.chunks import held
from bomb.demonstrations.rendering import episode_name
from bomb.disk.files import FileError, read_json, write_bytes
from core.episode.archive import read_archive

FORMAT, VERSION = "bomb-frames", 2
MARKER = "frames.json"
LABEL = "label."  # before the names of labels in a file
OPEN = 64  # files of pictures and depth that are mapped at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """What is known of an episode but its pictures: N moments, T actions.

    Attributes:
        number: of the episode in its dataset; the seed of a demonstration.
        rows: int64[N], which actions the moments come before.
        states: float32[N, 4], proprioception.
        texts: the instructions.
        swapped: the same with row and column exchanged; empty where that says nothing else.
        asked: int64[N], which of them.
        actions: float32[T, 4], in the action mode of the store.
        ends: int64[N], the action with which the move of each moment ends (excluded).
        stages: int8[N], as ``bomb.demonstrations.stages``; -1 where unknown.
        cells: int64[N, 2], row and column of the target; -1 where there is none.
        targets: float32[N, cameras, 3], u, v of the target in pixels, and whether it is in view.
        occupancy: int8[N, cells], what stands on the board; no columns where unknown.
        visual_draw: number of the draw of what is only seen and said.
        labels: further answers for those who learn to see, N of each, by name; empty where unknown. Positions
            are in R (m), pixels are of the stored pictures. ``stone`` int64[N]: pool index of the stone that
            the move takes, -1 where there is none; ``target_position`` float32[N, 4]: x, y, z, known or not;
            ``stone_positions`` float32[N, 32, 4]: x, y, z, in play, by pool index; ``board_corners``
            float32[N, 4, 3], clockwise from the top left; ``commanded_target`` float32[N, 3], before the
            action; ``stone_pixels`` float32[N, cameras, 32, 3]: u, v, in view; ``intrinsics`` float32[N,
            cameras, 3, 3]; ``extrinsics`` float32[N, cameras, 4, 4], X_CR; ``visible`` int64[N, cameras, 33]:
            whether target and stones are uncovered, where that was asked for.
    """

    number: int
    rows: np.ndarray
    states: np.ndarray
    texts: tuple[str, ...]
    swapped: tuple[str, ...]
    asked: np.ndarray
    actions: np.ndarray
    ends: np.ndarray
    stages: np.ndarray
    cells: np.ndarray
    targets: np.ndarray
    occupancy: np.ndarray
    visual_draw: int = 0
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def chunk(self, k: int, length: int, *, hold: bool, mode: str) -> tuple[np.ndarray, np.ndarray]:
        """The actions from moment ``k`` on, float32[length, 4], and which count, bool[length].

        Beyond the end of the move deltas are zero, absolute positions and the gripper stay as they were.

        Args:
            k: moment.
            length: actions.
            hold: whether what is beyond the end counts, too.
            mode: of the actions, ``delta`` or ``absolute``.
        """
        first, end = int(self.rows[k]), int(self.ends[k])
        chunk = held(self.actions[first:end], length, mode)
        return chunk, np.arange(length) < (length if hold else end - first)

    def to_bytes(self) -> bytes:
        """A compressed NumPy archive."""
        head = {
            "number": self.number,
            "texts": list(self.texts),
            "swapped": list(self.swapped),
            "visual_draw": self.visual_draw,
        }
        buffer = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {f"{LABEL}{name}": label for name, label in self.labels.items()}
        np.savez_compressed(buffer, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
        return buffer.getvalue()

    @classmethod
    def read(cls, file: Path) -> "Episode":
        """Reads an archive.

        Raises:
            FileError: naming the file, if it is damaged.
        """
        try:
            stored = read_archive(file.read_bytes())
            head = json.loads(stored["head"].tobytes())
            arrays: dict[str, Any] = {name: stored[name] for name in _ARRAYS}
            labels = {
                name.removeprefix(LABEL): label for name, label in stored.items() if name.startswith(LABEL)
            }
            return cls(
                number=head["number"],
                visual_draw=head["visual_draw"],
                texts=tuple(head["texts"]),
                swapped=tuple(head["swapped"]),
                labels=labels,
                **arrays,
            )
        except (OSError, ValueError, KeyError) as error:
            raise FileError(f"{file} is damaged ({error}); remove it, and it is drawn again") from error


_ARRAYS = ("rows", "states", "asked", "actions", "ends", "stages", "cells", "targets", "occupancy")


class MomentFile:
    """Pictures or depth of one episode on their way to the disk, one moment at a time.

    Args:
        file: where they go, once all are there.
        shape: of all of them, (N, cameras, H, W) or (N, cameras, H, W, 3).
        dtype: of each number.

    Raises:
        OSError: if the disk has no place for all of them.
    """

    def __init__(self, file: Path, shape: tuple[int, ...], dtype: npt.DTypeLike):
        self._file, self._beside = file, file.with_name(f".{file.name}.{os.getpid()}.part")
        file.parent.mkdir(parents=True, exist_ok=True)
        self._array = np.lib.format.open_memmap(self._beside, "w+", dtype, shape)
        try:
            # A page of a file with holes that finds no place on the disk ends the process (SIGBUS).
            with self._beside.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, self._beside.stat().st_size)
        except OSError:
            self.close(whole=False)
            raise
        self._count = 0

    def add(self, seen: np.ndarray) -> None:
        """The next moment's, of all cameras."""
        self._array[self._count] = seen
        self._count += 1

    def close(self, *, whole: bool) -> None:
        """Puts the file into its place, or removes it."""
        self._array.flush()
        del self._array
        if whole:
            self._beside.replace(self._file)
        else:
            self._beside.unlink(missing_ok=True)


class Frames:
    """The episodes of one source on disk, in the order of their numbers.

    Memory does not grow with the pictures: the last ``OPEN`` files of them are mapped, none is read
    before it is asked for.

    Args:
        folder: of the source in the store.

    Raises:
        FileError: if it holds no frames, or an episode is damaged.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.about = read_json(self.folder / MARKER)
        if (self.about.get("format"), self.about.get("version")) != (FORMAT, VERSION):
            raise FileError(f"{self.folder / MARKER} is not of format {FORMAT!r}, version {VERSION}")
        files = sorted(self.folder.glob("episode_*.npz"))
        self.episodes = tuple(Episode.read(file) for file in files)
        self.deep = bool(self.about.get("settings", {}).get("depth"))  # whether depth is there, too
        self._mapped: OrderedDict[Path, np.ndarray] = OrderedDict()

    def pictures(self, episode: int, k: int) -> np.ndarray:
        """Of a moment, uint8[cameras, H, W, 3], still on disk.

        Args:
            episode: index in ``episodes``.
            k: moment.

        Raises:
            FileError: if the file is missing, or not what it should be.
        """
        there = self.episodes[episode]
        moment: np.ndarray = self._map(self._place(there), len(there), np.dtype(np.uint8), 5)[k]
        return moment

    def depth(self, episode: int, k: int) -> np.ndarray:
        """Of a moment, float32[cameras, H, W] (m), still on disk; as ``pictures``, where ``deep``."""
        there = self.episodes[episode]
        file = depth_file(self._place(there))
        moment: np.ndarray = self._map(file, len(there), np.dtype(np.float32), 4)[k]
        if moment.shape != (shape := self.pictures(episode, k).shape[:-1]) or not np.isfinite(moment).all():
            raise FileError(
                f"{file} must hold finite numbers of shape {shape} for each moment, not so at moment {k}; "
                f"remove {file.name.partition('.')[0]}.npz to draw it again"
            )
        return moment

    def _place(self, episode: Episode) -> Path:
        return picture_file(self.folder, episode.number, episode.visual_draw)

    def _map(self, file: Path, moments: int, dtype: np.dtype[Any], dims: int) -> np.ndarray:
        if file not in self._mapped:
            self._mapped[file] = self._open(file, moments, dtype, dims)
            if len(self._mapped) > OPEN:
                self._mapped.popitem(last=False)
        self._mapped.move_to_end(file)
        return self._mapped[file]

    @staticmethod
    def _open(file: Path, moments: int, dtype: np.dtype[Any], dims: int) -> np.ndarray:
        try:
            array: np.ndarray = np.lib.format.open_memmap(file, mode="r")  # no archive, no pickle
        except (OSError, ValueError) as error:
            raise FileError(
                f"{file} cannot be read ({error}); remove {file.name.partition('.')[0]}.npz to draw it again"
            ) from error
        if array.dtype != dtype or array.ndim != dims or len(array) != moments:
            raise FileError(f"{file} has {array.dtype}{list(array.shape)}, not {moments} moments")
        return array


def picture_file(folder: Path, number: int, visual_draw: int = 0) -> Path:
    """Where an episode's pictures are."""
    return folder / f"{episode_name(number, visual_draw)}.npy"


def depth_file(pictures: Path) -> Path:
    """Where an episode's depth is, beside its pictures."""
    return pictures.with_suffix(".depth.npy")


def episode_file(folder: Path, number: int, visual_draw: int = 0) -> Path:
    """Where the rest of an episode is; it is there if the pictures are, too."""
    return folder / f"{episode_name(number, visual_draw)}.npz"


def write_episode(folder: Path, episode: Episode) -> None:
    """Says that an episode is whole; its pictures are there."""
    write_bytes(episode_file(folder, episode.number, episode.visual_draw), episode.to_bytes())
