"""Beginning a dataset, or taking up the one that is there; writing its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bomb.demonstrations.dataset import FORMAT, SETTINGS_FILE, VERSION, Dataset
from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, left_half, write_json, writing
from bomb.disk.lock import WriterLock
from bomb.machine.versions import versions
from core.errors import OptionError

LOCK_FILE = "collect.lock"
# A dataset that is taken up again may be asked for more episodes; all else must be the same.
_MAY_GROW = ("episodes",)


@contextmanager
def create_dataset(path: Path, settings: dict[str, Any]) -> Iterator[Dataset]:
    """A dataset to write to, which nobody else writes to meanwhile.

    Args:
        path: the folder; made if missing.
        settings: plain values that say what is collected; ``episodes``, how many, may grow.

    Raises:
        OptionError: if the folder holds a dataset with other settings, naming the first that differs, or more
            episodes than are asked for.
        FileError: if it holds something else, cannot be written, or another process writes to it.
    """
    path = Path(path)
    wanted = {"format": FORMAT, "version": VERSION, **settings, "versions": versions()}
    begun = (path / SETTINGS_FILE).exists()
    if begun:
        _check_same(Dataset.open(path), wanted)
    elif path.exists() and (
        not path.is_dir() or any(file.name != LOCK_FILE and not left_half(file) for file in path.iterdir())
    ):
        raise FileError(f"{path} exists and holds no dataset; choose another folder")
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(path / LOCK_FILE)
    try:
        # Left by a process that was killed while it wrote.
        for part in [*path.glob(".*.part"), *path.glob("*/.*.part")]:
            part.unlink(missing_ok=True)
        write_json(path / SETTINGS_FILE, wanted)
        yield Dataset.open(path)
    finally:
        lock.release()


def _foreign(file: Path) -> bool:
    return file.name != LOCK_FILE and not left_half(file)


def _check_same(dataset: Dataset, wanted: dict[str, Any]) -> None:
    difference = first_difference(dataset.settings, wanted, _MAY_GROW)
    if difference is not None:
        raise OptionError(
            f"{dataset.path} holds a dataset with {difference.name} = {difference.before!r}, not "
            f"{difference.now!r}; choose another folder, or the same settings to resume it"
        )
    if len(dataset) > wanted["episodes"]:
        raise OptionError(
            f"{dataset.path} has {len(dataset)} episodes already, {wanted['episodes']} are asked for; "
            "choose another folder"
        )
