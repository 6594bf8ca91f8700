"""Estimates in a line of text: value and interval; what is undefined says why."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from bomb.report.makings import OTHERWISE
from bomb.report.tables import UNDEFINED
from bomb.statistics import Estimate, formats


def percent(estimate: Estimate) -> str:
    """A share: ``74.3% [68.4, 79.5]``."""
    return _with_interval(estimate, lambda value: f"{100 * value:.1f}", "%")


def points(estimate: Estimate) -> str:
    """A difference of shares in percentage points: ``-22.0 [-31.1, -15.0]``."""
    return _with_interval(estimate, formats.in_points, "")


def number(estimate: Estimate, digits: int = 2, unit: str = "") -> str:
    """A quantity: ``2.31 mm [2.10, 2.60]``; an end that the data do not bound is a question mark."""
    return _with_interval(estimate, partial(formats.fixed, digits=digits), f" {unit}" if unit else "")


def words(name: str) -> str:
    """An identifier for readers: ``never_reached`` is ``never reached``, ``int_act/`` is ``INT-ACT:``."""
    return formats.words(name.replace("int_act/", "INT-ACT: "))


def differing(found: Iterable[Any]) -> str:
    """Below a table: what the sides of its rows were made with and differ in; empty where they do not."""
    said = not_made_alike(found)
    return f"\n**{said}**\n" if said else ""


def not_made_alike(found: Iterable[Any]) -> str:
    """The ``differs`` of everything that a table shows, in one sentence; empty where there is none."""
    words = dict.fromkeys(part for entry in found for part in entry.differs)
    return f"{OTHERWISE.capitalize()}: {'; '.join(words)}." if words else ""


def _with_interval(estimate: Estimate, form: Callable[[float], str], unit: str) -> str:
    if estimate.value is None:
        return f"{UNDEFINED}{estimate.reason}"
    interval = formats.interval(estimate.interval, form)
    return f"{form(estimate.value)}{unit} {interval or '[no interval]'}"
