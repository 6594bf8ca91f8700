"""The folder of an evaluation: its settings, and one file per finished episode.

::

    RUN/run.json                      what was asked for, and the versions it was made with
    RUN/episodes/episode_000007.npz   the episode of seed 7: measures, actions, goal, verdict
    RUN/errors/episode_000008.txt     why the episode of seed 8 could not be played
    RUN/summary.json                  the result so far
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile
from zlib import error as ZlibError

from bomb.files import FileError, read_json, write_bytes, write_json
from bomb.versions import versions
from core.errors import OptionError, StateError
from core.record import EpisodeRecord

FORMAT = 1
# A run that is taken up again may be asked for more episodes; all else must be the same.
_MAY_GROW = ("episodes",)


@dataclass(frozen=True)
class RunFolder:
    """A run on disk. ``path``: its folder."""

    path: Path

    @classmethod
    def create(cls, path: Path, settings: dict) -> "RunFolder":
        """Begins a run, or takes up the one that is there.

        Args:
            path: the folder; made if missing.
            settings: plain values that say what is run.

        Raises:
            OptionError: if the folder holds a run with other settings, naming the first that differs.
            FileError: if it holds something else.
        """
        run, wanted = cls(Path(path)), {"format": FORMAT, **settings, "versions": versions()}
        if (run.path / "run.json").exists():
            difference = _difference(run.settings(), wanted)
            if difference is not None:
                name, before, now = difference
                raise OptionError(
                    f"{run.path} holds a run with {name} = {before!r}, not {now!r}; "
                    "choose another folder, or the same settings to take it up again"
                )
        elif run.path.exists() and (not run.path.is_dir() or any(run.path.iterdir())):
            raise FileError(f"{run.path} exists and holds no run; choose another folder")
        write_json(run.path / "run.json", wanted)
        return run

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run.

        Raises:
            FileError: if the folder holds none, or one of another format.
        """
        run = cls(Path(path))
        if run.settings().get("format") != FORMAT:
            raise FileError(
                f"{run.path} holds a run of format {run.settings().get('format')!r}, not {FORMAT}"
            )
        return run

    def settings(self) -> dict:
        """What ``run.json`` says."""
        return read_json(self.path / "run.json")

    def episode_file(self, seed: int) -> Path:
        """Where the episode of a seed is kept."""
        return self.path / "episodes" / f"episode_{seed:06d}.npz"

    def store(self, seed: int, record: EpisodeRecord) -> None:
        """Keeps a finished episode, and forgets an earlier error of that seed."""
        write_bytes(self.episode_file(seed), record.to_bytes())
        self.error_file(seed).unlink(missing_ok=True)

    def error_file(self, seed: int) -> Path:
        """Where the error of a seed is kept."""
        return self.path / "errors" / f"episode_{seed:06d}.txt"

    def store_error(self, seed: int, traceback: str) -> None:
        """Keeps why an episode could not be played."""
        write_bytes(self.error_file(seed), traceback.encode())

    def load(self, seed: int) -> EpisodeRecord:
        """The episode of a seed.

        Raises:
            FileError: if it is missing or damaged.
        """
        file = self.episode_file(seed)
        try:
            return EpisodeRecord.from_bytes(file.read_bytes())
        except FileNotFoundError:
            raise FileError(f"{self.path} has no episode of seed {seed}; it has {self.seeds()}") from None
        except (OSError, StateError, BadZipFile, ZlibError) as error:
            raise FileError(f"{file} cannot be read: {error}") from error

    def seeds(self) -> list[int]:
        """Seeds of the finished episodes, ascending."""
        files = (self.path / "episodes").glob("episode_*.npz")
        return sorted(int(file.stem.removeprefix("episode_")) for file in files)

    def records(self) -> Iterator[tuple[int, EpisodeRecord]]:
        """(seed, record) of every finished episode, in the order of the seeds."""
        for seed in self.seeds():
            yield seed, self.load(seed)


def _difference(before: dict, now: dict, prefix: str = "") -> tuple[str, object, object] | None:
    """The first setting that differs, as (name, before, now); None if the run can be taken up again."""
    for name in sorted({*before, *now} - set(_MAY_GROW)):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            inner = _difference(old, new, f"{prefix}{name}.")
            if inner is not None:
                return inner
        elif old != new:
            return f"{prefix}{name}", old, new
    return None
