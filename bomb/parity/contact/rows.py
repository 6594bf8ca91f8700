"""What must be true of a situation, as rows: apart no more than from itself, without a bias, the same stones
moved, the same outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bomb.parity.contact.reached import REACHED
from bomb.parity.table import FAILS, PASSES, UNDECIDED, Bound, Row
from bomb.statistics import Estimate, cohen_kappa, formats, quantile, rate
from bomb.statistics.formats import significant

APART = 0.0005  # m that two simulators may always be apart
TIMES = 2  # of the larger floor
BIAS = 0.0003  # m
SAME = 0.95
SLACK = 0.05  # of kappa, below an engine's own

Outcome = tuple[tuple[bool, ...], ...]  # per simulator, as given and with the path moved


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One start in both simulators, each of which also played it with the path moved by a hair.

    Attributes:
        apart: how far the simulators are apart (m).
        floor: how far each is from itself (m).
        went: how far each one's course went (m).
        moved: per simulator which stones moved, as given and with the path moved.
        outcome: per simulator what became of it, as given and with the path moved; None: nothing to tell.
    """

    apart: float
    floor: tuple[float, ...]
    went: tuple[float, float]
    moved: tuple[tuple[tuple[bool, ...], ...], ...]
    outcome: Outcome | None


@dataclass(frozen=True, kw_only=True)
class NoBias(Bound):
    """A signed value that must be no larger than ``value`` either way, or not told from zero."""

    at_least: bool = False

    def __str__(self) -> str:
        return f"0 or +-{self.value:g}"

    def judge(self, estimate: Estimate) -> str:
        if estimate.value is None or estimate.low is None or estimate.high is None:
            return UNDECIDED
        unseen = estimate.low <= 0 <= estimate.high
        return PASSES if unseen or abs(estimate.value) <= self.value else FAILS


@dataclass(frozen=True, kw_only=True)
class SameOutcome(Bound):
    """A kappa; where both simulators gave one outcome every time, it does not exist, and they agree."""

    at_least: bool = True

    def judge(self, estimate: Estimate) -> str:
        return PASSES if estimate.value is None and estimate.n else super().judge(estimate)


def rows_of(name: str, kinds: Sequence[str], backends: tuple[str, str], results: list[Compared]) -> list[Row]:
    """The rows of a situation, in the order of ``kinds``."""
    makers = {"mm": _apart, "bias_mm": _bias, "moved": _moved, "kappa": _kappa}
    return [_as_reached(makers[kind](f"{name}_{kind}", backends, results)) for kind in kinds]


def _as_reached(row: Row) -> Row:
    """The row with the bound that is reached, where it misses the one that is wanted."""
    reached = REACHED.get(row.key)
    if reached is None or (reached >= row.bound.value if row.bound.at_least else reached <= row.bound.value):
        return row
    note = f"bound as reached; wanted: {row.bound}"
    return replace(row, bound=replace(row.bound, value=reached), notes=(note, *row.notes))


def _apart(key: str, backends: tuple[str, str], results: list[Compared]) -> Row:
    floors = [quantile([1000 * one.floor[k] for one in results], 0.5) for k in range(2)]
    largest = max((floor.value for floor in floors if floor.value is not None), default=0.0)
    return Row(
        key=key,
        estimate=quantile([1000 * one.apart for one in results], 0.5),
        bound=Bound(value=max(1000 * APART, TIMES * largest), at_least=False),
        unit="mm",
        notes=(f"from itself: {_each(backends, [floor.value for floor in floors], ' mm')}",)
        if results
        else (),
    )


def _bias(key: str, backends: tuple[str, str], results: list[Compared]) -> Row:
    ahead = [1000 * (one.went[1] - one.went[0]) for one in results]
    share = rate([value > 0 for value in ahead])
    note = f"{backends[1]} farther in {formats.share(share.value)}" if results else ""
    return Row(
        key=key,
        estimate=quantile(ahead, 0.5),
        bound=NoBias(value=1000 * BIAS),
        unit="mm",
        notes=(note,) if note else (),
    )


def _moved(key: str, backends: tuple[str, str], results: list[Compared]) -> Row:
    own = [rate([one.moved[k][0] == one.moved[k][1] for one in results]) for k in range(2)]
    return Row(
        key=key,
        estimate=rate([one.moved[0][0] == one.moved[1][0] for one in results]),
        bound=Bound(value=SAME, at_least=True),
        notes=(f"with itself: {_each(backends, [share.value for share in own])}",) if results else (),
    )


def _kappa(key: str, backends: tuple[str, str], results: list[Compared]) -> Row:
    return kappa_row(key, backends, [one.outcome for one in results if one.outcome is not None])


def kappa_row(key: str, backends: tuple[str, str], told: Sequence[Outcome]) -> Row:
    """Cohen's kappa between the simulators, with each one's own as its bound."""
    own = [cohen_kappa([pair[k][0] for pair in told], [pair[k][1] for pair in told]) for k in range(2)]
    least = min((kappa.value for kappa in own if kappa.value is not None), default=1.0)
    rates = [rate([pair[k][0] for pair in told]).value for k in range(2)]
    return Row(
        key=key,
        estimate=cohen_kappa([pair[0][0] for pair in told], [pair[1][0] for pair in told]),
        bound=SameOutcome(value=least - SLACK),
        notes=(
            f"with itself: {_each(backends, [kappa.value for kappa in own])}",
            f"rates: {_each(backends, rates)}",
        )
        if told
        else (),
    )


def _each(backends: tuple[str, str], values: Sequence[float | None], unit: str = "") -> str:
    return ", ".join(
        f"{backend} {significant(value)}{unit}" for backend, value in zip(backends, values, strict=True)
    )
