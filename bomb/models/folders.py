"""Folders of checkpoints: what may be replaced, and written as a whole or not at all."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bomb.disk.files import FileError, writing
from core.errors import BombError

FILE = "bomb.json"
MOST_SAID = 400  # characters of a library's message


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
        WriteError: if it cannot be written; what was there is whole.
    """
    folder = Path(folder).resolve()
    check_free(folder)
    with saving(folder):
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
def saving(place: Path) -> Iterator[None]:
    """Lets libraries write tensors: whatever they say of a file that cannot be written becomes one line.

    Raises:
        WriteError: for every error that is not BOMB's own. Libraries have a kind for each of their parts.
    """
    with writing(place):
        try:
            yield
        except (BombError, OSError):
            raise
        except Exception as error:
            raise OSError(errno.EIO, f"{type(error).__name__}: {_line(error)}", str(place)) from error


@contextmanager
def without_bars() -> Iterator[None]:
    """Keeps transformers' progress bars and warnings off: what does not fit is an error that says so."""
    from transformers.utils import logging

    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()


@contextmanager
def loading(folder: Path | str) -> Iterator[None]:
    """Reads what somebody else wrote: whatever a library says of it becomes one line about the folder.

    Raises:
        FileError: for every error that is not BOMB's own. Libraries have a kind for each of their parts.
    """
    with without_bars():
        try:
            yield
        except BombError:
            raise
        except Exception as error:
            raise FileError(f"{folder} cannot be loaded: {type(error).__name__}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:MOST_SAID]
