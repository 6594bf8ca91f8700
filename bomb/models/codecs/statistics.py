"""Statistics of a dataset's actions and states: ``dataset_statistics.json``, as OpenVLA's tools write it.

::

    {"bomb": {"action": {"mean": [...], "std": [...], "max": [...], "min": [...], "q01": [...], "q99": [...],
                         "mask": [true, true, true, false]},
              "proprio": {... without a mask ...}, "num_transitions": 1000, "num_trajectories": 10}}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError, read_json, write_json
from core.errors import OptionError, UnknownNameError

FILE = "dataset_statistics.json"
MOMENTS = ("mean", "std", "max", "min", "q01", "q99")


@dataclass(frozen=True, kw_only=True, eq=False)
class Statistics:
    """Statistics of one kind of vector, float64[d] each.

    Attributes:
        mean, std, max, min, q01, q99: over all moments of the dataset.
        mask: bool[d], which dimensions are normalised; the others pass unchanged. None: all.

    Raises:
        OptionError: naming the entry, for another length, a number that is not finite, a negative deviation,
            or a range that ends before it begins.
    """

    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    max: npt.NDArray[np.float64]
    min: npt.NDArray[np.float64]
    q01: npt.NDArray[np.float64]
    q99: npt.NDArray[np.float64]
    mask: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        dims = np.shape(self.mean)
        for name in MOMENTS:
            try:
                values = np.asarray(getattr(self, name), dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise OptionError(
                    f"statistics: {name} must be numbers, got {getattr(self, name)!r}"
                ) from error
            object.__setattr__(self, name, values)
            if values.ndim != 1 or values.shape != dims or not len(values):
                raise OptionError(
                    f"statistics: {name} has shape {values.shape}, mean has {dims}; all are one row"
                )
            if not np.isfinite(values).all():
                entry = int(np.flatnonzero(~np.isfinite(values))[0])
                raise OptionError(f"statistics: {name}[{entry}] is {values[entry]}, not a finite number")
        if self.mask is not None:
            mask = np.asarray(self.mask)
            if mask.dtype != bool or mask.shape != dims:
                raise OptionError(f"statistics: mask must be {len(self.mean)} booleans, got {self.mask!r}")
            object.__setattr__(self, "mask", mask)
        for low, high in (("min", "max"), ("q01", "q99")):
            wrong = np.flatnonzero(getattr(self, low) > getattr(self, high))
            if len(wrong):
                k = int(wrong[0])
                raise OptionError(
                    f"statistics: {low}[{k}] = {getattr(self, low)[k]:g} is above "
                    f"{high}[{k}] = {getattr(self, high)[k]:g}"
                )
        if (self.std < 0).any():
            raise OptionError(f"statistics: std must not be negative, got {self.std}")

    @property
    def dims(self) -> int:
        """Numbers in a vector."""
        return len(self.mean)

    @property
    def normalised(self) -> npt.NDArray[np.bool_]:
        """bool[d]: the dimensions that are normalised."""
        return np.ones(self.dims, dtype=bool) if self.mask is None else self.mask

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """bool[d]: dimensions that are normalised although they never changed."""
        flat: npt.NDArray[np.bool_] = self.min == self.max
        return self.normalised & flat

    def check_moves(self, what: str) -> None:
        """Returns if every normalised dimension changes in the dataset.

        Raises:
            OptionError: naming the dimension. A model that was trained on it cannot move it.
        """
        if self.constant.any():
            k = int(np.flatnonzero(self.constant)[0])
            raise OptionError(
                f"dimension {k} of the {what} statistics is constant ({self.min[k]:g}): nothing was learnt "
                "about it; take it out of the mask, or set normalisation to allow it (constant='zero')"
            )

    @classmethod
    def of(cls, values: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_] | None = None) -> "Statistics":
        """Of float[N, d]; quantiles as numpy interpolates them.

        Raises:
            OptionError: if there is nothing, or a number is not finite.
        """
        values = np.asarray(values, dtype=np.float64)
        if values.ndim != 2 or not len(values):
            raise OptionError(f"statistics need vectors of shape (N, d) with N >= 1, got {values.shape}")
        q01, q99 = np.quantile(values, [0.01, 0.99], axis=0)
        return cls(
            mean=values.mean(0),
            std=values.std(0),
            max=values.max(0),
            min=values.min(0),
            q01=q01,
            q99=q99,
            mask=mask,
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Statistics":
        """From an entry of the file; other keys are left alone.

        Raises:
            OptionError: naming what is missing or wrong.
        """
        if missing := [name for name in MOMENTS if name not in values]:
            raise OptionError(f"statistics lack {', '.join(missing)}")
        mask = values.get("mask")
        return cls(
            **{name: values[name] for name in MOMENTS}, mask=None if mask is None else np.asarray(mask)
        )

    def to_dict(self) -> dict[str, Any]:
        """As an entry of the file."""
        found = {name: getattr(self, name).tolist() for name in MOMENTS}
        return found if self.mask is None else {**found, "mask": self.mask.tolist()}


@dataclass(frozen=True, kw_only=True, eq=False)
class DatasetStatistics:
    """Statistics of one dataset.

    Attributes:
        action: of its actions, as the model's convention has them.
        proprio: of its states; None where the file has none.
        transitions, trajectories: how many moments and episodes; 0 if unknown.
    """

    action: Statistics
    proprio: Statistics | None = None
    transitions: int = 0
    trajectories: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DatasetStatistics":
        """From an entry of the file or of ``norm_stats``.

        Raises:
            OptionError: naming what is missing or wrong.
        """
        if not isinstance(values, Mapping) or "action" not in values:
            raise OptionError("statistics of a dataset need the entry 'action'")
        proprio = values.get("proprio")
        return cls(
            action=Statistics.from_dict(values["action"]),
            proprio=None if proprio is None else Statistics.from_dict(proprio),
            transitions=int(values.get("num_transitions", 0)),
            trajectories=int(values.get("num_trajectories", 0)),
        )

    def to_dict(self) -> dict[str, Any]:
        """As an entry of the file."""
        proprio = {} if self.proprio is None else {"proprio": self.proprio.to_dict()}
        counts = {"num_transitions": self.transitions, "num_trajectories": self.trajectories}
        return {"action": self.action.to_dict(), **proprio, **counts}


def choose(found: Mapping[str, Any], dataset: str, source: str) -> DatasetStatistics:
    """The statistics of ``dataset`` out of several, as a file or a configuration has them.

    Raises:
        UnknownNameError: listing the datasets that there are.
        FileError: naming ``source`` and what is wrong with the entry.
    """
    if dataset not in found:
        raise UnknownNameError(f"dataset in {source}", dataset, found)
    try:
        return DatasetStatistics.from_dict(found[dataset])
    except OptionError as error:
        raise FileError(f"{source}, dataset {dataset!r}: {error}") from error


def read(folder: Path, dataset: str) -> DatasetStatistics:
    """Reads ``dataset_statistics.json``.

    Raises:
        UnknownNameError, FileError: as ``choose``, and if the file is missing or damaged.
    """
    return choose(read_json(Path(folder) / FILE), dataset, str(Path(folder) / FILE))


def write(folder: Path, found: Mapping[str, DatasetStatistics]) -> None:
    """Writes ``dataset_statistics.json``."""
    write_json(Path(folder) / FILE, {name: entry.to_dict() for name, entry in found.items()})
