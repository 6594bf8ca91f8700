"""Numbers and names as a report says them."""

from html import escape
from typing import Protocol

from bomb.pages.page import Raw
from bomb.report.model import Summary
from bomb.statistics import Estimate, formats


class Placed(Protocol):
    """A part of a summary that is of one run in one task, split and simulator."""

    @property
    def run(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def split(self) -> str: ...
    @property
    def backend(self) -> str: ...


class Names:
    """What tells runs, tasks and splits apart, and nothing that all of them share."""

    def __init__(self, summary: Summary):
        cells = [condition for run in summary.runs for condition in run.conditions]
        self._runs = len(summary.runs) > 1
        self._order = [run.name for run in summary.runs]
        self._kinds = list(dict.fromkeys((cell.task, cell.split, cell.backend) for cell in cells))
        self._tasks = len({cell.task for cell in cells}) > 1
        self._splits = len({cell.split for cell in cells}) > 1

    @property
    def several(self) -> bool:
        """Whether the report is of more than one run."""
        return self._runs

    def style(self, cell: Placed) -> tuple[int, int]:
        """What a chart tells it by: one colour a run, one marker for each task, split and simulator."""
        kind = self._kinds.index((cell.task, cell.split, cell.backend))
        return (self._order.index(cell.run), kind) if self._runs else (kind, kind)

    def place(self, cell: Placed, *, run: bool = True) -> str:
        """Run, task and split where they differ, and simulator: of a condition, group or curve."""
        parts = [
            cell.run if run and self._runs else None,
            cell.task if self._tasks else None,
            cell.split if self._splits else None,
            cell.backend,
        ]
        return ", ".join(part for part in parts if part)


def share(rate: Estimate) -> str:
    """A rate alone; one place behind the point where there are enough episodes for it."""
    return formats.share(rate.value, digits=1 if rate.n >= 500 else 0)


def interval(estimate: Estimate, unit: str = "%", scale: float = 100.0, digits: int = 0) -> str:
    """The ends of an interval, ``"[62%, 97%]"``; an end that the data do not bound is ``"?"``."""
    return formats.interval(estimate.interval, lambda end: f"{formats.fixed(scale * end, digits)}{unit}")


def rate_cell(rate: Estimate) -> Raw:
    """A rate with its interval and number of episodes under it."""
    if rate.value is None:
        return Raw(f"–<small>{escape(rate.reason or 'undefined')}</small>")
    return Raw(f'<b>{share(rate)}</b><small class="fit">{interval(rate)} of {rate.n}</small>')


def number_cell(estimate: Estimate, unit: str, digits: int = 1) -> Raw:
    """A quantity with its unit, and its interval under it."""
    if estimate.value is None:
        return Raw(f"–<small>{escape(estimate.reason or 'undefined')}</small>")
    under = interval(estimate, "", 1.0, digits)
    return Raw(
        f"{formats.fixed(estimate.value, digits)} {unit}"
        + (f'<small class="fit">{under}</small>' if under else "")
    )


def verdict_cell(verdict: str) -> Raw:
    """A few words on one line."""
    return Raw(f'<span class="fit">{escape(verdict)}</span>')


def counted(number: int, thing: str) -> str:
    """``"1 episode"``, ``"2 episodes"``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
