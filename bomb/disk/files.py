"""Files that are either whole or not there."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bomb.disk.text import printable
from core.errors import BombError
from core.world.temporary import temporary_folder

DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})


class FileError(BombError):
    """A file or folder that is missing, damaged, or not what was expected."""


class WriteError(FileError):
    """A file that cannot be written: what was finished is kept, and the same command resumes there."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Says of a file that cannot be written which, and why.

    Raises:
        WriteError: for any ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise _unwritable(error.filename or path, error) from error


def _unwritable(path: object, error: OSError) -> WriteError:
    return WriteError(
        f"{path} cannot be written: {error.strerror or error}; what was finished before is whole, and the "
        "same command resumes there"
    )


@contextmanager
def for_ffmpeg(path: Path) -> Iterator[str]:
    """A name under which FFmpeg writes ``path``: it takes ``a:b.mp4`` for a protocol, and no name but UTF-8.

    Where the path cannot be said to it, the file is written among the temporary ones and then moved.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with temporary_folder("video") as folder:
            beside = folder / "video.mp4"
            yield f"file:{beside}"
            shutil.move(beside, path)
        return
    yield f"file:{path}"


def left_half(file: Path) -> bool:
    """Whether a file is what ``write_bytes`` leaves behind when its process is killed in the middle."""
    return file.name.startswith(".") and file.name.endswith(".part")


def write_bytes(path: Path, data: bytes) -> None:
    """Writes beside and renames, so that an interrupted run leaves no half file.

    Raises:
        WriteError: naming the file and the reason.
    """
    with appearing(path) as beside:
        beside.write_bytes(data)


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, which becomes ``path`` if all goes well; gone otherwise.

    Raises:
        WriteError: naming the file and the reason, for any ``OSError``.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error  # not the one beside, which nobody asked for


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8, as ``write_bytes`` does; what has none, a name of another encoding, is escaped."""
    write_bytes(path, printable(text).encode())


def write_json(path: Path, value: object) -> None:
    """Writes indented JSON; NaN and infinity are refused.

    Raises:
        ValueError: if a number is not finite.
    """
    write_bytes(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        FileError: if it is missing or damaged.
    """
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise FileError(f"{path} does not exist") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise FileError(f"{path} must hold a JSON object, has a {type(value).__name__}")
    return value
