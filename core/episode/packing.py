"""Series in time, packed so that what rests costs next to nothing when it is compressed."""

import numpy as np
import numpy.typing as npt

from core.errors import StateError


def pack(series: np.ndarray) -> npt.NDArray[np.uint8]:
    """uint8[bytes of an entry, entries of a row, rows]: each row as its difference (XOR) from the one before.

    What rests differs in nothing, and bytes of like meaning lie side by side, which is what compresses.

    Args:
        series: any dtype of fixed size, one row per moment along the first axis.
    """
    entries = int(np.prod(series.shape[1:]))
    raw = np.ascontiguousarray(series).view(np.uint8).reshape(len(series), entries, series.itemsize)
    delta = np.concatenate([raw[:1], np.bitwise_xor(raw[1:], raw[:-1])])
    return np.ascontiguousarray(delta.transpose(2, 1, 0))


def unpack(name: str, packed: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    """Inverse of ``pack``: an array of ``dtype`` of shape [rows, entries of a row].

    Raises:
        StateError: naming ``name``, if this is not what ``pack`` makes of such a series.
    """
    if packed.ndim != 3 or packed.dtype != np.uint8 or packed.shape[0] != np.dtype(dtype).itemsize:
        raise StateError(f"{name} is stored as {packed.dtype}{list(packed.shape)}, which is not its form")
    raw = np.bitwise_xor.accumulate(packed.transpose(2, 1, 0), axis=0)
    return np.ascontiguousarray(raw).view(dtype).reshape(packed.shape[2], packed.shape[1])
