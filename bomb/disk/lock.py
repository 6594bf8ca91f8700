"""Only one process writes to a run."""

import os
from contextlib import suppress
from pathlib import Path

from bomb.disk.files import WriteError, writing


class WriterLock:
    """Held from its making to ``release``, or to the end of the process, however it ends.

    Raises:
        WriteError: if another process holds it, or the file cannot be made.
    """

    def __init__(self, file: Path):
        import fcntl  # not on every system, and only writers need it

        with writing(file):
            self._descriptor: int | None = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 64).decode(errors="replace").strip()
            self.release()
            raise WriteError(
                f"{file.parent} is being written by another process{f' ({holder})' if holder else ''}; "
                "wait for it, or choose another folder"
            ) from error
        # Only words for others: a disk that is full says so where something is to be kept.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode())

    def release(self) -> None:
        """Lets others write. A second call does nothing. The file stays: removing it would race."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
