"""Demonstrations in the formats that trainers read: LeRobotDataset v3.0 and v2.1, RLDS."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import check_choice

if TYPE_CHECKING:
    from bomb.exports.run import Exported
    from bomb.exports.writer import Writer

# Name to the import string of its writer.
FORMATS: dict[str, str] = {
    "lerobot": "bomb.exports.lerobot_v3:LeRobotV3Writer",
    "lerobot-v2.1": "bomb.exports.lerobot_v21:LeRobotV21Writer",
    "rlds": "bomb.exports.rlds:RldsWriter",
}


def writer_class(format: str) -> "type[Writer]":
    """The writer of a format.

    Raises:
        UnknownNameError: listing the formats.
    """
    module, _, name = FORMATS[check_choice("format", format, FORMATS)].partition(":")
    return getattr(import_module(module), name)


def export(dataset: Path, format: str, out: Path, **options: object) -> "Exported":
    """Exports a dataset; see ``bomb.exports.run.export``, which this is."""
    from bomb.exports.run import export as run

    return run(dataset, format, out, **options)
