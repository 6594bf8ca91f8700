"""Numbers as people read them, in tables, in sentences and on terminals; a sign where there is none."""

from collections.abc import Callable, Sequence
from functools import partial

NOTHING = "–"
OPEN = "?"  # an end of an interval that the data do not bound


def share(value: float | None, digits: int = 0, missing: str = "undefined") -> str:
    """A number from 0 to 1 in percent: ``74%``."""
    return missing if value is None else f"{value:.{digits}%}"


def in_points(value: float, digits: int = 1) -> str:
    """A difference of two shares in percentage points, with its sign: ``-22.0``."""
    return f"{100 * value:+.{digits}f}"


def fixed(value: float | None, digits: int = 1, unit: str = "", missing: str = NOTHING) -> str:
    """A quantity with so many decimals: ``2.3 mm``."""
    return missing if value is None else f"{value:.{digits}f}{f' {unit}' if unit else ''}"


def significant(value: float | None, missing: str = "-", digits: int = 4) -> str:
    """A number of any size in so many digits; integers as they are."""
    if value is None:
        return missing
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def p_value(p: float | None) -> str:
    """Three decimals, and no zero."""
    return NOTHING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def interval(ends: Sequence[float | None], form: Callable[[float], str]) -> str:
    """``[low, high]``, each end written by ``form``; empty if neither is known."""
    low, high = (OPEN if end is None else form(end) for end in ends)
    return "" if low == high == OPEN else f"[{low}, {high}]"


def share_interval(ends: Sequence[float | None], digits: int = 1) -> str:
    """An interval of a share in percent: ``[68.4%, 79.5%]``."""
    return interval(ends, partial(share, digits=digits))


def words(name: str) -> str:
    """An identifier as it is read: ``never_reached`` is ``never reached``."""
    return name.replace("_", " ")
