"""NumPy arrays in msgpack, the way openpi writes them: maps whose keys are *bytes*."""

import numpy as np

from core.errors import BombError, missing_extra

REFUSED = "VOc"  # dtype kinds that openpi refuses: void, object, complex


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
        return msgpack.packb(value, default=_encode)
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
    except (msgpack.UnpackException, ValueError, TypeError, KeyError) as error:
        raise CodecError(f"not a message of openpi's: {type(error).__name__}: {error}") from error


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


def _encode(value: object) -> dict:
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


def _decode(value: dict) -> object:
    if b"__ndarray__" in value:
        dtype = np.dtype(value[b"dtype"])
        if dtype.kind in REFUSED:
            raise TypeError(f"dtype {dtype}")
        return np.frombuffer(value[b"data"], dtype).reshape(value[b"shape"]).copy()
    if b"__npgeneric__" in value:
        dtype = np.dtype(value[b"dtype"])
        if dtype.kind in REFUSED:
            raise TypeError(f"dtype {dtype}")
        return dtype.type(value[b"data"])
    return value
