"""Reading safetensors with numpy alone: eight bytes of length, a JSON header, then the numbers.

The format is documented at https://huggingface.co/docs/safetensors. The library of that name writes the
files, and is not needed to play.
"""

import json
from pathlib import Path

import numpy as np

from bomb.disk.files import FileError

_DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8", "I32": "<i4", "U8": "<u1"}
MOST_HEADER = 1 << 20  # bytes


def read_safetensors(file: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a file by name, and its metadata.

    Raises:
        FileError: naming the file, if it is missing, damaged or of a type of number that is not known.
    """
    try:
        data = Path(file).read_bytes()
        size = int.from_bytes(data[:8], "little")
        if len(data) < 8 or size > min(MOST_HEADER, len(data) - 8):
            raise ValueError("its header is cut off")
        header = json.loads(data[8 : 8 + size])
        about = header.pop("__metadata__", {})
        arrays = {}
        for name, entry in header.items():
            first, last = entry["data_offsets"]
            raw = data[8 + size + first : 8 + size + last]
            arrays[name] = np.frombuffer(raw, _DTYPES[entry["dtype"]]).reshape(entry["shape"])
    except OSError as error:
        raise FileError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{file} is not a safetensors file that can be read: {error}") from error
    return arrays, about
