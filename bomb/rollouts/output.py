"""What a policy may return."""

from math import isfinite

import numpy as np
import numpy.typing as npt

from bomb.disk.text import message_of
from core.errors import PolicyOutputError


def checked_chunk(name: str, answer: object, step: int) -> npt.NDArray[np.floating]:
    """An answer of a policy as float[k, 4].

    Args:
        name: of the policy, for the message.
        answer: what it returned.
        step: actions executed so far.

    Raises:
        PolicyOutputError: naming shape, type or entry that is wrong.
    """
    # What is right is seen in a microsecond: the sum of squares is finite if every entry is. A copy, for the
    # policy may write into its array again while the chunk is being executed.
    if (
        type(answer) is np.ndarray
        and answer.dtype == np.float32
        and answer.ndim == 2
        and answer.shape[1] == 4
        and len(answer)
        and isfinite(np.vdot(answer, answer))
    ):
        return answer.copy()
    try:
        chunk = np.array(answer)
    except Exception as error:  # tensors raise what they like
        words = (
            f"a {type(answer).__name__} that NumPy cannot read ({type(error).__name__}: {message_of(error)})"
        )
        raise _wrong(name, words[:300], step) from error
    if chunk.ndim != 2 or chunk.shape[0] < 1 or chunk.shape[1] != 4:
        raise _wrong(name, f"shape {chunk.shape}", step)
    if chunk.dtype.kind not in "fiu":
        raise _wrong(name, f"type {chunk.dtype}", step)
    if not np.isfinite(chunk).all():
        row, entry = (int(k) for k in np.argwhere(~np.isfinite(chunk))[0])
        raise _wrong(name, f"{chunk[row, entry]} in action {row}, entry {entry}", step)
    with np.errstate(over="ignore"):
        narrow = chunk.astype(np.float32)
    if not np.isfinite(narrow).all():
        row, entry = (int(k) for k in np.argwhere(~np.isfinite(narrow))[0])
        words = f"{chunk[row, entry]} in action {row}, entry {entry}, which is beyond float32"
        raise _wrong(name, words, step)
    return narrow


def _wrong(name: str, value: str, step: int) -> PolicyOutputError:
    return PolicyOutputError(
        f"{name}.act must return an array of finite numbers of shape (k, 4) with k >= 1, "
        f"got {value} at step {step}",
        step=step,
        value=value,
    )
