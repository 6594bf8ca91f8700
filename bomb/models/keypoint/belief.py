"""A point that is believed in, and how each look changes it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.board import LEAST_SHARE


@dataclass
class Spot:
    """A point that is believed in: x and y in R, and a standard deviation (m)."""

    place: npt.NDArray[np.float64]
    error: float

    def update(self, place: npt.NDArray[np.float64], error: float) -> None:
        """Takes up what a look says, as a Kalman filter would, but never surer than ``LEAST_SHARE`` of it."""
        share = self.error**2 / (self.error**2 + error**2)
        self.place = self.place + share * (place - self.place)
        self.error = max(self.error * np.sqrt(1 - share), min(self.error, LEAST_SHARE * error))


def nearest_spot(points: npt.NDArray[np.float64], to: npt.NDArray[np.float64], reach: float) -> int | None:
    """Which point of float64[P, 2] is nearest to ``to``, within ``reach`` (m); None if there is none."""
    if not len(points):
        return None
    away = np.linalg.norm(points - to, axis=1)
    best = int(away.argmin())
    return best if away[best] < reach else None
