"""The folder of a dataset: its settings, and one file per demonstration.

::

    DIR/dataset.json                  what was collected and how: task, engines, split, versions, ...
    DIR/episodes/episode_000007.npz   the demonstration of seed 7
    DIR/failures/episode_000008.npz   an episode that did not succeed; no part of the dataset
    DIR/errors/episode_000009.txt     why the episode of seed 9 could not be played
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bomb.demonstrations.demonstration import Demonstration
from bomb.disk.files import FileError, read_json
from core.errors import StateError

FORMAT = "bomb-demonstrations"
VERSION = 1
SETTINGS_FILE = "dataset.json"
# What must be known of a dataset to play or draw it.
_SETTINGS = (
    *("task", "backends", "split", "perturbations", "held_out", "diversity", "action_mode", "control_hz"),
    *("max_steps", "stop_on_success", "versions"),
)

_TYPES = {
    **dict.fromkeys(("task", "split", "action_mode"), str),
    **dict.fromkeys(("perturbations", "held_out", "versions"), dict),
    **{"backends": list, "control_hz": int, "stop_on_success": bool},
}


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk; ``bomb collect`` writes one, see ``bomb.collecting.collecting``.

    Attributes:
        path: its folder.
    """

    path: Path

    @classmethod
    def open(cls, path: Path) -> "Dataset":
        """An existing dataset.

        Raises:
            FileError: if the folder holds none, or one of another format.
        """
        dataset = cls(Path(path))
        file = dataset.path / SETTINGS_FILE
        if not dataset.path.is_dir():
            raise FileError(f"{dataset.path} is not a folder; name the --out of `bomb collect`")
        settings = read_json(file)
        if settings.get("format") != FORMAT:
            raise FileError(f"{file} is of format {settings.get('format')!r}, not {FORMAT!r}")
        if settings.get("version") != VERSION:
            raise FileError(f"{file} is of version {settings.get('version')!r}, not {VERSION}")
        missing = [name for name in _SETTINGS if name not in settings]
        if missing:
            raise FileError(f"{file} lacks {', '.join(missing)}: it is damaged")
        wrong = [name for name, kinds in _TYPES.items() if not isinstance(settings[name], kinds)]
        if wrong:
            value = settings[wrong[0]]
            raise FileError(f"{file} is damaged: {wrong[0]} is {repr(value)[:60]}")
        return dataset

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What ``dataset.json`` says; see ``bomb.demonstrations.settings.CollectionSettings``."""
        return read_json(self.path / SETTINGS_FILE)

    def seeds(self) -> list[int]:
        """Seeds of the demonstrations, ascending.

        Raises:
            FileError: naming a file that is none of ours.
        """
        return _seeds(self.path / "episodes")

    def failures(self) -> list[int]:
        """Seeds of the episodes that did not succeed, ascending."""
        return _seeds(self.path / "failures")

    def __len__(self) -> int:
        return len(self.seeds())

    def __iter__(self) -> Iterator[Demonstration]:
        """The demonstrations in the order of their seeds, one in memory at a time."""
        for seed in self.seeds():
            yield self.load(seed)

    def episode_file(self, seed: int, *, kept: bool = True) -> Path:
        """Where an episode is: among the demonstrations, or among the failures if not ``kept``."""
        return self.path / ("episodes" if kept else "failures") / f"episode_{seed:06d}.npz"

    def error_file(self, seed: int) -> Path:
        """Where the error of a seed is."""
        return self.path / "errors" / f"episode_{seed:06d}.txt"

    def load(self, seed: int) -> Demonstration:
        """The demonstration of a seed.

        Raises:
            FileError: naming the file and what is wrong with it, if it is missing, damaged, or belongs to
                another dataset.
        """
        return self._read(self.episode_file(seed), seed)

    def load_failure(self, seed: int) -> Demonstration:
        """An episode that did not succeed.

        Raises:
            FileError: as ``load``.
        """
        return self._read(self.episode_file(seed, kept=False), seed)

    def _read(self, file: Path, seed: int) -> Demonstration:
        try:
            demonstration = Demonstration.from_bytes(file.read_bytes())
        except FileNotFoundError:
            raise FileError(f"{file} does not exist; {_told(self.path, self.seeds())}") from None
        except (OSError, StateError) as error:
            raise FileError(f"{file} cannot be read: {error}") from error
        about = demonstration.about
        wanted = {"seed": seed, **{name: self.settings[name] for name in ("task", "split")}}
        for name, value in wanted.items():
            if about.get(name) != value:
                raise FileError(f"{file} holds an episode of {name} {about.get(name)!r}, not {value!r}")
        return demonstration


def _seeds(folder: Path) -> list[int]:
    seeds = []
    for file in folder.glob("*.npz"):
        digits = file.stem.removeprefix("episode_")
        if file.name.startswith("."):
            continue  # half written when the power went
        if not digits.isdecimal() or file.stem == digits:
            raise FileError(f"{file} is not an episode: its name must be episode_SEED.npz")
        seeds.append(int(digits))
    return sorted(seeds)


def _told(path: Path, seeds: list[int]) -> str:
    if not seeds:
        return f"{path} has no demonstrations"
    return f"{path} has {len(seeds)} demonstrations, of seeds {seeds[0]} to {seeds[-1]}"
