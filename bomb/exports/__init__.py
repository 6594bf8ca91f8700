"""Demonstrations in the formats that trainers read: LeRobotDataset v3.0 and v2.1, RLDS."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bomb.exports.formats import FORMATS, writer_class

if TYPE_CHECKING:
    from bomb.exports.run import export as export

__all__ = ["FORMATS", "export", "writer_class"]


def __getattr__(name: str) -> Any:
    """``export``, imported when it is asked for: it brings the renderers."""
    if name != "export":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("bomb.exports.run"), name)
