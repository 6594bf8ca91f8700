"""NumPy archives of others: read only as far as they are what they say they are.

A header of a hundred bytes may ask for an array of ten gigabytes, and a few kilobytes may unpack to as much.
"""

import io
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

import numpy as np

from core.errors import StateError

LARGEST = 2**30  # bytes of all arrays together; an episode has less than a hundredth


def read_archive(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz``.

    Raises:
        StateError: if it is damaged, none, or an array is not of the size that its header says.
    """
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > LARGEST:
                raise StateError(f"the archive unpacks to {total} bytes, more than {LARGEST}")
            return {
                member.filename.removesuffix(".npy"): read_array(archive.read(member)) for member in members
            }
    except (BadZipFile, ZlibError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, StateError):
            raise
        raise StateError(f"no NumPy archive: {_one_line(error)}") from error


def read_array(data: bytes) -> np.ndarray:
    """The array of an ``.npy``.

    Raises:
        StateError: if it is damaged, holds objects, or is not of the size that its header says.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    except (ValueError, EOFError, RecursionError, MemoryError, SyntaxError, TypeError) as error:
        raise StateError(f"no NumPy array: {_one_line(error)}") from error
    if dtype.hasobject:
        raise StateError("a NumPy array of Python objects is not read")
    size, wanted = len(data) - stream.tell(), dtype.itemsize
    for side in shape:
        wanted *= side
    if size != wanted:
        raise StateError(f"an array of {dtype}{list(shape)} has {wanted} bytes, here are {size}")
    array: np.ndarray = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def _one_line(error: Exception) -> str:
    """NumPy's words go over several lines."""
    return " ".join(str(error).split())[:200]
