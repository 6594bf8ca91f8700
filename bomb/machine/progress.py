"""Progress on standard error: a bar on a terminal, a line now and then where it goes into a file."""

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

DELAY_S = 1.0  # what is done sooner shows nothing
LINE_S = 30.0  # between two lines of a log
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\r\n]")


def progress(iterable: Iterable[Any] | None = None, **options: Any) -> "tqdm[Any]":
    """A bar of tqdm on standard error; to be closed, or used as a context manager, or iterated over.

    Args:
        iterable: what is gone through; None: ``update`` is called.
        options: as tqdm takes them, such as ``total``, ``unit``, ``desc`` and ``initial``.
    """
    from tqdm import tqdm

    if sys.stderr is not None and sys.stderr.isatty():
        return tqdm(iterable, **{"file": sys.stderr, "delay": DELAY_S, **options})
    quiet = {"file": _Lines(sys.stderr), "mininterval": LINE_S, "maxinterval": LINE_S, "ncols": 100}
    return tqdm(iterable, **{**quiet, "delay": DELAY_S, "ascii": True, **options})


class _Lines:
    """A file in which every state of a bar is a line of its own."""

    def __init__(self, file: TextIO | None):
        self._file = file
        self.encoding = getattr(file, "encoding", None) or "ascii"

    def write(self, text: str) -> None:
        line = _CONTROL.sub("", text).rstrip()
        if line and self._file is not None:
            self._file.write(f"{line}\n")

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()
