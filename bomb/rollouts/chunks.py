"""What becomes of a chunk of actions: how much of it is executed before the policy looks again.

::

    full            all of it
    half            the first half, rounded up
    first           the first action only
    8               the first eight
    ensemble        looks at every step, executes the mean of what all chunks say about it
    ensemble(0.1)   with another decay

The temporal ensemble is that of ACT (Zhao et al. 2023, arXiv:2304.13705, section IV-A): the action of a step
is the mean of all predictions for it, with weights exp(-m i), i = 0 for the oldest; m = 0.01 there. A small
m takes up new observations fast. Openings of the gripper are not averaged: the mean of open and closed is a
hand that does neither. Of the openings that were predicted the weighted median is executed.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import NATURAL, POSITIVE, Number, OptionError, check_choice, take_plain_numbers

MODES = ("full", "half", "first", "ensemble")
DECAY = 0.01
COUNT = "count"
GRIPPER = 3  # entry of an action


@dataclass(frozen=True, kw_only=True)
class ChunkExecution:
    """How chunks are executed.

    Attributes:
        mode: one of ``MODES``, or ``"count"``.
        count: of ``"count"``, how many actions, one at least.
        decay: of ``"ensemble"``, the m of its weights.

    Raises:
        UnknownNameError, OptionError: for another mode, or numbers that are none.
    """

    mode: str = "full"
    count: int = 0
    decay: float = DECAY

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_choice("way of executing chunks", self.mode, (*MODES, COUNT))
        (POSITIVE if self.mode == COUNT else NATURAL).check("count", self.count)
        Number(whole=False, least=0).check("decay", self.decay)

    @classmethod
    def parse(cls, words: str) -> "ChunkExecution":
        """What ``words`` say; see this module.

        Raises:
            OptionError: listing what can be said.
        """
        if not isinstance(words, str):
            raise OptionError(f"chunks must be words, got {words!r}")
        text = words.strip()
        if text in MODES:
            return cls(mode=text)
        if re.fullmatch(r"[1-9]\d*", text):
            return cls(mode=COUNT, count=int(text))
        decay = re.fullmatch(r"ensemble\((\d*\.?\d+)\)", text)
        if decay:
            return cls(mode="ensemble", decay=float(decay[1]))
        raise OptionError(
            f"chunks must be {', '.join(MODES)}, ensemble(DECAY) or a number of actions, got {words!r}"
        )

    def begin(self) -> "Whole | Ensemble":
        """What executes the chunks of one episode."""
        return Ensemble(self.decay) if self.mode == "ensemble" else Whole(self)

    def length(self, k: int) -> int:
        """How many actions of a chunk of ``k`` are executed before the policy looks again."""
        if self.mode == "full":
            return k
        if self.mode == "half":
            return (k + 1) // 2
        return min(self.count, k) if self.mode == COUNT else 1


class Whole:
    """Executes the beginning of each chunk and forgets the rest."""

    def __init__(self, execution: ChunkExecution):
        self._execution = execution

    def take(self, chunk: npt.NDArray[np.float32], step: int) -> npt.NDArray[np.floating]:
        """Actions, float[j, 4] with j >= 1, to execute from ``step`` on before the policy looks again."""
        return chunk[: self._execution.length(len(chunk))]

    def drop(self) -> None:
        """Forgets what was predicted: another move begins."""


class Ensemble:
    """Executes one action at a time: the weighted mean of what all chunks say about its step."""

    def __init__(self, decay: float):
        self._decay = decay
        self._chunks: list[
            tuple[int, npt.NDArray[np.float32]]
        ] = []  # first step and actions, the oldest first

    def take(self, chunk: npt.NDArray[np.float32], step: int) -> npt.NDArray[np.float32]:
        """As ``Whole.take``, always of one action."""
        self._chunks = [(s, c) for s, c in self._chunks if step < s + len(c)] + [(step, chunk)]
        said = np.array([c[step - s] for s, c in self._chunks], dtype=np.float64)
        weights = np.exp(-self._decay * np.arange(len(said)))
        action = weights @ said / weights.sum()
        action[GRIPPER] = weighted_median(said[:, GRIPPER], weights)
        blended: npt.NDArray[np.float32] = action[None].astype(np.float32)
        return blended

    def drop(self) -> None:
        """As ``Whole.drop``."""
        self._chunks = []


def weighted_median(values: npt.NDArray[np.floating], weights: npt.NDArray[np.floating]) -> float:
    """The smallest value that with those below it has half of the weight.

    Args:
        values: float[n], n >= 1.
        weights: float[n], positive.
    """
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(share, share[-1] / 2)])
