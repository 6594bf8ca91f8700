"""SpatialVLA's action tokens (Qu et al. 2025, arXiv:2501.15830): of a translation, a rotation, a gripper.

A translation is taken in spherical coordinates, theta = atan2(|xy|, z), phi = atan2(y, x), r = |xyz|, of
normalised numbers. Bins are equally likely under a Gaussian that was fitted to the data, or equally wide.

::

    (theta * phis + phi) * rs + r  |  (roll * pitches + pitch) * yaws + yaw  |  gripper >= 0.5

Ids count from the first action token on, translations before rotations before the gripper's two.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import OptionError

RANGES: dict[str, tuple[float, float]] = {
    "theta": (0.0, np.pi),
    "phi": (-np.pi, np.pi),
    "r": (0.0, float(np.sqrt(3))),
    "roll": (-1.0, 1.0),
    "pitch": (-1.0, 1.0),
    "yaw": (-1.0, 1.0),
}
AXES = tuple(RANGES)
TRANSLATION, ROTATION = AXES[:3], AXES[3:]
COUNTS = {"theta": 16, "phi": 32, "r": 8, "roll": 16, "pitch": 16, "yaw": 16}
GRIPPER = 2
TOKENS = 3  # of an action


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """What was fitted to one axis."""

    mu: float
    sigma: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.mu) or not 0 < self.sigma < np.inf:
            raise OptionError(
                f"a Gaussian needs a finite mu and a positive sigma, got {self.mu!r} and {self.sigma!r}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class SpatialGrid:
    """The bins of one model.

    Attributes:
        edges: by axis, float64[bins + 1], rising within the axis's range.

    Raises:
        OptionError: for an axis that is missing or not known, or edges that do not rise.
    """

    edges: Mapping[str, npt.NDArray[np.float64]]

    def __post_init__(self) -> None:
        _check_axes("edges", self.edges)
        edges = {axis: np.asarray(self.edges[axis], dtype=np.float64) for axis in AXES}
        object.__setattr__(self, "edges", edges)
        for axis, found in edges.items():
            low, high = RANGES[axis]
            rising = (
                found.ndim == 1
                and len(found) > 1
                and np.isfinite(found).all()
                and (np.diff(found) >= 0).all()
            )
            if not rising or found[0] < low - 1e-9 or found[-1] > high + 1e-9:
                raise OptionError(f"edges of {axis} must rise from {low:g} to {high:g}, got {found}")

    @classmethod
    def uniform(cls, counts: Mapping[str, int] = COUNTS) -> "SpatialGrid":
        """Bins of equal width.

        Raises:
            OptionError: for an axis that is missing or not known, or a count that is none.
        """
        _check_counts(counts)
        return cls(edges={axis: np.linspace(*RANGES[axis], counts[axis] + 1) for axis in AXES})

    @classmethod
    def gaussian(
        cls, gaussians: Mapping[str, Gaussian], counts: Mapping[str, int] = COUNTS, *, min_sigma: float = 0.0
    ) -> "SpatialGrid":
        """Bins that are equally likely under a Gaussian per axis, cut off at the axis's range.

        Args:
            gaussians: by axis, as ``fit`` makes them.
            counts: bins by axis.
            min_sigma: a narrower Gaussian is taken this wide; 0.5 in the public pre-training.

        Raises:
            OptionError: for an axis that is missing or not known, or a number that is none.
        """
        from scipy.special import ndtr, ndtri

        _check_axes("gaussians", gaussians)
        _check_counts(counts)
        if not 0 <= min_sigma < np.inf:
            raise OptionError(f"min_sigma must be a number from 0 up, got {min_sigma!r}")
        edges = {}
        for axis, (low, high) in RANGES.items():
            mu, sigma = gaussians[axis].mu, max(gaussians[axis].sigma, min_sigma)
            first, last = ndtr((np.array([low, high]) - mu) / sigma)
            likely = np.linspace(first, last, counts[axis] + 1)
            edges[axis] = np.clip(mu + sigma * ndtri(likely), low, high)
        return cls(edges=edges)

    @property
    def counts(self) -> dict[str, int]:
        """Bins by axis."""
        return {axis: len(edges) - 1 for axis, edges in self.edges.items()}

    @property
    def middles(self) -> dict[str, npt.NDArray[np.float64]]:
        """The middle of each bin, by axis."""
        return {axis: (edges[:-1] + edges[1:]) / 2 for axis, edges in self.edges.items()}

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Bins of a translation (theta, phi, r) and of a rotation (roll, pitch, yaw)."""
        counts = self.counts
        return tuple(counts[axis] for axis in TRANSLATION), tuple(counts[axis] for axis in ROTATION)

    @property
    def translations(self) -> int:
        """Tokens of translations."""
        return int(np.prod(self.shapes[0]))

    @property
    def rotations(self) -> int:
        """Tokens of rotations."""
        return int(np.prod(self.shapes[1]))

    @property
    def size(self) -> int:
        """Tokens in all."""
        return self.translations + self.rotations + GRIPPER

    def encode(self, actions: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
        """Ids, int64[..., 3], of normalised actions float[..., 7]; their gripper is from 0 to 1.

        Raises:
            OptionError: for a value that is not finite.
        """
        actions = np.asarray(actions, dtype=np.float64)
        if not np.isfinite(actions).all():
            raise OptionError("an action that is not finite has no token")
        counts = self.counts
        angles = spherical(np.clip(actions[..., :3], -1, 1))
        place = [np.digitize(angles[..., k], self.edges[a][1:-1]) for k, a in enumerate(TRANSLATION)]
        turn = [
            np.clip(np.digitize(actions[..., 3 + k], self.edges[a]) - 1, 0, counts[a] - 1)
            for k, a in enumerate(ROTATION)
        ]
        first, second = (
            np.ravel_multi_index(index, shape)
            for index, shape in zip((place, turn), self.shapes, strict=True)
        )
        grip = (actions[..., 6] >= 0.5).astype(np.int64) + self.translations + self.rotations
        return np.stack([first, second + self.translations, grip], axis=-1).astype(np.int64)

    def decode(self, ids: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """Normalised actions, float64[..., 7], of ids int64[..., 3]; an id of another kind is the nearest."""
        ids = np.asarray(ids, dtype=np.int64)
        starts = (0, self.translations, self.translations + self.rotations, self.size)
        first, second, grip = (
            np.clip(ids[..., k], starts[k], starts[k + 1] - 1) - starts[k] for k in range(TOKENS)
        )
        middles = self.middles
        theta, phi, r, *turn = (
            middles[axis][index]
            for axis, index in zip(
                AXES,
                (*np.unravel_index(first, self.shapes[0]), *np.unravel_index(second, self.shapes[1])),
                strict=True,
            )
        )
        place = np.clip(cartesian(np.stack([theta, phi, r], axis=-1)), -1, 1)
        return np.concatenate([place, np.stack([*turn, grip.astype(np.float64)], axis=-1)], axis=-1)


def spherical(xyz: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """(theta, phi, r), float64[..., 3], of float[..., 3]."""
    x, y, z = np.moveaxis(np.asarray(xyz, dtype=np.float64), -1, 0)
    return np.stack(
        [np.arctan2(np.sqrt(x**2 + y**2), z), np.arctan2(y, x), np.sqrt(x**2 + y**2 + z**2)], axis=-1
    )


def cartesian(angles: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """(x, y, z), float64[..., 3], of (theta, phi, r)."""
    theta, phi, r = np.moveaxis(np.asarray(angles, dtype=np.float64), -1, 0)
    return np.stack(
        [r * np.sin(theta) * np.cos(phi), r * np.sin(theta) * np.sin(phi), r * np.cos(theta)], axis=-1
    )


def fit(actions: npt.NDArray[np.floating]) -> dict[str, Gaussian]:
    """Gaussians of normalised actions, float[N, 7]; an axis that never changes is taken as 1e-3 wide.

    Raises:
        OptionError: if there are none, or a number is not finite.
    """
    actions = np.asarray(actions, dtype=np.float64)
    if actions.ndim != 2 or actions.shape[1] != 7 or not len(actions) or not np.isfinite(actions).all():
        raise OptionError(f"a grid is fitted to finite actions of shape (N, 7), got {actions.shape}")
    values = np.concatenate([spherical(actions[:, :3]), actions[:, 3:6]], axis=1)
    return {
        axis: Gaussian(mu=float(values[:, k].mean()), sigma=max(float(values[:, k].std()), 1e-3))
        for k, axis in enumerate(AXES)
    }


def refit(
    embeddings: npt.NDArray[np.floating], old: SpatialGrid, new: SpatialGrid
) -> npt.NDArray[np.float32]:
    """Embeddings of the tokens of a new grid, by what those of the old one were around: float32[size, d].

    Linear between the middles of the old bins, in coordinates from -1 to 1 per axis; beyond them as at the
    border. The gripper's two stay.

    Args:
        embeddings: float[size, d], of the old grid.
        old, new: with the same number of bins.

    Raises:
        OptionError: if the numbers of bins differ.
    """
    if old.shapes != new.shapes or len(embeddings) != old.size:
        raise OptionError(
            f"embeddings {embeddings.shape} of a grid {old.shapes} do not fit a grid {new.shapes}"
        )
    parts, first = [], 0
    for axes, shape in zip((TRANSLATION, ROTATION), old.shapes, strict=True):
        count = int(np.prod(shape))
        parts.append(_between(embeddings[first : first + count], axes, old, new))
        first += count
    return np.concatenate([*parts, embeddings[first:]]).astype(np.float32)


def _between(
    embeddings: npt.NDArray[np.floating], axes: tuple[str, ...], old: SpatialGrid, new: SpatialGrid
) -> npt.NDArray[np.float64]:
    from scipy.interpolate import RegularGridInterpolator

    table = embeddings.reshape(*(old.counts[axis] for axis in axes), -1).astype(np.float64)
    places, wanted = [], []
    for k, axis in enumerate(axes):
        low, high = RANGES[axis]
        # The border is as the first and the last middle; bins without width would be two points in one.
        points = np.concatenate([[low], old.middles[axis], [high]])
        points, index = np.unique((points - low) / (high - low), return_index=True)
        table = np.pad(table, [(int(i == k),) * 2 for i in range(4)], mode="edge").take(index, axis=k)
        places.append(points)
        wanted.append((new.middles[axis] - low) / (high - low))
    at = np.stack(np.meshgrid(*wanted, indexing="ij"), axis=-1).reshape(-1, 3)
    found: npt.NDArray[np.float64] = RegularGridInterpolator(places, table)(at)
    return found


def _check_axes(name: str, found: Mapping[str, object]) -> None:
    if set(found) != set(AXES):
        raise OptionError(f"{name} must have the axes {', '.join(AXES)}, got {', '.join(found) or 'none'}")


def _check_counts(counts: Mapping[str, int]) -> None:
    _check_axes("counts", counts)
    for axis, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise OptionError(f"bins of {axis} must be a positive integer, got {count!r}")
