"""Whether two simulators order conditions, or policies, alike: correlations and rank violations.

All four statistics take rates, float[..., P] each, one per point (a condition or a policy), and work on the
last axis. They are written for many rows at once, because their intervals come from resampling episodes;
the tests hold the correlations to scipy's.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bomb.statistics.estimate import CONFIDENCE, Estimate, check_confidence, undefined
from core.errors import OptionError

Floats: TypeAlias = npt.NDArray[np.float64]

RESAMPLES = 1000
CHUNK = 1_000_000  # numbers held at once while resampling; a matter of memory only


def pearson(a: Floats, b: Floats) -> Floats:
    """Pearson's r, float[...]; NaN where one side does not vary.

    SimplerEnv's ``pearson_correlation`` differs in that case only: it gives 1 where both sides are constant.
    """
    a, b = (_varying(x) for x in (a, b))
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine: Floats = (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return cosine


def spearman(a: Floats, b: Floats) -> Floats:
    """Spearman's rho, float[...]: Pearson's r of the ranks, ties at their mean rank."""
    from scipy.stats import rankdata

    return pearson(rankdata(a, axis=-1), rankdata(b, axis=-1))


def kendall(a: Floats, b: Floats) -> Floats:
    """Kendall's tau-b, float[...], which takes account of ties; NaN where one side does not vary."""
    first, second = np.triu_indices(np.shape(a)[-1], 1)
    a, b = (np.sign(np.asarray(x)[..., first] - np.asarray(x)[..., second]) for x in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine: Floats = (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return cosine


def mmrv(rates: Floats, reference: Floats) -> Floats:
    """Mean maximum rank violation, float[...], as SimplerEnv defines it (Li et al. 2024).

    For each point i, the largest ``|reference_i - reference_j|`` over those j for which ``rates`` says
    otherwise than ``reference`` whether i is strictly above j; then the mean over i. 0 is best. It is no
    symmetric measure: a violation weighs as much as the reference says it does.
    """
    a, b = np.asarray(rates, np.float64), np.asarray(reference, np.float64)
    gaps = np.abs(b[..., :, None] - b[..., None, :])
    violated = (a[..., :, None] > a[..., None, :]) != (b[..., :, None] > b[..., None, :])
    violation: Floats = (gaps * violated).max(-1).mean(-1)
    return violation


@dataclass(frozen=True, kw_only=True)
class Correlations:
    """How alike two simulators order the same points.

    Attributes:
        pearson, spearman, kendall: correlations of the rates.
        mmrv_first, mmrv_second: mean maximum rank violation with the first, and with the second, simulator as
            the reference.
    """

    pearson: Estimate
    spearman: Estimate
    kendall: Estimate
    mmrv_first: Estimate
    mmrv_second: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {field.name: getattr(self, field.name).to_dict() for field in fields(self)}


Statistic: TypeAlias = Callable[[Floats, Floats], Floats]
STATISTICS: dict[str, tuple[Statistic, int]] = {  # and from how many points on each says anything
    "pearson": (pearson, 3),
    "spearman": (spearman, 3),
    "kendall": (kendall, 3),
    "mmrv_first": (lambda first, second: mmrv(second, first), 2),
    "mmrv_second": (lambda first, second: mmrv(first, second), 2),
}


def correlations(
    first: Floats,
    second: Floats,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Correlations:
    """All five over points, with percentile intervals from resampling episodes.

    Points are taken as they are; episodes are the sample. A column is drawn for all points and both
    simulators together, because it is the same episode in all of them. Resampling adds noise to the rates,
    which lowers correlations and raises rank violations: an interval may end at the estimate, and errs
    towards disagreement.

    Args:
        first, second: float[P, S], outcome (0 or 1) of each episode at each point in either simulator; NaN
            where it was not played. A pair with one NaN counts in neither.
        clusters: S labels; columns with the same label are drawn together. None: each by itself.

    Raises:
        OptionError: if the shapes or lengths differ, or a value is not 0, 1 or NaN.
    """
    check_confidence(confidence)
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.ndim != 2 or a.shape != b.shape:
        raise OptionError(f"both must be (points, seeds) of one shape, got {a.shape} and {b.shape}")
    for values in (a, b):
        if not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
            raise OptionError("outcomes must be 0, 1 or NaN")
    labels = list(range(a.shape[1]) if clusters is None else clusters)
    if len(labels) != a.shape[1]:
        raise OptionError(f"there must be a cluster for each of {a.shape[1]} columns, got {len(labels)}")
    played = ~(np.isnan(a) | np.isnan(b))
    rows = played.any(1)
    a, b, played = np.where(played, a, 0)[rows], np.where(played, b, 0)[rows], played[rows]
    points = len(a)
    draws = _resampled(a, b, played, labels, resamples, seed) if points >= 2 else None
    return Correlations(
        **{
            name: undefined(f"takes {least} points, there are {points}", points)
            if draws is None or points < least
            else _estimate(statistic, a, b, played, draws, confidence)
            for name, (statistic, least) in STATISTICS.items()
        }
    )


def _resampled(
    a: Floats, b: Floats, played: npt.NDArray[np.bool_], labels: list[Hashable], resamples: int, seed: int
) -> tuple[Floats, Floats]:
    """Rates of the points in resampled episodes, float[R, P] each, without draws that leave a point empty."""
    names: dict[Hashable, int] = {}
    codes = [names.setdefault(label, len(names)) for label in labels]
    k = len(names)
    weights = np.random.default_rng(seed).multinomial(k, np.full(k, 1 / k), size=resamples)[:, codes]
    counts = weights @ played.T
    whole = (counts > 0).all(1)
    first, second = ((weights[whole] @ values.T) / counts[whole] for values in (a, b))
    return first, second


def _estimate(
    statistic: Statistic,
    a: Floats,
    b: Floats,
    played: npt.NDArray[np.bool_],
    draws: tuple[Floats, Floats],
    confidence: float,
) -> Estimate:
    points, n = len(a), played.sum(1)
    value = float(statistic(a.sum(1) / n, b.sum(1) / n))
    if np.isnan(value):
        return undefined("every point has the same rate in one of the simulators", points)
    step = max(1, CHUNK // points**2)
    chunks = [statistic(*(d[k : k + step] for d in draws)) for k in range(0, len(draws[0]), step)]
    values = np.concatenate(chunks) if chunks else np.empty(0)
    values = values[~np.isnan(values)]
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2]) if len(values) else (0, 0)
    if low == high:
        # As with kappa: what no resample can change is not thereby certain.
        reason = "resampling the episodes does not change it, so it gives no interval; see the agreement"
        return Estimate(value=value, low=None, high=None, n=points, reason=reason)
    return Estimate(value=value, low=min(value, float(low)), high=max(value, float(high)), n=points)


def _varying(values: Floats) -> Floats:
    """The values; NaN in rows that are constant, where rounding would make a correlation up."""
    values = np.asarray(values, np.float64)
    return np.where(np.ptp(values, axis=-1, keepdims=True) > 0, values, np.nan)
