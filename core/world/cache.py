"""Where files that can be made again are kept between runs."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$BOMB_CACHE``, else ``$XDG_CACHE_HOME/bomb``, else ``~/.cache/bomb``; made if missing."""
    chosen = os.environ.get("BOMB_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(chosen) if chosen else base / "bomb"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
