"""What a policy does wrong: errors that say at which step and with which value."""

from math import isfinite

import numpy as np

from core.errors import ActionError, BombError


class PolicyError(BombError):
    """A policy raised, is not there any more, or did not answer.

    Attributes:
        step: actions executed before it; None where no episode was being played.
        value: what was wrong, in a few words; None where there is no value.
    """

    def __init__(self, message: str, *, step: int | None = None, value: str | None = None):
        super().__init__(message)
        self.step, self.value = step, value


class PolicyTimeoutError(PolicyError):
    """A policy did not answer in the time that it was given."""


class PolicyOutputError(PolicyError, ActionError):
    """A policy returned what cannot be executed. The world has not moved."""


def checked_chunk(name: str, answer: object, step: int) -> np.ndarray:
    """An answer of a policy as float[k, 4].

    Args:
        name: of the policy, for the message.
        answer: what it returned.
        step: actions executed so far.

    Raises:
        PolicyOutputError: naming shape, type or entry that is wrong.
    """
    # What is right is seen in a microsecond: the sum of squares is finite if every entry is.
    if (
        type(answer) is np.ndarray
        and answer.dtype == np.float32
        and answer.ndim == 2
        and answer.shape[1] == 4
        and len(answer)
        and isfinite(np.vdot(answer, answer))
    ):
        return answer
    try:
        chunk = np.asarray(answer)
    except ValueError as error:
        raise _wrong(name, f"no array: {error}", step) from error
    if chunk.ndim != 2 or chunk.shape[0] < 1 or chunk.shape[1] != 4:
        raise _wrong(name, f"shape {chunk.shape}", step)
    if chunk.dtype.kind not in "fiu":
        raise _wrong(name, f"type {chunk.dtype}", step)
    if not np.isfinite(chunk).all():
        row, entry = (int(k) for k in np.argwhere(~np.isfinite(chunk))[0])
        raise _wrong(name, f"{chunk[row, entry]} in action {row}, entry {entry}", step)
    return chunk


def _wrong(name: str, value: str, step: int) -> PolicyOutputError:
    return PolicyOutputError(
        f"{name}.act must return an array of finite numbers of shape (k, 4) with k >= 1, "
        f"got {value} at step {step}",
        step=step,
        value=value,
    )
