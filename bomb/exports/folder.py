"""The folder of an export: shards are put into place one after another, each as a whole.

``bomb_export.json`` says what the export is and which shards are in place. A shard is written into
``.parts``, its files are renamed into their places, the format's metadata is rewritten, and last comes this
file. What a killed process left behind is removed by the next one, which resumes after the last finished
shard.
"""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, left_half, read_json, write_json, writing
from bomb.disk.lock import WriterLock
from bomb.exports.plan import ExportPlan
from bomb.exports.statistics import PictureHistogram
from bomb.exports.writer import ShardReport, Writer
from core.errors import OptionError

FORMAT, VERSION = "bomb-export", 1
MARKER, PARTS, LOCK = "bomb_export.json", ".parts", ".bomb_export.lock"


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A shard that is in place.

    Attributes:
        episodes: how many it has.
        files: size in bytes of each of its files, by path below the root of the dataset.
    """

    episodes: int
    files: dict[str, int]


class ExportFolder:
    """An export on disk; made by ``open_export``.

    Attributes:
        path: the folder.
        shards: that are in place.
        pictures: histograms of the pictures in them, by camera or feature.
        lines: what the format keeps of each of their episodes.
    """

    def __init__(self, path: Path, writer: Writer, about: dict[str, Any]):
        self.path, self._writer, self._about = path, writer, about
        self._root = writer.root(path)
        self.shards: list[Shard] = []
        self.pictures: dict[str, PictureHistogram] = {}
        self.lines: list[dict[str, Any]] = []
        self._done: list[dict[str, Any]] = []

    @property
    def episodes(self) -> int:
        """How many are in place."""
        return sum(shard.episodes for shard in self.shards)

    def parts(self, first: int) -> Path:
        """The folder to write a shard into that begins with an episode; it does not exist yet."""
        return self.path / PARTS / f"{first:06d}"

    def load(self, plan: ExportPlan) -> None:
        """Takes up what is in place.

        Raises:
            OptionError: if it was exported otherwise, or from another dataset.
            FileError: naming a file that is missing or damaged.
        """
        marker = self.path / MARKER
        stored = read_json(marker)
        if stored.get("format") != FORMAT or stored.get("version") != VERSION:
            raise FileError(f"{marker} is not an export of BOMB of version {VERSION}")
        difference = first_difference(stored["about"], self._about, may_differ=("versions",))
        if difference is not None:
            raise OptionError(
                f"{self.path} holds an export with {difference.name} = {difference.before!r}, not "
                f"{difference.now!r}; choose another folder, or the same settings to resume it"
            )
        planned = [{"seed": e.seed, "fingerprint": e.fingerprint} for e in plan.episodes]
        done = stored["episodes"]
        if planned[: len(done)] != done:
            raise OptionError(
                f"{self.path} was exported from other demonstrations than the dataset has now; "
                "choose another folder"
            )
        self.shards = [Shard(**shard) for shard in stored["shards"]]
        self.pictures = {k: PictureHistogram.from_dict(v) for k, v in stored["pictures"].items()}
        self.lines, self._done = stored["lines"], done
        for shard in self.shards:
            for name, size in shard.files.items():
                _check_whole(self._root / name, size)

    def clean(self, plan: ExportPlan) -> None:
        """Removes what an interrupted process left behind, and rewrites the metadata of what is in place."""
        shutil.rmtree(self.path / PARTS, ignore_errors=True)
        known = {self._root / name for shard in self.shards for name in shard.files}
        for file in self._writer.data_files(self._root):
            if file not in known:
                file.unlink()
        for part in self.path.rglob(".*.part"):
            part.unlink(missing_ok=True)
        if self.shards:
            self._write_meta(plan)

    def commit(self, plan: ExportPlan, part: Path, report: ShardReport) -> None:
        """Puts a shard into place that was written into ``part``.

        Raises:
            FileError: naming a file that cannot be written.
        """
        with writing(part):
            self._writer.finish(part, len(self.shards))
        files = sorted(file for file in part.rglob("*") if file.is_file())
        sizes = {str(file.relative_to(part)): file.stat().st_size for file in files}
        with writing(self.path), _uninterrupted():
            for file in files:
                place = self._root / file.relative_to(part)
                place.parent.mkdir(parents=True, exist_ok=True)
                file.replace(place)
            shutil.rmtree(part)
            first = self.episodes
            self.shards.append(Shard(episodes=report.episodes, files=sizes))
            for name, histogram in report.histograms.items():
                self.pictures.setdefault(name, PictureHistogram()).merge(histogram)
            self.lines += report.lines
            self._done += [
                {"seed": e.seed, "fingerprint": e.fingerprint} for e in plan.episodes[first : self.episodes]
            ]
            self._write_meta(plan)
            self.write_marker(complete=self.episodes == len(plan.episodes))

    def write_marker(self, *, complete: bool) -> None:
        """Says what is in place."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(
            self.path / MARKER,
            {
                "format": FORMAT,
                "version": VERSION,
                "complete": complete,
                "about": self._about,
                "episodes": self._done,
                "shards": [{"episodes": s.episodes, "files": s.files} for s in self.shards],
                "pictures": {name: h.to_dict() for name, h in self.pictures.items()},
                "lines": self.lines,
            },
        )

    def _write_meta(self, plan: ExportPlan) -> None:
        shards, first = [], 0
        for shard in self.shards:
            shards.append(range(first, first + shard.episodes))
            first += shard.episodes
        self._writer.write_meta(self._root, plan, shards, self.pictures, self.lines)


@contextmanager
def open_export(
    path: Path, writer: Writer, about: dict[str, Any], plan: ExportPlan
) -> Iterator[ExportFolder]:
    """An export to write to, which nobody else writes to meanwhile.

    Args:
        path: the folder; made if missing.
        writer: of the format.
        about: plain values that say what is exported.
        plan: of the whole export.

    Raises:
        OptionError: if the folder holds an export of something else, naming the first setting that differs.
        FileError: if it holds something else, a file of it is missing or damaged, or cannot be written.
    """
    folder = ExportFolder(path, writer, about)
    begun = (path / MARKER).exists()
    if not begun and path.exists():
        if not path.is_dir():
            raise FileError(f"{path} is not a folder")
        strangers = sorted(
            file.name for file in path.iterdir() if file.name not in (LOCK, PARTS) and not left_half(file)
        )
        if strangers:
            raise FileError(f"{path} exists and holds no export of BOMB, but {strangers[0]}; choose another")
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(path / LOCK)
        try:
            if begun:
                folder.load(plan)
            folder.clean(plan)
            folder.write_marker(complete=begun and folder.episodes == len(plan.episodes))
        except BaseException:
            lock.release()
            raise
    try:
        yield folder
    finally:
        shutil.rmtree(path / PARTS, ignore_errors=True)
        lock.release()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_whole(file: Path, size: int) -> None:
    try:
        found = file.stat().st_size
    except OSError as error:
        raise FileError(
            f"{file} cannot be read ({error.strerror}); it was there when it was exported"
        ) from None
    if found != size:
        raise FileError(f"{file} has {found} bytes, had {size} when it was exported: it is damaged")
