"""``bomb models list`` and ``bomb models show``; no torch."""

import json
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError
from bomb.machine.versions import package_version
from bomb.models.codecs.normalising import KINDS
from bomb.models.codecs.statistics import FILE as STATISTICS
from bomb.models.codecs.statistics import read
from bomb.models.registry import BACKBONES, CODECS, FAMILIES, HEADS
from bomb.models.settings import VLASettings

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "accelerate", "peft")
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error, RecursionError)
HEADER_LIMIT = 100_000_000  # bytes; the format's own limit


@dataclass(frozen=True, kw_only=True)
class StoredWeights:
    """What the headers of safetensors files say.

    Attributes:
        parameters: numbers in them; shared ones are stored once.
        kinds: how many of each type.
        groups: how many by the first two words of a name.
        megabytes: of the files.
    """

    parameters: int
    kinds: dict[str, int]
    groups: dict[str, int]
    megabytes: float


def listing() -> dict[str, Any]:
    """Families, the parts that they are made of, where each is, and installed packages (None: not)."""
    return {
        "families": {name: FAMILIES.target(name) for name in FAMILIES.names()},
        "backbones": {name: BACKBONES.target(name) for name in BACKBONES.names()},
        "codecs": dict(CODECS),
        "heads": dict(HEADS),
        "normalisations": list(KINDS),
        "packages": {name: package_version(name) for name in PACKAGES},
    }


def show(folder: Path) -> dict[str, Any]:
    """What a checkpoint is, without loading it.

    Raises:
        FileError: naming the file and what is wrong with it.
    """
    settings = VLASettings.read(folder)
    found: dict[str, Any] = {"folder": str(folder), "settings": settings}
    if (folder / STATISTICS).is_file():
        found["statistics"] = read(folder, settings.dataset)
    files = sorted(folder.glob("*.safetensors"))
    if files:
        found["weights"] = stored_weights(files)
    return found


def stored_weights(files: list[Path]) -> StoredWeights:
    """Reads the headers of safetensors files: a length of 8 bytes, then JSON.

    Raises:
        FileError: naming the file that is damaged.
    """
    kinds: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    for file in files:
        try:
            stored = file.stat().st_size
            with file.open("rb") as stream:
                (size,) = struct.unpack("<Q", stream.read(8))
                if size > HEADER_LIMIT:
                    raise ValueError(f"a header of {size} bytes")
                header = json.loads(stream.read(size))
            for name, entry in header.items():
                if name == "__metadata__":
                    continue
                count = 1
                for side in entry["shape"]:
                    if isinstance(side, bool) or not isinstance(side, int) or side < 0:
                        raise ValueError(f"a tensor with a side of {side!r}")
                    count *= side
                if entry["data_offsets"][1] > stored - size - 8:
                    raise ValueError("a tensor behind the end of the file")
                kinds[entry["dtype"]] += count
                groups[".".join(name.split(".")[:2])] += count
        except DAMAGED as error:
            raise FileError(f"{file} has no header of safetensors: {error}") from error
    return StoredWeights(
        parameters=sum(kinds.values()),
        kinds=dict(kinds),
        groups=dict(groups),
        megabytes=round(sum(file.stat().st_size for file in files) / 1e6, 1),
    )
