"""Temporary folders that do not stay behind, however their process ended."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "bomb-tmp-"
_LOCK = ".in-use"
_YOUNG_S = 60.0  # a folder of another process may not have its lock yet


class TemporaryFolder:
    """A folder of this process's own, removed by ``close``, or by the next process if this one is killed.

    Attributes:
        path: the folder.
    """

    def __init__(self, purpose: str):
        remove_left_behind()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
        self._process = os.getpid()
        self._lock: int | None = _locked(self.path / _LOCK, create=True)

    def close(self) -> None:
        """Removes it. A second call does nothing, nor does one in a forked child: it is its parent's."""
        if os.getpid() != self._process:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """A ``TemporaryFolder`` for a while."""
    folder = TemporaryFolder(purpose)
    try:
        yield folder.path
    finally:
        folder.close()


def remove_left_behind() -> None:
    """Removes our temporary folders whose processes are gone, which the kernel tells by their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if found.st_uid != os.getuid() or time.time() - found.st_mtime < _YOUNG_S:
                continue
            lock = _locked(folder / _LOCK, create=False)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(file: Path, *, create: bool) -> int | None:
    """A descriptor that holds the lock; None if another process does, or the file system knows no locks."""
    import fcntl

    descriptor = os.open(file, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
