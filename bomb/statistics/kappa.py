"""How far two raters agree beyond chance."""

from collections.abc import Hashable, Sequence

import numpy as np

from bomb.statistics.estimate import (
    CONFIDENCE,
    RESAMPLES,
    Estimate,
    booleans,
    check_confidence,
    same_length,
    undefined,
)
from bomb.statistics.rates import wilson
from core.errors import OptionError


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
    check_confidence(confidence)
    a, b = same_length(a, b)
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
    return _percentiles(value, draws, n, confidence)


def clustered_kappa(
    a: Sequence[bool],
    b: Sequence[bool],
    clusters: Sequence[Hashable],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Cohen's kappa of two boolean raters, with a percentile bootstrap over clusters of pairs.

    Where no pair disagrees it is ``cohen_kappa`` with one pair a cluster's worth of evidence; ``n`` counts
    all pairs.

    Raises:
        OptionError: if the lengths differ.
    """
    check_confidence(confidence)
    a, b = same_length(booleans("a", a), booleans("b", b))
    if len(clusters) != len(a):
        raise OptionError(f"there must be a cluster for each of {len(a)} pairs, got {len(clusters)}")
    names: dict = {}
    codes = np.array([names.setdefault(cluster, len(names)) for cluster in clusters], dtype=np.int64)
    plain = cohen_kappa(a, b, confidence, resamples, seed)
    if plain.value is None or len(names) == len(a):
        return plain
    n, k = len(a), len(names)
    tables = np.bincount(codes * 4 + 2 * a + b, minlength=4 * k).reshape(k, 4)
    if plain.value == 1.0:
        at_least, share = wilson(k, k, confidence).low, float(a.mean())
        chance = share**2 + (1 - share) ** 2
        return Estimate(value=1.0, low=(at_least - chance) / (1 - chance), high=1.0, n=n)
    draws = _kappa(np.random.default_rng(seed).multinomial(k, np.full(k, 1 / k), size=resamples) @ tables, 2)
    return _percentiles(plain.value, draws, n, confidence)


def _percentiles(value: float, draws: np.ndarray, n: int, confidence: float) -> Estimate:
    """The percentile interval; none where one rater always says the same, for then every draw is 0."""
    draws = draws[~np.isnan(draws)]
    if np.ptp(draws) == 0:
        reason = "one of the raters gave the same every time, so that resampling gives no interval"
        return Estimate(value=value, low=None, high=None, n=n, reason=reason)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value=value, low=float(low), high=float(high), n=n)


def _kappa(tables: np.ndarray, k: int) -> np.ndarray:
    """Kappa of each flattened k x k table of counts; NaN where chance agreement is certain."""
    tables = tables.reshape(-1, k, k).astype(np.float64)
    n = tables.sum(axis=(1, 2))
    observed = np.trace(tables, axis1=1, axis2=2) / n
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / n**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)
