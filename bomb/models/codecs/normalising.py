"""Vectors to the range that a model learns in, and back. float64 throughout.

=============  =======================================================  ==========================
kind           forward                                                  of
=============  =======================================================  ==========================
``q99``        clip(2 (x - q01) / (q99 - q01 + 1e-8) - 1, -1, 1)        OpenVLA, OFT, SpatialVLA
``bounds``     the same with min and max                                OFT on ALOHA
``normal``     (x - mean) / (std + 1e-8)                                OpenVLA's third choice
``q99_plain``  2 (x - q01) / (q99 - q01 + 1e-6) - 1, not clipped        openpi: pi0.5, pi0-FAST
``z``          (x - mean) / (std + 1e-6)                                openpi: pi0
=============  =======================================================  ==========================

Dimensions outside of the mask pass unchanged. For the first two kinds a dimension whose min equals its max
becomes 0 (whatever the mask says), as in the public data loaders.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bomb.models.codecs.statistics import Statistics
from core.errors import check_choice, check_flag

KINDS = ("q99", "bounds", "normal", "q99_plain", "z")
CONSTANT = ("refuse", "zero")
_EPSILON = {"q99": 1e-8, "bounds": 1e-8, "normal": 1e-8, "q99_plain": 1e-6, "z": 1e-6}


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """How vectors are normalised.

    Attributes:
        kind: one of ``KINDS``.
        constant: what to do about a normalised dimension that never changes: ``refuse`` the statistics, or
            take it as ``zero``.
        exact: whether undoing uses the width without the epsilon (OpenVLA) or with it (OFT, openpi).
    """

    kind: str = "q99"
    constant: str = "refuse"
    exact: bool = True

    def __post_init__(self) -> None:
        check_choice("normalisation", self.kind, KINDS)
        check_choice("constant", self.constant, CONSTANT)
        object.__setattr__(self, "exact", check_flag("exact", self.exact))


class Normaliser:
    """Normalises vectors of one kind.

    Args:
        statistics: of the dataset.
        how: which rule.
        what: is normalised, as messages call it.

    Raises:
        OptionError: if a dimension is constant and the rule refuses that.
    """

    def __init__(self, statistics: Statistics, how: Normalisation, what: str = "action"):
        if how.constant == "refuse":
            statistics.check_moves(what)
        self.statistics, self.how = statistics, how
        self._mask, self._flat = statistics.normalised, statistics.min == statistics.max
        epsilon = _EPSILON[how.kind]
        if how.kind in ("normal", "z"):
            self._origin, width = statistics.mean, statistics.std
        else:
            low, high = ("min", "max") if how.kind == "bounds" else ("q01", "q99")
            self._origin = getattr(statistics, low)
            width = getattr(statistics, high) - self._origin
        self._forth = width + epsilon
        self._back = width if how.exact else self._forth

    def forward(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """float[..., d] to float64[..., d], in the range that the model learns in."""
        values = np.asarray(values, dtype=np.float64)
        scaled = (values - self._origin) / self._forth
        if self.how.kind not in ("normal", "z"):
            scaled = 2 * scaled - 1
        if self.how.kind in ("q99", "bounds"):
            scaled = np.clip(scaled, -1, 1)
        result = np.where(self._mask, scaled, values)
        return np.where(self._flat, 0.0, result) if self.how.kind in ("q99", "bounds") else result

    def backward(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """What the model made, float[..., d], as it was before: float64[..., d]."""
        values = np.asarray(values, dtype=np.float64)
        scaled = values if self.how.kind in ("normal", "z") else 0.5 * (values + 1)
        return np.where(self._mask, scaled * self._back + self._origin, values)
