"""Where values lie: quantiles and means."""

from functools import lru_cache

import numpy as np

from bomb.statistics.estimate import (
    CONFIDENCE,
    RESAMPLES,
    Estimate,
    Numbers,
    check_confidence,
    numbers,
    undefined,
)
from core.errors import OptionError


def quantile(values: Numbers, q: float, confidence: float = CONFIDENCE) -> Estimate:
    """A quantile with its order-statistics interval, which assumes nothing about the distribution.

    With few values an end does not exist (for the 95th percentile at 95% the upper one takes about 75);
    it is None then, and ``reason`` says so.

    Args:
        values: finite numbers.
        q: in (0, 1); 0.5 is the median.

    Raises:
        OptionError: naming what is out of range or not finite.
    """
    check_confidence(confidence)
    if not 0 < q < 1:
        raise OptionError(f"q must be between 0 and 1, got {q!r}")
    checked = numbers(values)
    if len(checked) == 0:
        return undefined("no values")
    ranks, ordered = _interval_ranks(len(checked), q, confidence), np.sort(checked)
    low, high = (None if rank is None else float(ordered[rank]) for rank in ranks)
    missing = low is None or high is None
    return Estimate(
        value=float(np.quantile(checked, q)),
        low=low,
        high=high,
        n=len(checked),
        reason=f"{len(checked)} values do not bound this quantile on both sides" if missing else None,
    )


@lru_cache(maxsize=4096)
def _interval_ranks(n: int, q: float, confidence: float) -> tuple[int | None, int | None]:
    """Which of n ordered values, from 0, are the ends of the interval; a report asks for few n many times."""
    from scipy.stats import quantile_test

    interval = quantile_test(np.arange(n), p=q).confidence_interval(confidence)
    low, high = (None if np.isnan(end) else int(end) for end in (interval.low, interval.high))
    return low, high


def mean(
    values: Numbers, confidence: float = CONFIDENCE, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """The mean with a bias-corrected and accelerated bootstrap (Efron 1987).

    Raises:
        OptionError: naming a value that is not finite.
    """
    check_confidence(confidence)
    checked = numbers(values)
    n = len(checked)
    if n < 2:
        value = float(checked[0]) if n else None
        return Estimate(value=value, low=None, high=None, n=n, reason="an interval takes two values")
    if np.ptp(checked) == 0:
        # What no resample can change is not thereby certain.
        reason = "all values are the same, which resampling cannot turn into an interval"
        return Estimate(value=float(checked[0]), low=None, high=None, n=n, reason=reason)
    from scipy.stats import bootstrap

    result = bootstrap(
        (checked,), np.mean, confidence_level=confidence, n_resamples=resamples, batch=100, rng=seed
    )
    low, high = (float(end) for end in result.confidence_interval)
    return Estimate(value=float(np.mean(checked)), low=low, high=high, n=n)
