"""A number and how sure of it one can be; and the checks that every statistic makes of its input."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from core.errors import OptionError

Booleans: TypeAlias = Sequence[bool] | npt.NDArray[np.bool_]
Numbers: TypeAlias = Sequence[float] | npt.NDArray[np.floating]

CONFIDENCE = 0.95
RESAMPLES = 4000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and how sure of it one can be.

    Attributes:
        value: the estimate; None where it is undefined.
        low, high: ends of the confidence interval; None where the data do not bound it on that side.
        n: how many independent observations went in.
        reason: why ``value``, ``low`` or ``high`` is None; else None.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None

    @property
    def interval(self) -> list[float | None]:
        """``[low, high]``, as the JSON files have it."""
        return [self.low, self.high]

    @property
    def drawn(self) -> tuple[float, float, float] | None:
        """``(low, value, high)`` for a chart: an end that is not bounded is the value. None if undefined."""
        if self.value is None:
            return None
        low, high = (self.value if end is None else end for end in self.interval)
        return low, self.value, high

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON: ``value``, ``interval``, ``n``, and ``reason`` where there is one."""
        plain = {"value": self.value, "interval": self.interval, "n": self.n}
        return plain if self.reason is None else {**plain, "reason": self.reason}


def undefined(reason: str, n: int = 0) -> Estimate:
    """An estimate that does not exist, and why."""
    return Estimate(value=None, low=None, high=None, n=n, reason=reason)


def check_confidence(confidence: float) -> None:
    """Raises OptionError unless 0 < confidence < 1."""
    if not 0 < confidence < 1:
        raise OptionError(f"confidence must be between 0 and 1, got {confidence!r}")


def booleans(name: str, values: Booleans) -> npt.NDArray[np.bool_]:
    """bool[N]; OptionError for anything else than booleans, so that no rate is taken of scores."""
    array = np.asarray(values)
    if array.size and array.dtype != np.bool_:
        raise OptionError(f"{name} must be booleans, got {array.dtype}")
    return array.astype(np.bool_).ravel()


def same_length(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Both as arrays [N]; OptionError if the lengths differ."""
    first, second = np.asarray(a).ravel(), np.asarray(b).ravel()
    if len(first) != len(second):
        raise OptionError(f"both must have the same length, got {len(first)} and {len(second)}")
    return first, second


def numbers(values: Numbers, name: str = "values") -> npt.NDArray[np.float64]:
    """float64[N]; OptionError naming the first value that is not finite."""
    array = np.asarray(values, dtype=np.float64).ravel()
    wrong = np.flatnonzero(~np.isfinite(array))
    if len(wrong):
        raise OptionError(f"{name}[{wrong[0]}] is not finite: {array[wrong[0]]}")
    return array
