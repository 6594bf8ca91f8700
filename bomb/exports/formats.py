"""The formats of exports, and who writes them."""

from importlib import import_module

from bomb.exports.writer import Writer
from core.errors import check_choice

# Name to the import string of its writer.
FORMATS: dict[str, str] = {
    "lerobot": "bomb.exports.lerobot_v3:LeRobotV3Writer",
    "lerobot-v2.1": "bomb.exports.lerobot_v21:LeRobotV21Writer",
    "rlds": "bomb.exports.rlds:RldsWriter",
}


def writer_class(format: str) -> type[Writer]:
    """The writer of a format.

    Raises:
        UnknownNameError: listing the formats.
    """
    module, _, name = FORMATS[check_choice("format", format, FORMATS)].partition(":")
    kind: type[Writer] = getattr(import_module(module), name)
    return kind
