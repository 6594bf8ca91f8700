"""Pictures cut into patches: the model's own, or coarser ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Rows and columns of patches.

    Attributes:
        rows, cols: how many, counted from the top left.
        box: (top, left, bottom, right) of what is cut, as shares of the picture's sides: a model that crops
            sees no more than that.
    """

    rows: int
    cols: int
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if min(self.rows, self.cols) < 1:
            raise OptionError(f"a grid has at least one row and column, got {self.rows} x {self.cols}")

    def __len__(self) -> int:
        return self.rows * self.cols

    def coarser(self, most: int | None) -> "Grid":
        """The same box in at most ``most`` rows and columns; None: as it is."""
        if most is None:
            return self
        return Grid(rows=min(self.rows, most), cols=min(self.cols, most), box=self.box)

    def label(self, k: int) -> str:
        """Name of the ``k``-th patch: ``"(row, column)"``."""
        row, col = divmod(k, self.cols)
        return f"({row}, {col})"

    def numbers(self, height: int, width: int) -> npt.NDArray[np.int64]:
        """Which patch each pixel belongs to, int64[H, W]; -1 outside of the box.

        Raises:
            OptionError: if a patch would have no pixel.
        """
        top, left, bottom, right = self.box
        rows = _along(height, top, bottom, self.rows)
        cols = _along(width, left, right, self.cols)
        found = np.where((rows >= 0)[:, None] & (cols >= 0), rows[:, None] * self.cols + cols, -1)
        if len(np.unique(found[found >= 0])) < len(self):
            raise OptionError(f"{self.rows} x {self.cols} patches do not fit into {height} x {width} pixels")
        return found


def _along(pixels: int, begin: float, end: float, count: int) -> npt.NDArray[np.int64]:
    """int64[pixels]: the part that the middle of each pixel is in; -1 for none."""
    at = ((np.arange(pixels) + 0.5) / pixels - begin) / (end - begin) * count
    return np.where((at >= 0) & (at < count), np.floor(at), -1).astype(np.int64)
