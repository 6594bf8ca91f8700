"""Numbers in words, for text and tables: percentages, points, intervals; a dash where there is nothing."""

from collections.abc import Iterable
from typing import Any

from bomb.report.tables import UNDEFINED
from bomb.statistics import Estimate

NOTHING = "–"


def percent(estimate: Estimate) -> str:
    """A share: ``74.3% [68.4, 79.5]``."""
    return _with_interval(estimate, 100, "{:.1f}", "%")


def points(estimate: Estimate) -> str:
    """A difference of shares in percentage points: ``-22.0 [-31.1, -15.0]``."""
    return _with_interval(estimate, 100, "{:+.1f}", "")


def number(estimate: Estimate, digits: int = 2, unit: str = "") -> str:
    """A quantity: ``2.31 mm [2.10, 2.60]``; an end that the data do not bound is a question mark."""
    return _with_interval(estimate, 1, f"{{:.{digits}f}}", f" {unit}" if unit else "")


def plain(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A number without interval."""
    return NOTHING if value is None else f"{value:.{digits}f}{f' {unit}' if unit else ''}"


def p_value(p: float | None) -> str:
    """Three decimals, and no zero."""
    return NOTHING if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def words(name: str) -> str:
    """An identifier for readers: ``never_reached`` is ``never reached``, ``int_act/`` is ``INT-ACT:``."""
    return name.replace("int_act/", "INT-ACT: ").replace("_", " ")


def differing(found: Iterable[Any]) -> str:
    """Below a table: what the sides of its rows were made with and differ in; empty where they do not."""
    said = not_made_alike(found)
    return f"\n**{said}**\n" if said else ""


def not_made_alike(found: Iterable[Any]) -> str:
    """The ``differs`` of everything that a table shows, in one sentence; empty where there is none."""
    words = dict.fromkeys(part for entry in found for part in entry.differs)
    return f"Not made alike: {'; '.join(words)}." if words else ""


def _with_interval(estimate: Estimate, scale: float, form: str, unit: str) -> str:
    if estimate.value is None:
        return f"{UNDEFINED}{estimate.reason}"
    value = form.format(scale * estimate.value) + unit
    if estimate.low is None and estimate.high is None:
        return f"{value} [no interval]"
    ends = ("?" if end is None else form.format(scale * end) for end in estimate.interval)
    return f"{value} [{', '.join(ends)}]"
