"""Statistics that trainers normalise with: exact ones of numbers, histograms of pictures."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
PICTURES_PER_EPISODE = 20


def number_statistics(values: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.float64]]:
    """min, max, mean, std (of the population), q01 to q99 along the first axis, and count.

    Args:
        values: [N, k] or [N], which counts as [N, 1].

    Returns:
        float64[k] each; ``count`` is int64[1].
    """
    values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    return {
        "min": values.min(axis=0),
        "max": values.max(axis=0),
        "mean": values.mean(axis=0),
        "std": values.std(axis=0),
        "count": np.array([len(values)]),
        **dict(zip(QUANTILES, quantiles, strict=True)),
    }


class PictureHistogram:
    """How often each value occurs in each channel: all that the statistics of pictures of integers need.

    Attributes:
        counts: int64[channels, values]: [3, 256] of colour by default; ``DEPTH`` is the shape for depth.
        pictures: how many were counted.
    """

    COLOR, DEPTH = (3, 2**8), (1, 2**16)

    def __init__(self, counts: npt.NDArray[np.int64] | None = None, pictures: int = 0):
        self.counts = np.zeros(self.COLOR, dtype=np.int64) if counts is None else np.asarray(counts, np.int64)
        self.pictures = pictures

    @classmethod
    def of_depth(cls) -> "PictureHistogram":
        """An empty one for depth pictures."""
        return cls(np.zeros(cls.DEPTH, dtype=np.int64))

    def add(self, picture: npt.NDArray[Any]) -> None:
        """Counts uint8[H, W, 3] or uint16[H, W, 1]."""
        channels, values = self.counts.shape
        for channel in range(channels):
            self.counts[channel] += np.bincount(picture[..., channel].ravel(), minlength=values)
        self.pictures += 1

    def merge(self, other: "PictureHistogram") -> None:
        """Adds what ``other`` counted."""
        self.counts = self.counts + other.counts if self.pictures else other.counts.copy()
        self.pictures += other.pictures

    def statistics(self) -> dict[str, npt.NDArray[np.float64]]:
        """As ``number_statistics`` of each channel: float64[channels, 1, 1] each, count int64[1].

        Colour is in 0..1, as readers give it; depth is in its stored unit.
        """
        size = self.counts.shape[1]
        values = np.arange(size) / (255 if self.counts.shape == self.COLOR else 1)
        total = self.counts.sum(axis=1)
        cumulative = np.cumsum(self.counts, axis=1)
        mean = self.counts @ values / total
        made = {
            "min": values[np.argmax(self.counts > 0, axis=1)],
            "max": values[size - 1 - np.argmax(self.counts[:, ::-1] > 0, axis=1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(self.counts @ values**2 / total - mean**2, 0.0)),
            **{
                name: values[np.argmax(cumulative >= (share * total)[:, None], axis=1)]
                for name, share in QUANTILES.items()
            },
        }
        return {**{k: v.reshape(-1, 1, 1) for k, v in made.items()}, "count": np.array([self.pictures])}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; only what occurs."""
        channel, value = np.nonzero(self.counts)
        found = np.stack([channel, value, self.counts[channel, value]], axis=1)
        return {"shape": list(self.counts.shape), "counts": found.tolist(), "pictures": self.pictures}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "PictureHistogram":
        """Inverse of ``to_dict``."""
        made = cls(np.zeros(plain["shape"], dtype=np.int64), plain["pictures"])
        for channel, value, count in plain["counts"]:
            made.counts[channel, value] = count
        return made


def sampled(length: int) -> set[int]:
    """Which pictures of an episode are counted: at most ``PICTURES_PER_EPISODE``, evenly spread."""
    return set(np.unique(np.linspace(0, length - 1, PICTURES_PER_EPISODE).round().astype(int)).tolist())


def plain(statistics: dict[str, npt.NDArray[Any]]) -> dict[str, list[Any]]:
    """Lists instead of arrays, for JSON."""
    return {name: value.tolist() for name, value in statistics.items()}


def merged(histograms: Iterable[PictureHistogram]) -> PictureHistogram:
    """One histogram of all."""
    total = PictureHistogram()
    for histogram in histograms:
        total.merge(histogram)
    return total
