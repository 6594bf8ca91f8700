"""Fingerprints that were taken, kept in the cache: a run has its machine's in its provenance, at no cost."""

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

from bomb.disk.files import read_json, write_json
from bomb.machine.versions import physical_versions
from core.errors import BombError
from core.world.cache import cache_folder

FILE = "fingerprints.json"


def keep(backend: str, found: dict[str, Any], *, cpu: str, device: str) -> None:
    """Keeps a fingerprint, as ``bomb.machine.fingerprint.to_dict`` says it.

    Args:
        backend: the engine.
        found: what it made of the fixed episode.
        cpu: the processor; states are valid for it, this system and these versions.
        device: the graphics device; pictures are valid for it as well.
    """
    kept = _read(cache_folder() / FILE)
    for key, name in ((machine_key(cpu), "states"), (machine_key(cpu, device), "pictures")):
        kept.setdefault(key, {})[backend] = {part: found[part] for part in (name, f"same_{name}")}
    write_json(cache_folder() / FILE, kept)


def kept_fingerprint(*, cpu: str, device: str | None) -> dict[str, Any] | None:
    """The fingerprints that were taken on this machine with these versions, by backend; None: none was.

    Args:
        cpu: the processor.
        device: the graphics device; None: nothing is drawn, and pictures are left out.
    """
    try:
        kept = _read(cache_folder() / FILE)
    except BombError:  # no cache: nothing was kept
        return None
    keys = [machine_key(cpu), *([machine_key(cpu, device)] if device else [])]
    prints: dict[str, Any] = {}
    for key in keys:
        for backend, values in kept.get(key, {}).items():
            prints.setdefault(backend, {}).update(values)
    return prints or None


def machine_key(cpu: str, device: str | None = None) -> str:
    """What a fingerprint is valid for, in short."""
    parts = [platform.platform(), cpu, device, physical_versions()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _read(file: Path) -> dict[str, Any]:
    """What is kept; a damaged file is begun anew."""
    try:
        return read_json(file)
    except BombError:
        return {}
