"""LeRobot folders, anybody's, as training reads them: copied once into a store, like what is drawn."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bomb.demonstrations.moments import Moments
from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.exports.actions import is_noop
from bomb.exports.folder import MARKER as EXPORTED
from bomb.exports.lerobot_folder import LeRobotFolder
from bomb.machine.versions import versions
from bomb.models.pictures import resize
from bomb.training.data_recipe import LeRobotRecipe
from bomb.training.drawing import exchanged
from bomb.training.episodes import (
    FORMAT,
    MARKER,
    VERSION,
    Episode,
    MomentFile,
    picture_file,
    write_episode,
)
from core.errors import ConventionError, OptionError, PolicyOutputError, UnknownNameError
from core.task import Instruction, Span

if TYPE_CHECKING:
    import pyarrow


def is_lerobot(folder: Path) -> bool:
    """Whether a folder looks like a LeRobotDataset."""
    return (Path(folder) / "meta" / "info.json").is_file()


class LeRobotEpisodes:
    """The episodes of one folder, read as a recipe says.

    Args:
        path: of the dataset.
        how: what its features mean.
        cameras: of the model, in its order.
        image_size: (height, width) that pictures are resized to (Pillow's bicubic).
        moments: which of an episode are read.
        drop_noops: whether moments in which nothing is commanded are left out.

    Raises:
        FileError: if the folder is not a dataset, or damaged.
        UnknownNameError: for a feature that it lacks, listing those that it has.
        OptionError: for features of another shape than the recipe says.
    """

    def __init__(
        self,
        path: Path,
        how: LeRobotRecipe,
        *,
        cameras: Sequence[str],
        image_size: tuple[int, int],
        moments: Moments = Moments(),  # noqa: B008 -- frozen
        drop_noops: bool = False,
    ):
        self.dataset, self._how = LeRobotFolder(path), how
        self._size, self._chosen, self._drop = image_size, moments, drop_noops
        self._views = {camera: how.cameras.get(camera, f"observation.images.{camera}") for camera in cameras}
        if unknown := sorted(how.cameras.keys() - set(cameras)):
            raise OptionError(
                f"lerobot.cameras names {', '.join(unknown)}; the model has {', '.join(cameras)}"
            )
        self._check_features()
        if drop_noops and how.convention.action_mode != "delta":
            raise OptionError("drop_noops is for deltas: an absolute action that asks for nothing is unknown")

    def _check_features(self) -> None:
        features, path = self.dataset.features, self.dataset.path
        for name in (self._how.state, self._how.action, *self._views.values()):
            if name not in features:
                raise UnknownNameError(f"feature of {path}", name, features)
        for view in self._views.values():
            if view not in self.dataset.cameras:
                raise UnknownNameError(f"camera of {path}", view, self.dataset.cameras)
        dims = self._how.convention.dims
        if list(features[self._how.action]["shape"]) != [dims]:
            raise OptionError(
                f"{path}: {self._how.action} is of shape {features[self._how.action]['shape']}, the "
                f"convention's rotation {self._how.convention.rotation!r} makes [{dims}]"
            )
        size = int(np.prod(features[self._how.state]["shape"]))
        if beyond := [k for k in self._how.state_entries if k >= size]:
            raise OptionError(
                f"{path}: {self._how.state} has {size} numbers; state_entries asks for {beyond[0]}"
            )

    def about(self) -> dict[str, Any]:
        """What a store says of the source, plain values."""
        settings = {
            **asdict(self._how), "cameras": dict(self._views), "image_size": list(self._size),
            **asdict(self._chosen), "drop_noops": self._drop,
        }  # fmt: skip
        info = json.dumps(self.dataset.info, sort_keys=True).encode()
        dataset = {"info": hashlib.sha256(info).hexdigest(), "episodes": len(self.dataset)}
        made = {"format": FORMAT, "version": VERSION, "settings": settings, "dataset": dataset}
        plain: dict[str, Any] = json.loads(json.dumps(made))
        return plain

    def copy(
        self, store: Path, *, numbers: Sequence[int], report: Callable[[int], None] | None = None
    ) -> Path:
        """Reads the episodes that a store lacks into it.

        Args:
            store: the folder for all sources.
            numbers: of the episodes.
            report: called with the number of each that was read.

        Returns:
            The source's folder in the store.

        Raises:
            FileError: naming a file that is missing, damaged or cannot be written.
            ConventionError: for actions that are not what the convention says.
        """
        about = self.about()
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
        folder = Path(store) / f"{self.dataset.path.resolve().name}-lerobot-{digest[:10]}"
        if (folder / MARKER).exists():
            there = read_json(folder / MARKER)
            there.pop("versions", None)
            if (difference := first_difference(there, about)) is not None:
                raise OptionError(
                    f"{folder} was read with {difference.name} = {difference.before!r}, "
                    f"not {difference.now!r}"
                )
        else:
            with writing(folder):
                write_json(folder / MARKER, {**about, "versions": versions()})
        for number in numbers:
            if (folder / f"episode_{number:06d}.npz").exists():
                continue
            with writing(folder):
                write_episode(folder, self._copied(folder, number))
            if report is not None:
                report(number)
        return folder

    def _copied(self, folder: Path, number: int) -> Episode:
        how, table = self._how, self.dataset.table(number)
        columns = {name: table[name].to_pylist() for name in table.column_names if "image" not in name}
        where = f"{self.dataset.path}, episode {number}"
        states = _numbers(columns[how.state], f"{where}: {how.state}")[:, list(how.state_entries)]
        try:
            actions = how.convention.to_bomb(_numbers(columns[how.action], f"{where}: {how.action}"))
        except PolicyOutputError as error:
            raise ConventionError(f"{where}: {error}") from error
        asked = np.array(columns["task_index"], dtype=np.int64)
        rows = np.arange(len(actions))
        if self._drop:
            rows = rows[~is_noop(actions)]
        rows = self._chosen.rows(rows, split="train", seed=number)
        if not len(rows):
            raise FileError(f"{where} has no action that does anything")
        # A move is a run of one instruction; the same words again are another move.
        starts = np.flatnonzero(np.diff(asked, prepend=asked[0] - 1))
        move = np.searchsorted(starts, rows, side="right") - 1
        self._write_pictures(folder, number, rows, table)
        return Episode(
            number=number,
            rows=rows.astype(np.int64),
            states=np.ascontiguousarray(states[rows]),
            texts=tuple(self.dataset.tasks[asked[start]] for start in starts),
            swapped=tuple(self._exchanged(columns, int(start), asked) for start in starts),
            asked=move.astype(np.int64),
            actions=actions,
            ends=np.append(starts[1:], len(actions))[move].astype(np.int64),
            stages=np.full(len(rows), -1, dtype=np.int8),
            cells=np.full((len(rows), 2), -1, dtype=np.int64),
            targets=self._targets(columns, rows),
            occupancy=_occupancy(columns, rows),
        )

    def _exchanged(self, columns: Mapping[str, list[Any]], row: int, asked: np.ndarray) -> str:
        """The words of a frame with row and column exchanged; empty where no span says where they are."""
        if "annotation.spans" not in columns:
            return ""
        stored = json.loads(columns["annotation.spans"][row])
        spans = {name: Span(start=start, end=end) for name, (start, end) in stored.items()}
        return exchanged(Instruction(text=self.dataset.tasks[asked[row]], spans=spans))

    def _write_pictures(self, folder: Path, number: int, rows: np.ndarray, table: "pyarrow.Table") -> None:
        shape = (len(rows), len(self._views), *self._size, 3)
        pictures, whole = MomentFile(picture_file(folder, number), shape, np.uint8), False
        try:
            views = [self.dataset.pictures(number, view, list(rows), table) for view in self._views.values()]
            for seen in zip(*views, strict=True):
                pictures.add(np.stack([resize(picture, *self._size) for picture in seen]))
            whole = True
        finally:
            pictures.close(whole=whole)

    def _targets(self, columns: Mapping[str, list[Any]], rows: np.ndarray) -> np.ndarray:
        """Where the target is in the resized pictures; out of view where the dataset does not say."""
        made = np.zeros((len(rows), len(self._views), 3), dtype=np.float32)
        for k, (camera, view) in enumerate(self._views.items()):
            if (stored := columns.get(f"annotation.target_pixel.{camera}")) is None:
                continue
            height, width = self.dataset.features[view]["shape"][:2]
            scale = self._size[1] / width, self._size[0] / height, 1.0
            made[:, k] = np.array(stored, dtype=np.float32)[rows] * scale
        return made

    def provenance(self, learned: Sequence[int], held: Sequence[int]) -> dict[str, Any]:
        """What a checkpoint says of the source; of BOMB's own exports all that their demonstrations say."""
        marker = self.dataset.path / EXPORTED
        dataset = read_json(marker)["about"]["dataset"] if marker.is_file() else {}
        names = ("task", "split", "backends", "perturbations", "held_out")
        return {
            **{name: dataset[name] for name in names if name in dataset},
            "lerobot": self.dataset.path.resolve().name,
            "demonstrations": len(learned),
            "seeds": sorted(self._seed(n) for n in learned) if dataset else [],
            "held_out_seeds": sorted(self._seed(n) for n in held) if dataset else [],
        }

    def _seed(self, number: int) -> int:
        """The scene's seed of an episode of BOMB's; v2.1 has no place for it, its order is the seeds'."""
        return int(self.dataset.row(number).get("bomb/seed", number))


def _numbers(rows: Sequence[Any], where: str) -> np.ndarray:
    """Rows of numbers, float32[N, D].

    Raises:
        FileError: if one is missing or not finite.
    """
    values = np.array(rows, dtype=np.float32).reshape(len(rows), -1)
    if not np.isfinite(values).all():
        raise FileError(f"{where} of frame {int(np.argwhere(~np.isfinite(values))[0, 0])} is not finite")
    return values


def _occupancy(columns: Mapping[str, list[Any]], rows: np.ndarray) -> np.ndarray:
    if "annotation.occupancy" not in columns:
        return np.zeros((len(rows), 0), dtype=np.int8)
    every = np.array(columns["annotation.occupancy"], dtype=np.int8)
    return np.asarray(every[rows])
