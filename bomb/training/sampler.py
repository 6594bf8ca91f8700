"""In which order moments are learned from: by counting, so that it can be resumed to the sample.

Every process goes through the same order and takes its share of each batch, so that the order does not
depend on how many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import OptionError


@dataclass(frozen=True)
class Draw:
    """One sample.

    Attributes:
        number: of the sample, counted over the whole training; what its noise is drawn from.
        source: index of the dataset.
        moment: index of the moment among the source's.
    """

    number: int
    source: int
    moment: int


@dataclass(frozen=True, kw_only=True)
class Phase:
    """From which sample on which mixture holds.

    Attributes:
        first: number of its first sample.
        weights: of the sources, in sum 1.
    """

    first: int
    weights: tuple[float, ...]


class Sampler:
    """Moments of several sources by their weights, each source in random orders of its own, epoch by epoch.

    Args:
        sizes: moments of each source.
        phases: the first begins with sample 0.
        seed: of the orders.

    Raises:
        OptionError: if a source that is to be learned from has nothing.
    """

    def __init__(self, sizes: Sequence[int], phases: Sequence[Phase], seed: int):
        for source, size in enumerate(sizes):
            if not size and any(phase.weights[source] for phase in phases):
                raise OptionError(f"source {source} has no moment to learn from")
        self._sizes, self._phases, self._seed = tuple(sizes), tuple(phases), seed
        self.number, self._drawn = 0, [0] * len(self._sizes)
        self._orders: dict[int, tuple[int, np.ndarray]] = {}

    def batch(self, count: int) -> list[Draw]:
        """The next ``count`` samples."""
        return [self._next() for _ in range(count)]

    def state_dict(self) -> dict[str, Any]:
        """How far it is."""
        return {"number": self.number, "drawn": list(self._drawn), "sizes": list(self._sizes)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes to where another one was.

        Raises:
            OptionError: if that one had other sources.
        """
        if list(state["sizes"]) != list(self._sizes):
            raise OptionError(
                f"the training was begun with sources of {state['sizes']} moments, these have "
                f"{list(self._sizes)}: resume it with the same data"
            )
        self.number, self._drawn = state["number"], list(state["drawn"])

    def _next(self) -> Draw:
        weights = next(phase for phase in reversed(self._phases) if phase.first <= self.number).weights
        source = 0
        if len(self._sizes) > 1:
            drawn = np.random.default_rng([self._seed, 1, self.number]).random()
            source = min(int(np.searchsorted(np.cumsum(weights), drawn, side="right")), len(weights) - 1)
        epoch, place = divmod(self._drawn[source], self._sizes[source])
        draw = Draw(number=self.number, source=source, moment=int(self._order(source, epoch)[place]))
        self._drawn[source] += 1
        self.number += 1
        return draw

    def _order(self, source: int, epoch: int) -> np.ndarray:
        if self._orders.get(source, (None,))[0] != epoch:
            generator = np.random.default_rng([self._seed, 2, source, epoch])
            self._orders[source] = epoch, generator.permutation(self._sizes[source])
        return self._orders[source][1]


def epochs(state: dict[str, Any]) -> list[float]:
    """How often each source has been gone through, of a sampler's state."""
    return [n / size if size else 0.0 for n, size in zip(state["drawn"], state["sizes"], strict=True)]
