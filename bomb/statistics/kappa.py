"""How far two raters agree beyond chance."""

from collections.abc import Sequence

import numpy as np

from bomb.statistics.estimate import (
    CONFIDENCE,
    RESAMPLES,
    Estimate,
    check_confidence,
    same_length,
    undefined,
)
from bomb.statistics.rates import wilson


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
    draws = draws[~np.isnan(draws)]
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
