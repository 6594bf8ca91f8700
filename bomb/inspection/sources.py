"""Episodes of a dataset, whatever it is kept in."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.board.boards import Cell
from core.control.actions import ActionSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class InspectedEpisode:
    """One episode as it is looked at.

    Attributes:
        name: says which, for people.
        states: float32[N, 4], tool centre point (m, in R) and opening, before each action.
        actions: float32[N, 4], in the convention of the dataset.
        motions: float32[N, 4], the actions in the delta convention.
        instructions: in the order in which they were given.
        goals: intersections that were asked for; None where the dataset does not say.
        pictures: hash of each frame's pictures, where they are stored one by one; else empty.
        apart: whether frames were left out between the frames, so that they do not follow one another.
        look: what tells it from the same demonstration drawn otherwise; empty: there is one only.
    """

    name: str
    states: npt.NDArray[np.float32]
    actions: npt.NDArray[np.float32]
    motions: npt.NDArray[np.float32]
    instructions: tuple[str, ...]
    goals: tuple[Cell, ...] | None
    pictures: tuple[str, ...] = ()
    apart: bool = False
    look: str = ""


class Source(ABC):
    """A dataset to look at.

    Attributes:
        path: its folder.
        about: what is known of it, plain values by their names.
        action_spec: what its actions mean.
    """

    path: Path
    about: dict[str, str]
    action_spec: ActionSpec

    @abstractmethod
    def names(self) -> list[str]:
        """Of all episodes."""

    @abstractmethod
    def load(self, name: str) -> InspectedEpisode:
        """An episode.

        Raises:
            FileError: naming the file and what is wrong with it.
        """

    @abstractmethod
    def sample(self, name: str, moments: int, size: int) -> list[npt.NDArray[np.uint8]]:
        """Pictures of an episode, evenly spread from its first frame to its last: uint8[H, W, 3].

        Args:
            name: of the episode.
            moments: how many.
            size: side in pixels, of what has to be drawn.

        Raises:
            RenderError: if they have to be drawn, and no graphics driver works.
        """

    def close(self) -> None:  # noqa: B027 -- most sources hold nothing
        """Frees what ``sample`` opened."""


def number_of(name: str) -> int:
    """The number in an episode's name."""
    return int(name.split()[-1])


def spread(length: int, moments: int) -> set[int]:
    """So many of the frames, evenly spread from the first to the last."""
    return set(np.linspace(0, length - 1, moments).round().astype(int).tolist())
