"""How far two raters agree beyond chance."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.statistics.estimate import (
    CONFIDENCE,
    RESAMPLES,
    Booleans,
    Estimate,
    booleans,
    check_confidence,
    same_length,
    undefined,
)
from core.errors import OptionError

NEVER = 1e-6  # of a pair: a cell that nothing was seen in stays empty


def cohen_kappa(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Cohen's kappa of two raters (Cohen 1960).

    The interval is from draws of the true table given the counts, a Dirichlet distribution. Its prior makes
    the ends those of Clopper and Pearson (1934) where agreement is nearly perfect: the lower end with half a
    pair more in the cells of disagreement, the upper end with none. A bootstrap cannot draw a disagreement
    that was not seen, and covers too little there; a test simulates it.

    Raises:
        OptionError: if the lengths differ.
    """
    check_confidence(confidence)
    first, second = same_length(a, b)
    if len(first) == 0:
        return undefined("no pairs")
    labels, codes = np.unique(np.concatenate([first, second]), return_inverse=True)
    k, n = len(labels), len(first)
    table = np.bincount(codes[:n] * k + codes[n:], minlength=k * k)
    value = float(_kappa(table[None], k)[0])
    if np.isnan(value):
        return undefined(f"both raters gave {labels[0]!s} every time", n)
    low, high = _ends(table, k, confidence, resamples, seed)
    return Estimate(value=value, low=min(low, value), high=max(high, value), n=n)


def clustered_kappa(
    a: Booleans,
    b: Booleans,
    clusters: Sequence[Hashable],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Cohen's kappa of two boolean raters whose pairs come in clusters.

    As ``cohen_kappa`` for the effective number of pairs, n / deff; the design effect deff, at least 1, is the
    variance of a bootstrap over clusters over that of one over pairs. Where neither varies, each cluster
    counts as one pair. ``n`` counts all pairs.

    Raises:
        OptionError: if the lengths differ.
    """
    check_confidence(confidence)
    first, second = same_length(booleans("a", a), booleans("b", b))
    if len(clusters) != len(first):
        raise OptionError(f"there must be a cluster for each of {len(first)} pairs, got {len(clusters)}")
    names: dict[Hashable, int] = {}
    codes = np.array([names.setdefault(cluster, len(names)) for cluster in clusters], dtype=np.int64)
    plain = cohen_kappa(first, second, confidence, resamples, seed)
    if plain.value is None or len(names) == len(first):
        return plain
    n, k = len(first), len(names)
    tables = np.bincount(codes * 4 + 2 * first + second, minlength=4 * k).reshape(k, 4)
    rng = np.random.default_rng(seed)
    whole = tables.sum(axis=0)
    by_cluster = _kappa(rng.multinomial(k, np.full(k, 1 / k), size=resamples) @ tables, 2)
    by_pair = _kappa(rng.multinomial(n, whole / n, size=resamples), 2)
    spread = np.nanvar(by_pair)
    effect = max(1.0, np.nanvar(by_cluster) / spread) if spread > 0 else n / k
    low, high = _ends(whole / effect, 2, confidence, resamples, seed)
    return Estimate(value=plain.value, low=min(low, plain.value), high=max(high, plain.value), n=n)


def _ends(
    table: npt.NDArray[Any], k: int, confidence: float, resamples: int, seed: int
) -> tuple[float, float]:
    """The ends of the interval for a flattened k x k table of counts."""
    same = np.eye(k, dtype=bool).ravel()
    rng, ends = np.random.default_rng(seed), []
    for apart, quantile in ((1 / (k * (k - 1)), (1 - confidence) / 2), (NEVER, (1 + confidence) / 2)):
        shape = table + np.where(same, 1 / k, apart)
        ends.append(float(np.quantile(_kappa(rng.gamma(shape, size=(resamples, k * k)), k), quantile)))
    return ends[0], ends[1]


def _kappa(tables: npt.NDArray[Any], k: int) -> npt.NDArray[Any]:
    """Kappa of each flattened k x k table of counts; NaN where chance agreement is certain."""
    tables = tables.reshape(-1, k, k).astype(np.float64)
    n = tables.sum(axis=(1, 2))
    observed = np.trace(tables, axis1=1, axis2=2) / n
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / n**2
    with np.errstate(invalid="ignore", divide="ignore"):
        kappas: npt.NDArray[np.float64] = np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)
    return kappas
