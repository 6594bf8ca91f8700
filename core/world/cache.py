"""Where files that can be made again are kept between runs."""

import os
import stat
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from core.errors import OptionError


def cache_folder() -> Path:
    """``$BOMB_CACHE``, else ``$XDG_CACHE_HOME/bomb``, else ``~/.cache/bomb``; made if missing.

    Where there is no home, or one that may not be written to, a folder among the temporary files takes its
    place, and a line on stderr says so, once.

    Raises:
        OptionError: if ``BOMB_CACHE`` is set and cannot be written to.
    """
    chosen = os.environ.get("BOMB_CACHE")
    if chosen:
        why = _unusable(Path(chosen))
        if why:
            raise OptionError(f"BOMB_CACHE={chosen} cannot be written to: {why}")
        return Path(chosen)
    folder, why = usual_folder()
    return folder if not why else _instead(str(folder), why)


def forget_the_place_instead() -> None:
    """Looks anew, and says so anew, when the usual place cannot be written to next time."""
    _instead.cache_clear()


def usual_folder() -> tuple[Path, str]:
    """Where the cache is without ``BOMB_CACHE``, and why it cannot be there; empty if it can."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bomb"
    except RuntimeError as error:  # neither HOME nor an entry for this user
        return Path("~/.cache/bomb"), str(error)
    return folder, _unusable(folder)


@lru_cache(maxsize=8)
def _instead(usual: str, why: str) -> Path:
    """The same for all processes of a user; another one's is not trusted."""
    folder = Path(tempfile.gettempdir()) / f"bomb-cache-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to somebody else")
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="bomb-cache-"))
    print(
        f"bomb: {usual} cannot be written to ({why}); the cache is {folder}, BOMB_CACHE sets another",
        file=sys.stderr,
    )
    return folder


def _unusable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return error.strerror or str(error)
    return ""
