"""The rows of the parity table: value, interval, bound, verdict; printed and as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bomb.statistics import Estimate, undefined
from bomb.statistics.formats import significant

PASSES = "passes"
FAILS = "fails"
UNDECIDED = "too few episodes to tell"

PASS_STATUS, FAIL_STATUS, UNDECIDED_STATUS = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What a row must reach.

    Attributes:
        value: the bound.
        at_least: whether the row must be at least the bound, or at most.
        extreme: whether the bound is the end of the scale, which no interval can lie beyond: the row then
            passes as long as nothing that was seen contradicts it.
    """

    value: float
    at_least: bool
    extreme: bool = False

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"

    def judge(self, estimate: Estimate) -> str:
        """One of the three verdicts on an estimate's interval."""
        if estimate.value is None:
            return UNDECIDED
        low, high = estimate.low, estimate.high
        if self.at_least:
            wrong, right = high is not None and high < self.value, low is not None and low >= self.value
        else:
            wrong, right = low is not None and low > self.value, high is not None and high <= self.value
        if wrong:
            return FAILS
        return PASSES if right or self.extreme else UNDECIDED


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        key: of the row in the JSON.
        part: the backend, where a row has one line for each; else None.
        estimate: value and 95% interval.
        bound: what it must reach.
        unit: of the value; empty for shares.
        notes: what else is worth knowing; short sentences.
        broken: why the row fails whatever its interval says; else None.
    """

    key: str
    estimate: Estimate
    bound: Bound
    part: str | None = None
    unit: str = ""
    notes: tuple[str, ...] = ()
    broken: str | None = None

    @property
    def verdict(self) -> str:
        """Whether the bound is met."""
        return FAILS if self.broken else self.bound.judge(self.estimate)

    @property
    def remarks(self) -> list[str]:
        """Everything there is to say about the row, worst first."""
        reason = self.estimate.reason
        return [*([self.broken] if self.broken else []), *([reason] if reason else []), *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the JSON has them."""
        plain: dict[str, Any] = {
            "value": self.estimate.value,
            "interval": self.estimate.interval,
            "n": self.estimate.n,
            "bound": self.bound.value,
            "verdict": self.verdict,
        }
        return {**plain, "notes": self.remarks} if self.remarks else plain


def not_measured(key: str, bound: Bound, reason: str, unit: str = "") -> Row:
    """A row without a value, and why."""
    return Row(key=key, estimate=undefined(reason), bound=bound, unit=unit)


def to_json(rows: Iterable[Row]) -> dict[str, Any]:
    """Key to row; a row with one line for each backend becomes a dictionary of them."""
    table: dict[str, Any] = {}
    for row in rows:
        if row.part is None:
            table[row.key] = row.to_dict()
        else:
            table.setdefault(row.key, {})[row.part] = row.to_dict()
    return table


def exit_status(rows: Sequence[Row]) -> int:
    """1 if an interval excludes its bound, else 2 if there are too few episodes to tell, else 0."""
    verdicts = {row.verdict for row in rows}
    if FAILS in verdicts:
        return FAIL_STATUS
    return UNDECIDED_STATUS if UNDECIDED in verdicts or not verdicts else PASS_STATUS


def to_text(rows: Sequence[Row]) -> str:
    """The table for a terminal; remarks stand below it."""
    head = ("row", "value", "95% interval", "n", "bound", "verdict")
    lines = [
        (
            row.key if row.part is None else f"{row.key} ({row.part})",
            significant(row.estimate.value) + (f" {row.unit}" if row.unit else ""),
            f"{significant(row.estimate.low)} to {significant(row.estimate.high)}",
            str(row.estimate.n),
            str(row.bound),
            row.verdict,
        )
        for row in rows
    ]
    widths = [max(len(line[k]) for line in [head, *lines]) for k in range(len(head))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *lines]
    ]
    text.insert(1, "-" * max(map(len, text)))
    for row in rows:
        name = row.key if row.part is None else f"{row.key} ({row.part})"
        text += [f"  {name}: {remark}" for remark in row.remarks]
    return "\n".join(text)
