"""NumPy arrays in msgpack, the way openpi writes them: maps whose keys are *bytes*."""

import re
from typing import Any

import numpy as np

from core.errors import NATURAL, BombError, missing_extra

REFUSED = "VOc"  # dtype kinds that openpi refuses: void, object, complex
# What NumPy may be asked to make a dtype of: numbers and text of plain size. Its parser is a language, and a
# text of a megabyte keeps it busy for hours.
_DTYPE = re.compile(r"[<>=|]?(?:[?]|b1|[iuf][1248]|[US]\d{1,4})|float(?:16|32|64)|u?int(?:8|16|32|64)|bool")
MOST_AXES = 8
LARGEST = 2**26  # bytes of a message: 64 MiB, sixteen pictures of 1024 x 1024 with room to spare


class CodecError(BombError, ValueError):
    """Bytes that are no message, or a value that cannot be sent."""


def packb(value: object) -> bytes:
    """One message out of plain values, arrays and NumPy scalars.

    Raises:
        CodecError: naming the type that cannot be sent.
    """
    import_msgpack()
    import msgpack

    try:
        packed: bytes = msgpack.packb(value, default=_encode)
        return packed
    except (TypeError, ValueError, OverflowError) as error:
        raise CodecError(f"cannot be sent: {error}") from error


def unpackb(data: bytes) -> object:
    """Inverse of ``packb``; arrays are writable, tuples come back as lists.

    Raises:
        CodecError: if the bytes are damaged or not msgpack.
    """
    import_msgpack()
    import msgpack

    try:
        return msgpack.unpackb(data, object_hook=_decode)
    # Whatever is wrong with bytes from outside: msgpack has errors of its own, NumPy raises the others.
    except (msgpack.UnpackException, ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
        words = f"not a message of openpi's: {type(error).__name__}: {error}"
        raise CodecError(words[:300]) from error


def import_msgpack() -> None:
    """Raises ``BombError`` naming the extra if the packages of the protocol are not installed."""
    try:
        import msgpack  # noqa: F401
        import websockets  # noqa: F401
    except ImportError:
        raise missing_extra("the openpi protocol", "openpi") from None


def plain(value: object) -> object:
    """A decoded value as JSON can hold it: arrays as lists, bytes as text."""
    if isinstance(value, dict):
        return {str(plain(key)): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _encode(value: object) -> dict[bytes, Any]:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in REFUSED:
        raise TypeError(f"dtype {value.dtype}")
    if isinstance(value, np.ndarray):
        return {
            b"__ndarray__": True,
            b"data": value.tobytes(),
            b"dtype": value.dtype.str,
            b"shape": value.shape,
        }
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise TypeError(f"a {type(value).__name__}")


def _decode(value: dict[Any, Any]) -> object:
    if b"__ndarray__" in value:
        dtype, shape = _dtype(value[b"dtype"]), value[b"shape"]
        if not isinstance(shape, list) or len(shape) > MOST_AXES or not all(map(NATURAL.holds, shape)):
            raise TypeError(f"shape {str(shape)[:60]}")
        return np.frombuffer(value[b"data"], dtype).reshape(shape).copy()
    if b"__npgeneric__" in value:
        return _dtype(value[b"dtype"]).type(value[b"data"])
    return value


def _dtype(words: object) -> np.dtype[Any]:
    if not isinstance(words, str) or len(words) > 16 or not _DTYPE.fullmatch(words):
        raise TypeError(f"dtype {str(words)[:30]!r}")
    return np.dtype(words)
