"""The file of a trained ``keypoint``: weights and vocabulary in one safetensors file, and its card beside it.

::

    NAME.safetensors    head.*, wrist.*, words.*, hand.*; the vocabulary in the metadata
    NAME.json           the card: data, recipe, seeds, commit, what was measured, SHA-256 of the weights
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError, read_json
from bomb.models.keypoint.eye import Eye
from bomb.models.keypoint.format import CAMERAS
from bomb.models.keypoint.hand import Hand
from bomb.models.keypoint.safetensors import read_safetensors
from bomb.models.keypoint.words import InstructionReader

FORMAT, VERSION = "bomb-keypoint", 1
SHIPPED = Path(__file__).parent / "shipped" / "keypoint.safetensors"


@dataclass(frozen=True, kw_only=True, eq=False)
class KeypointModel:
    """The parts of a trained ``keypoint``.

    Attributes:
        eyes: by camera.
        reader: of words.
        hand: makes way points.
        card: what is known of its making.
        parameters: how many numbers were learned.
    """

    eyes: dict[str, Eye]
    reader: InstructionReader
    hand: Hand
    card: dict[str, Any]
    parameters: int


def read_model(file: Path) -> KeypointModel:
    """Reads a checkpoint and its card.

    Raises:
        FileError: naming what is missing, damaged, of another version, or not what the card is about.
    """
    file = Path(file)
    arrays, about = read_safetensors(file)
    if (about.get("format"), about.get("version")) != (FORMAT, str(VERSION)):
        raise FileError(f"{file} is not of format {FORMAT!r}, version {VERSION}")
    card = read_json(file.with_suffix(".json"))
    if card.get("sha256") != sha256_of(file):
        raise FileError(f"{file.with_suffix('.json')} is the card of another file than {file.name}")
    groups: dict[str, dict[str, npt.NDArray[np.float32]]] = {}
    for name, array in arrays.items():
        part, _, rest = name.partition(".")
        groups.setdefault(part, {})[rest] = array.astype(np.float32)
    try:
        return KeypointModel(
            eyes={camera: Eye(groups[camera], camera) for camera in CAMERAS},
            reader=InstructionReader(groups["words"], json.loads(about["vocabulary"])),
            hand=Hand(groups["hand"]),
            card=card,
            parameters=sum(array.size for array in arrays.values()),
        )
    except (KeyError, ValueError) as error:
        raise FileError(f"{file} lacks {error}") from error


def sha256_of(file: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
