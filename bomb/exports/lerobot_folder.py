"""A LeRobotDataset on disk, BOMB's or anybody's, read with pyarrow and PyAV alone."""

import io
import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError, read_json
from bomb.exports.parquet import arrow

if TYPE_CHECKING:
    import pyarrow

NEEDED = ("codebase_version", "fps", "total_episodes", "features", "data_path", "chunks_size")
VERSIONS = ("v2.1", "v3.0")
TICK = Fraction(1, 1_000_000)  # s, FFmpeg's unit of time where a stream has none of its own


class LeRobotFolder:
    """Reads v2.1 and v3.0.

    Args:
        path: of the dataset.

    Attributes:
        path: the same.
        info: what ``meta/info.json`` says.

    Raises:
        FileError: if it is not a dataset, damaged, or of another version.
    """

    def __init__(self, path: Path):
        self.path = Path(path)
        file = self.path / "meta" / "info.json"
        self.info = read_json(file)
        if missing := [name for name in NEEDED if name not in self.info]:
            raise FileError(f"{file} lacks {', '.join(missing)}: it is damaged, or of another version")
        if self.info["codebase_version"] not in VERSIONS:
            raise FileError(
                f"{file} is of version {self.info['codebase_version']!r}; valid: {', '.join(VERSIONS)}"
            )

    @property
    def fps(self) -> int:
        """Frames per second."""
        return int(self.info["fps"])

    @property
    def features(self) -> dict[str, dict[str, Any]]:
        """Every feature's ``dtype``, ``shape`` and ``names``."""
        features: dict[str, dict[str, Any]] = self.info["features"]
        return features

    @property
    def cameras(self) -> list[str]:
        """Names of the features that are colour pictures."""
        return [
            name
            for name, feature in self.features.items()
            if feature["dtype"] in ("video", "image") and not feature.get("info", {}).get("is_depth_map")
        ]

    def __len__(self) -> int:
        return int(self.info["total_episodes"])

    @cached_property
    def tasks(self) -> list[str]:
        """Instructions by their ``task_index``.

        Raises:
            FileError: if they are missing or damaged.
        """
        lines = self.path / "meta" / "tasks.jsonl"
        try:
            if lines.exists():
                found = [json.loads(line) for line in lines.read_text().splitlines() if line]
            else:
                found = self._read(self.path / "meta" / "tasks.parquet").to_pylist()
            found.sort(key=lambda row: row["task_index"])
            # v3.0 keeps the words in the index of a pandas table, whose name differs by writer.
            return [next(str(v) for name, v in row.items() if name != "task_index") for row in found]
        except (OSError, ValueError, KeyError, StopIteration) as error:
            raise FileError(f"{lines.with_suffix('')} cannot be read: {error}") from error

    def table(self, episode: int) -> "pyarrow.Table":
        """The frames of an episode; pictures that are files of their own are bytes in it.

        Raises:
            FileError: if the file is missing or damaged, or has no such episode.
        """
        row = self.row(episode)
        places = {f"{k}_index": row[f"data/{k}_index"] for k in ("chunk", "file")} if row else {}
        file = self.path / self._place(self.info["data_path"], episode, **places)
        table = self._read(file, [("episode_index", "=", episode)])
        if not len(table):
            raise FileError(f"{file} has no frames of episode {episode}")
        return table

    def pictures(
        self, episode: int, feature: str, rows: Sequence[int], table: "pyarrow.Table | None" = None
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """Some of an episode's pictures, in the order of the rows, one at a time.

        Args:
            episode: index of it.
            feature: one of ``cameras``.
            rows: which frames, ascending.
            table: of the episode, if it is at hand.

        Yields:
            uint8[H, W, 3].

        Raises:
            FileError: if the file is missing or damaged, or has fewer frames.
        """
        if self.features[feature]["dtype"] == "video":
            yield from self._from_video(episode, feature, rows)
            return
        from PIL import Image

        column = (self.table(episode) if table is None else table)[feature]
        for row in rows:
            stored = column[int(row)].as_py()
            try:
                yield np.asarray(Image.open(io.BytesIO(stored["bytes"])).convert("RGB"))
            except (OSError, TypeError, KeyError) as error:
                raise FileError(
                    f"{self.path}: {feature} of episode {episode}, frame {row} is not a picture: {error}"
                ) from error

    def _from_video(self, episode: int, feature: str, rows: Sequence[int]) -> Iterator[npt.NDArray[np.uint8]]:
        import av

        row, start = self.row(episode), 0.0
        places: dict[str, Any] = {"video_key": feature}
        if row:
            places |= {f"{k}_index": row[f"videos/{feature}/{k}_index"] for k in ("chunk", "file")}
            start = row[f"videos/{feature}/from_timestamp"]
        file = self.path / self._place(self.info["video_path"], episode, **places)
        first = round(start * self.fps)
        wanted, found = {first + int(k) for k in rows}, 0
        try:
            with av.open(f"file:{file}") as container:
                stream = container.streams.video[0]
                # To the key frame before the first that is wanted, half a frame early for rounding.
                begin = max(min(wanted) - 0.5, 0) / self.fps
                container.seek(int(begin / (stream.time_base or TICK)), stream=stream)
                for frame in container.decode(stream):
                    if frame.time is None or (number := round(frame.time * self.fps)) not in wanted:
                        continue
                    found += 1
                    yield np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
                    if number >= max(wanted):
                        break
        except (av.FFmpegError, IndexError) as error:  # IndexError: it has no video stream
            raise FileError(f"{file} cannot be read: {error}") from error
        if found < len(wanted):
            raise FileError(f"{file} has {found} of the {len(wanted)} frames of episode {episode}")

    def _place(self, form: str, episode: int, **places: Any) -> str:
        chunk = episode // int(self.info["chunks_size"])
        return form.format(episode_index=episode, episode_chunk=chunk, **places)

    def row(self, episode: int) -> dict[str, Any]:
        """What ``meta/episodes`` of v3.0 has of an episode, without statistics; nothing of v2.1.

        Raises:
            FileError: if there is no such episode, or the file is damaged.
        """
        if not self.info["codebase_version"].startswith("v3"):
            return {}
        if episode not in self._rows:
            raise FileError(f"{self.path / 'meta' / 'episodes'} has no episode {episode}")
        return self._rows[episode]

    @cached_property
    def _rows(self) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for file in sorted((self.path / "meta" / "episodes").rglob("*.parquet")):
            names = [n for n in self._schema(file).names if not n.startswith("stats/")]
            found |= {row["episode_index"]: row for row in self._read(file, None, names).to_pylist()}
        return found

    def _schema(self, file: Path) -> "pyarrow.Schema":
        pa = arrow()
        try:
            return pa.parquet.read_schema(file)
        except (OSError, pa.ArrowException) as error:
            raise FileError(f"{file} cannot be read: {error}") from error

    def _read(
        self, file: Path, filters: list[tuple[str, str, int]] | None = None, columns: list[str] | None = None
    ) -> "pyarrow.Table":
        pa = arrow()
        try:
            return pa.parquet.read_table(file, filters=filters, columns=columns)
        except (OSError, pa.ArrowException) as error:
            raise FileError(f"{file} cannot be read: {error}") from error
