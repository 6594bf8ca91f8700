"""Demonstrations in the formats that trainers read: LeRobotDataset v3.0 and v2.1, RLDS."""

from pathlib import Path
from typing import TYPE_CHECKING

from bomb.exports.formats import FORMATS, writer_class

if TYPE_CHECKING:
    from bomb.exports.run import Exported

__all__ = ["FORMATS", "export", "writer_class"]


def export(dataset: Path, format: str, out: Path, **options: object) -> "Exported":
    """Exports a dataset; see ``bomb.exports.run.export``, which this is."""
    from bomb.exports.run import export as run

    return run(dataset, format, out, **options)
