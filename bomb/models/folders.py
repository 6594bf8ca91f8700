"""Folders of checkpoints: what may be replaced, and written as a whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bomb.disk.files import FileError

FILE = "bomb.json"


def check_free(folder: Path) -> None:
    """Returns if a checkpoint may be written there, which replaces what there is.

    Raises:
        FileError: if something else than a checkpoint is there.
    """
    if folder.exists() and not (folder.is_dir() and ((folder / FILE).is_file() or not any(folder.iterdir()))):
        raise FileError(f"{folder} holds something else than a checkpoint; nothing is overwritten")


@contextmanager
def written(folder: Path | str) -> Iterator[Path]:
    """An empty folder to write into, which takes the place of ``folder`` at the end of the block.

    Raises:
        FileError: if something else than a checkpoint is there.
    """
    folder = Path(folder).resolve()
    check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    hidden = tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.")
    with hidden as temporary, without_bars():
        fresh, old = Path(temporary) / "new", Path(temporary) / "old"
        fresh.mkdir()
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def without_bars() -> Iterator[None]:
    """Keeps transformers' progress bars off: users know what they load."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
