"""Several tests at once, and what may be said of a difference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bomb.statistics import formats
from bomb.statistics.estimate import Estimate
from core.errors import OptionError

LEVEL = 0.05  # of a family of tests, after Holm's correction

HIGHER = "higher"
LOWER = "lower"
WITHIN_MARGIN = "equal within the margin"
NOT_SHOWN = "no difference shown"
UNDEFINED = "undefined"


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values (Holm 1979): one below 0.05 is significant at 5% in the whole family.

    A None, of a test that could not be made, stays None and does not count.

    Raises:
        OptionError: if a value is not in [0, 1].
    """
    present = [p for p in p_values if p is not None]
    for p in present:
        if not 0 <= p <= 1:
            raise OptionError(f"p-values must be from 0 to 1, got {p!r}")
    # Not statsmodels' multipletests, which collects garbage in every call: as slow as the process is large.
    order = np.argsort(present, kind="stable")
    adjusted = np.empty(len(present))
    stepped = np.sort(present) * np.arange(len(present), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    rest = iter(adjusted.tolist())
    return [None if p is None else next(rest) for p in p_values]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What may be said of a difference of two rates.

    Attributes:
        verdict: ``higher`` or ``lower``, if the family's test shows a difference; ``equal within the
            margin``, if it shows none and the interval lies inside the margin; ``no difference shown``,
            which is not *equal*; ``undefined``.
        within_margin: whether the interval lies inside the margin; None without margin or interval.
        words: one sentence part with the numbers.
    """

    verdict: str
    within_margin: bool | None
    words: str


def judge(difference: Estimate, p_adjusted: float | None, margin: float | None = None) -> Claim:
    """What may be said of ``difference``.

    Equality is claimed only against a stated margin, when the whole interval lies inside (-margin, margin).
    With a 95% interval these are two one-sided tests at 2.5% each (Schuirmann 1987), stricter than the usual
    5%, so that the interval that is printed is the one that decides.

    Args:
        difference: of two rates, with its interval.
        p_adjusted: of the test that there is none, corrected for its family; None leaves it to the interval.
        margin: in (0, 1); the difference of rates that would not matter.

    Raises:
        OptionError: for a margin that is not in (0, 1).
    """
    if margin is not None and not 0 < margin < 1:
        raise OptionError(f"margin must be between 0 and 1, got {margin!r}")
    low, high = difference.low, difference.high
    if difference.value is None or low is None or high is None:
        reason = difference.reason or "no interval"
        return Claim(verdict=UNDEFINED, within_margin=None, words=f"undefined: {reason}")
    differs = not low <= 0 <= high if p_adjusted is None else p_adjusted < LEVEL and difference.value != 0
    within = None if margin is None else -margin < low and high < margin
    interval = f"{formats.in_points(low)} to {formats.in_points(high)} points"
    if differs:
        verdict = HIGHER if difference.value > 0 else LOWER
        words = f"{verdict} by {formats.fixed(abs(100 * difference.value))} points (interval {interval})"
        if within and margin is not None:
            words += f", yet inside the margin of {100 * margin:g} points"
    elif within and margin is not None:
        verdict, words = WITHIN_MARGIN, f"equal within {100 * margin:g} points (interval {interval})"
    else:
        verdict, words = NOT_SHOWN, f"no difference shown (interval {interval})"
    return Claim(verdict=verdict, within_margin=within, words=words)
