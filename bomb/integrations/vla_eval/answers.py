"""What a model server may answer: looked through before vla-eval's own reader makes arrays of it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import PolicyError

LARGEST = 2**20  # bytes of an answer: a chunk of a thousand actions has a tenth
MOST_AXES = 8
MOST_HELLO = 20_000  # characters of what a server says of itself, which every result carries
# By name, what numbers come as. NumPy's own parser is a language: a megabyte of it is busy for hours.
DTYPES = frozenset(
    f"{order}{kind}{size}"
    for order in "<>=|"
    for kind, sizes in (("f", "248"), ("i", "1248"), ("u", "1248"), ("b", "1"))
    for size in sizes
)


def check_arrays(data: bytes | str) -> None:
    """Returns if every array in a message is small and of numbers, and no picture is in it.

    Raises:
        ValueError: if not, or if it is no message.
    """
    if not isinstance(data, bytes):
        raise ValueError("a message must be binary, this one is text")
    import msgpack

    msgpack.unpackb(data, object_hook=_checked, raw=False)


def _checked(value: dict[str, Any]) -> object:
    if "__ndarray__" in value:
        dtype, shape = value.get("dtype"), value.get("shape")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise ValueError(f"an array of dtype {str(dtype)[:30]!r}")
        if (
            not isinstance(shape, list)
            or len(shape) > MOST_AXES
            or not all(type(side) is int and 0 <= side <= LARGEST for side in shape)
        ):
            raise ValueError(f"an array of shape {str(shape)[:60]}")
        if not isinstance(value.get("data"), bytes):
            raise ValueError("an array without data")
        return None  # what is inside may be large; vla-eval makes the array
    if any(isinstance(name, str) and name.startswith("__") for name in value):
        raise ValueError("a picture, which no answer has")
    return value


def checked_hello(hello: object, source: str) -> dict[str, Any]:
    """What a server says of itself, if it is what vla-eval's servers say and results can carry it.

    Raises:
        PolicyError: naming what is not.
    """
    if not isinstance(hello, Mapping):
        raise PolicyError(f"{source} said hello with {type(hello).__name__}, not a map")
    for name in ("action_spec", "observation_spec", "observation_params"):
        said = hello.get(name, {})
        if not isinstance(said, Mapping) or not all(isinstance(key, str) for key in said):
            raise PolicyError(f"{source} declares {name} = {str(said)[:60]!r}, not a map")
        for component, spec in said.items() if name != "observation_params" else ():
            if not isinstance(spec, Mapping) or not isinstance(spec.get("format", ""), str):
                raise PolicyError(
                    f"{source} declares {component[:60]!r} of {name} as {str(spec)[:60]!r}, "
                    "which is not a specification"
                )
    try:
        length = len(json.dumps(hello, allow_nan=False, default=_plain))
    except (TypeError, ValueError, RecursionError) as error:
        raise PolicyError(
            f"{source}: what it says of itself cannot be kept: {type(error).__name__}"
        ) from error
    if length > MOST_HELLO:
        raise PolicyError(f"{source} says {length} characters of itself, at most {MOST_HELLO} are kept")
    return dict(hello)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(type(value).__name__)
