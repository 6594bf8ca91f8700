"""Two outcomes of the same episodes: the difference of their rates, and whether it could be luck."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from bomb.statistics.estimate import (
    CONFIDENCE,
    Booleans,
    Estimate,
    booleans,
    check_confidence,
    same_length,
    undefined,
)
from bomb.statistics.rates import effective_size
from core.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class PairedTable:
    """How often each of two outcomes of an episode was a success.

    Attributes:
        both, only_first, only_second, neither: counts of pairs; the middle two are the discordant ones.
    """

    both: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def of(cls, first: Booleans, second: Booleans) -> "PairedTable":
        """The table of pairs, bool[N] each.

        Raises:
            OptionError: if the lengths differ, or a value is not a boolean.
        """
        a, b = same_length(booleans("first", first), booleans("second", second))
        return cls(
            both=int((a & b).sum()),
            only_first=int((a & ~b).sum()),
            only_second=int((~a & b).sum()),
            neither=int((~a & ~b).sum()),
        )

    @property
    def n(self) -> int:
        """How many pairs."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def discordant(self) -> int:
        """Pairs with two outcomes; only these say which of the two is better."""
        return self.only_first + self.only_second

    def difference(self, confidence: float = CONFIDENCE) -> Estimate:
        """Rate of the second minus rate of the first, with Tango's score interval."""
        return tango(self.only_second, self.only_first, self.n, confidence)

    def p_value(self) -> float | None:
        """Of the exact McNemar test; None without pairs."""
        return mcnemar_exact(self.only_first, self.only_second) if self.n else None


def tango(b: float, c: float, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """The difference (b - c) / n of two paired shares, with the score interval of Tango (1998).

    Its ends are the differences at which the score statistic, with the discordant probabilities that are
    most likely under that difference, is as large as the normal quantile. Unlike Wald's interval it has a
    width when no pair is discordant, and stays within [-1, 1].

    Args:
        b: pairs of which only the first outcome was a success.
        c: pairs of which only the second was.
        n: all pairs.

    Raises:
        OptionError: unless b, c >= 0 and b + c <= n.
    """
    check_confidence(confidence)
    if b < 0 or c < 0 or b + c > n:
        raise OptionError(f"b and c must be at least 0 and together at most n = {n}, got {b!r} and {c!r}")
    return _tango(b, c, n, confidence, n) if n else undefined("no pairs")


def _tango(b: float, c: float, size: float, confidence: float, n: int) -> Estimate:
    """``tango`` of counts that need not be integers, told as of ``n`` pairs."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + confidence) / 2))
    value = (b - c) / size
    return Estimate(value=value, low=_tango_end(b, c, size, z), high=_tango_end(b, c, size, -z), n=n)


def clustered_difference(
    first: Booleans,
    second: Booleans,
    clusters: Sequence[Hashable],
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Rate of the second minus rate of the first over pairs of which those of one cluster are alike.

    Tango's interval at the effective number of pairs, as ``clustered_rate`` has it; ``n`` counts all pairs.

    Raises:
        OptionError: if the lengths differ, or a value is not a boolean.
    """
    table = PairedTable.of(first, second)
    if len(clusters) != table.n:
        raise OptionError(f"there must be a cluster for each of {table.n} pairs, got {len(clusters)}")
    if table.n == 0:
        return undefined("no pairs")
    signs = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    scale = effective_size(signs, clusters, confidence) / table.n
    # The score statistic is a function of shares and their sample size, so counts need not be integers.
    return _tango(table.only_second * scale, table.only_first * scale, table.n * scale, confidence, table.n)


def _tango_end(b: float, c: float, n: float, z: float) -> float:
    """The difference at which the score statistic is ``z``; it falls strictly as the difference grows."""
    from scipy.optimize import brentq

    value, side = (b - c) / n, -1.0 if z > 0 else 1.0
    if value == side:
        return side
    # At the observed difference the statistic is 0, at the end of the scale it is beyond every quantile.
    end = side * (1 - 1e-12)
    if abs(_score(end, b, c, n)) <= abs(z):
        return side
    return float(brentq(lambda delta: _score(delta, b, c, n) - z, *sorted((value, end)), xtol=1e-12))


def _score(delta: float, b: float, c: float, n: float) -> float:
    """Tango's statistic of the hypothesis that the difference is ``delta`` (Tango 1998)."""
    numerator = b - c - n * delta
    if numerator == 0:
        return 0.0
    linear = -b - c + (2 * n - b + c) * delta
    root = np.sqrt(max(0.0, linear**2 + 8 * n * c * delta * (1 - delta)))
    p_only_second = max((root - linear) / (4 * n), 0.0, -delta)
    variance = n * (2 * p_only_second + delta * (1 - delta))
    return float(numerator / np.sqrt(variance)) if variance > 0 else float(np.copysign(np.inf, numerator))


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided p-value of the exact McNemar test: b out of b + c discordant pairs against one half.

    Raises:
        OptionError: if a count is negative.
    """
    if b < 0 or c < 0:
        raise OptionError(f"b and c must be at least 0, got {b!r} and {c!r}")
    if b + c == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(int(b), int(b + c), 0.5).pvalue)
