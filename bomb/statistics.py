"""Every reported number with its interval, and never a NaN.

An ``Estimate`` that cannot be computed has the value None and says why. Intervals are two-sided, at 95%
unless said otherwise; bootstraps are seeded, so the same data give the same interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import OptionError

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

    def to_dict(self) -> dict:
        """Plain numbers for JSON: ``value``, ``interval``, ``n``, and ``reason`` where there is one."""
        plain = {"value": self.value, "interval": self.interval, "n": self.n}
        return plain if self.reason is None else {**plain, "reason": self.reason}


def undefined(reason: str, n: int = 0) -> Estimate:
    """An estimate that does not exist, and why."""
    return Estimate(value=None, low=None, high=None, n=n, reason=reason)


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """A share of ``n`` independent trials, with Wilson's score interval (Wilson 1927).

    Raises:
        OptionError: unless 0 <= successes <= n and 0 < confidence < 1.
    """
    _check_confidence(confidence)
    if not 0 <= successes <= n:
        raise OptionError(f"successes must be from 0 to n = {n}, got {successes!r}")
    if n == 0:
        return undefined("no trials")
    from scipy.stats import binomtest  # slow to import, and not every command needs it

    interval = binomtest(int(successes), int(n)).proportion_ci(confidence, method="wilson")
    return Estimate(value=successes / n, low=float(interval.low), high=float(interval.high), n=int(n))


def rate(outcomes: Sequence[bool], confidence: float = CONFIDENCE) -> Estimate:
    """The share of true values, with Wilson's interval."""
    outcomes = _booleans("outcomes", outcomes)
    return wilson(int(outcomes.sum()), len(outcomes), confidence)


def agreement(a: Sequence, b: Sequence, confidence: float = CONFIDENCE) -> Estimate:
    """The share of pairs that are equal, with Wilson's interval.

    Raises:
        OptionError: if the lengths differ.
    """
    a, b = _pairs(a, b)
    return wilson(int((a == b).sum()), len(a), confidence)


def iou(a: Sequence[bool], b: Sequence[bool], confidence: float = CONFIDENCE) -> Estimate:
    """Intersection over union of two sets, each given as one boolean per independent item.

    Given the union's size, the intersection's is a binomial count, so Wilson's interval holds; a bootstrap
    would claim certainty where the sets happen to be equal. ``n`` is the size of the union.

    Raises:
        OptionError: if the lengths differ.
    """
    a, b = _pairs(_booleans("a", a), _booleans("b", b))
    union = int((a | b).sum())
    return wilson(int((a & b).sum()), union, confidence) if union else undefined("both sets are empty")


def cohen_kappa(
    a: Sequence,
    b: Sequence,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Cohen's kappa of two raters (Cohen 1960), with a percentile bootstrap over the pairs.

    Where no pair disagrees, resampling cannot produce a disagreement; the lower end then comes from
    Wilson's lower end of the agreement, at the observed margins.

    Raises:
        OptionError: if the lengths differ.
    """
    _check_confidence(confidence)
    a, b = _pairs(a, b)
    if len(a) == 0:
        return undefined("no pairs")
    labels, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    k, n = len(labels), len(a)
    table = np.bincount(codes[:n] * k + codes[n:], minlength=k * k)
    value = float(_kappa(table[None], k)[0])
    if np.isnan(value):
        return undefined(f"both raters gave {labels[0]!s} every time", n)
    if value == 1.0:
        at_least = wilson(n, n, confidence).low
        margins = table.reshape(k, k)
        chance = float((margins.sum(0) * margins.sum(1)).sum()) / n**2
        return Estimate(value=1.0, low=(at_least - chance) / (1 - chance), high=1.0, n=n)
    # Drawing pairs with replacement is drawing the cells of the table from a multinomial.
    draws = _kappa(np.random.default_rng(seed).multinomial(n, table / n, size=resamples), k)
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value=value, low=float(low), high=float(high), n=n)


def quantile(values: Sequence[float], q: float, confidence: float = CONFIDENCE) -> Estimate:
    """A quantile with its order-statistics interval, which assumes nothing about the distribution.

    With few values an end does not exist (for the 95th percentile at 95% the upper one takes about 75);
    it is None then, and ``reason`` says so.

    Args:
        values: finite numbers.
        q: in (0, 1); 0.5 is the median.

    Raises:
        OptionError: naming what is out of range or not finite.
    """
    _check_confidence(confidence)
    if not 0 < q < 1:
        raise OptionError(f"q must be between 0 and 1, got {q!r}")
    values = _numbers(values)
    if len(values) == 0:
        return undefined("no values")
    from scipy.stats import quantile_test

    interval = quantile_test(values, p=q).confidence_interval(confidence)
    low, high = (None if np.isnan(end) else float(end) for end in (interval.low, interval.high))
    missing = low is None or high is None
    return Estimate(
        value=float(np.quantile(values, q)),
        low=low,
        high=high,
        n=len(values),
        reason=f"{len(values)} values do not bound this quantile on both sides" if missing else None,
    )


def mean(
    values: Sequence[float], confidence: float = CONFIDENCE, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """The mean with a bias-corrected and accelerated bootstrap (Efron 1987).

    Raises:
        OptionError: naming a value that is not finite.
    """
    _check_confidence(confidence)
    values = _numbers(values)
    if len(values) < 2:
        value = float(values[0]) if len(values) else None
        return Estimate(
            value=value, low=None, high=None, n=len(values), reason="an interval takes two values"
        )
    if np.ptp(values) == 0:
        value = float(values[0])
        return Estimate(value=value, low=value, high=value, n=len(values))
    from scipy.stats import bootstrap

    result = bootstrap(
        (values,), np.mean, confidence_level=confidence, n_resamples=resamples, batch=100, rng=seed
    )
    low, high = (float(end) for end in result.confidence_interval)
    return Estimate(value=float(np.mean(values)), low=low, high=high, n=len(values))


def _kappa(tables: np.ndarray, k: int) -> np.ndarray:
    """Kappa of each flattened k x k table of counts; NaN where chance agreement is certain."""
    tables = tables.reshape(-1, k, k).astype(np.float64)
    n = tables.sum(axis=(1, 2))
    observed = np.trace(tables, axis1=1, axis2=2) / n
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / n**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise OptionError(f"confidence must be between 0 and 1, got {confidence!r}")


def _booleans(name: str, values: Sequence[bool]) -> np.ndarray:
    array = np.asarray(values)
    if array.size and array.dtype != np.bool_:
        raise OptionError(f"{name} must be booleans, got {array.dtype}")
    return array.astype(np.bool_).ravel()


def _pairs(a: Sequence, b: Sequence) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a).ravel(), np.asarray(b).ravel()
    if len(a) != len(b):
        raise OptionError(f"both must have the same length, got {len(a)} and {len(b)}")
    return a, b


def _numbers(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64).ravel()
    wrong = np.flatnonzero(~np.isfinite(array))
    if len(wrong):
        raise OptionError(f"values[{wrong[0]}] is not finite: {array[wrong[0]]}")
    return array
