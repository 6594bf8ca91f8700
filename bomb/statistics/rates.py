"""Shares: Wilson's interval for independent trials, and for trials that come in clusters."""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.statistics.estimate import (
    CONFIDENCE,
    Booleans,
    Estimate,
    booleans,
    check_confidence,
    same_length,
    undefined,
)
from core.errors import OptionError


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """A share of ``n`` independent trials, with Wilson's score interval (Wilson 1927).

    Raises:
        OptionError: unless 0 <= successes <= n and 0 < confidence < 1.
    """
    check_confidence(confidence)
    if not 0 <= successes <= n:
        raise OptionError(f"successes must be from 0 to n = {n}, got {successes!r}")
    if n == 0:
        return undefined("no trials")
    return _wilson(int(successes), int(n), confidence)


@lru_cache(maxsize=65536)
def _wilson(successes: int, n: int, confidence: float) -> Estimate:
    """The same few counts come again and again in a report."""
    from scipy.stats import binomtest  # slow to import, and not every command needs it

    interval = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Estimate(value=successes / n, low=float(interval.low), high=float(interval.high), n=n)


def rate(outcomes: Booleans, confidence: float = CONFIDENCE) -> Estimate:
    """The share of true values, with Wilson's interval."""
    checked = booleans("outcomes", outcomes)
    return wilson(int(checked.sum()), len(checked), confidence)


def agreement(a: npt.ArrayLike, b: npt.ArrayLike, confidence: float = CONFIDENCE) -> Estimate:
    """The share of pairs that are equal, with Wilson's interval.

    Raises:
        OptionError: if the lengths differ.
    """
    first, second = same_length(a, b)
    return wilson(int((first == second).sum()), len(first), confidence)


def iou(a: Booleans, b: Booleans, confidence: float = CONFIDENCE) -> Estimate:
    """Intersection over union of two sets, each given as one boolean per independent item.

    Given the union's size, the intersection's is a binomial count, so Wilson's interval holds; a bootstrap
    would claim certainty where the sets happen to be equal. ``n`` is the size of the union.

    Raises:
        OptionError: if the lengths differ.
    """
    first, second = same_length(booleans("a", a), booleans("b", b))
    union = int((first | second).sum())
    return (
        wilson(int((first & second).sum()), union, confidence) if union else undefined("both sets are empty")
    )


def clustered_rate(
    outcomes: Booleans, clusters: Sequence[Hashable], confidence: float = CONFIDENCE
) -> Estimate:
    """The share of true values where trials of one cluster are alike, as the same seed under several knobs.

    Wilson's interval with the effective sample size, see ``effective_size``; of the intervals that are made
    so, Franco et al. (2019) recommend Wilson's. Where every outcome is the same nothing can be estimated, and
    each cluster counts as one trial.

    Args:
        outcomes: one boolean per trial.
        clusters: the cluster of each.

    Returns:
        The share; its ``n`` is the number of trials.

    Raises:
        OptionError: if the lengths differ.
    """
    check_confidence(confidence)
    checked, n = booleans("outcomes", outcomes), len(clusters)
    if len(checked) != n:
        raise OptionError(f"both must have the same length, got {len(checked)} and {n}")
    if n == 0:
        return undefined("no trials")
    share = float(checked.mean())
    low, high = _wilson_ends(share, effective_size(checked, clusters, confidence), confidence)
    return Estimate(value=share, low=low, high=high, n=n)


def effective_size(values: npt.NDArray[Any], clusters: Sequence[Hashable], confidence: float) -> float:
    """How many independent trials say as much about the mean of ``values``, float[N], as these do.

    N / deff, where the design effect deff is the variance of the mean by linearisation over clusters, divided
    by that of as many independent trials (Kish 1965), and at least 1; reduced for few clusters by the squared
    ratio of Student's quantiles (Korn and Graubard 1998). As many as there are clusters where all values are
    the same.
    """
    names: dict[Hashable, int] = {}
    codes = np.array([names.setdefault(cluster, len(names)) for cluster in clusters])
    n, k = len(values), len(names)
    if k == n:
        return n
    residuals = values - values.mean()
    spread = float((residuals**2).sum())
    if spread == 0 or k == 1:
        return k
    variance = k / (k - 1) * float((np.bincount(codes, weights=residuals) ** 2).sum())
    from scipy.stats import t

    few = t.ppf((1 + confidence) / 2, n - 1) / t.ppf((1 + confidence) / 2, k - 1)
    return n * float(few) ** 2 / max(1.0, variance / spread)


def _wilson_ends(share: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's interval where n need not be an integer, which scipy's ``binomtest`` wants."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + confidence) / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return max(0.0, middle - half), min(1.0, middle + half)
