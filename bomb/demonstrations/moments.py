"""Which moments of a demonstration are drawn."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import NATURAL, Number, OptionError, check_numbers
from core.seeding import stream


@dataclass(frozen=True, kw_only=True)
class Moments:
    """A choice among the moments of a demonstration; by default all of them.

    Attributes:
        every: so many steps lie between two moments, from the first on.
        count: so many moments, spread over the demonstration: it is cut into as many equal parts, and one
            moment of each is drawn. Of a shorter demonstration all are taken.

    Raises:
        OptionError: for numbers that are none, and if both are given.
    """

    every: int = 1
    count: int | None = None

    def __post_init__(self) -> None:
        positive = Number(least=1)
        check_numbers(self, {"every": positive, "count": Number(least=1, optional=True)})
        if self.every > 1 and self.count is not None:
            raise OptionError(f"say every ({self.every}) or how many moments ({self.count}), not both")

    def rows(
        self, candidates: npt.NDArray[np.int64], *, split: str, seed: int, visual_draw: int = 0
    ) -> npt.NDArray[np.int64]:
        """The rows of the chosen moments, ascending, int64[N].

        Args:
            candidates: int64[M], rows to choose from, ascending.
            split, seed: of the demonstration.
            visual_draw: number of the draw of what is only seen; each has other moments where they are drawn.
        """
        NATURAL.check("visual_draw", visual_draw)
        if self.count is None:
            chosen: npt.NDArray[np.int64] = candidates[candidates % self.every == 0]
            return chosen
        if len(candidates) <= self.count:
            return candidates
        edges = np.linspace(0, len(candidates), self.count + 1).astype(np.int64)
        rng = stream(split, seed, f"moments:{visual_draw}")
        return candidates[rng.integers(edges[:-1], edges[1:])]
