"""Every reported number with its interval, and never a NaN.

An ``Estimate`` that cannot be computed has the value None and says why. Intervals are two-sided, at 95%
unless said otherwise; bootstraps are seeded, so the same data give the same interval. ``docs/statistics.md``
has the formulas and how to read them.
"""

from bomb.statistics.estimate import CONFIDENCE, RESAMPLES, Estimate, undefined
from bomb.statistics.families import LEVEL, Claim, holm, judge
from bomb.statistics.kappa import clustered_kappa, cohen_kappa
from bomb.statistics.location import mean, quantile
from bomb.statistics.moves import moves_in_a_row
from bomb.statistics.paired import PairedTable, clustered_difference, mcnemar_exact, tango
from bomb.statistics.ranks import Correlations, correlations, kendall, mmrv, pearson, spearman
from bomb.statistics.rates import agreement, clustered_rate, iou, rate, wilson

__all__ = [
    "CONFIDENCE",
    "LEVEL",
    "RESAMPLES",
    "Claim",
    "Correlations",
    "Estimate",
    "PairedTable",
    "agreement",
    "clustered_difference",
    "clustered_kappa",
    "clustered_rate",
    "cohen_kappa",
    "correlations",
    "holm",
    "iou",
    "judge",
    "kendall",
    "mcnemar_exact",
    "mean",
    "mmrv",
    "moves_in_a_row",
    "pearson",
    "quantile",
    "rate",
    "spearman",
    "tango",
    "undefined",
    "wilson",
]
