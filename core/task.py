"""What a task is: it makes episodes; it knows no engine and no robot controller."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from core.errors import CapabilityError
from core.scene import SceneSpec
from core.state import SceneState


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of an instruction, as character indices: ``text[start:end]``."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """What the robot is told, in printable ASCII, and which words carry what.

    Attributes:
        text: the words.
        spans: name of a part (``color``, ``board``, ``row``, ``column``, ``row_digit``,
            ``column_digit``) to where it stands in ``text``.
    """

    text: str
    spans: dict[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Intersection:
    """A goal: a stone of ``color`` on the intersection (``row``, ``column``), both from 0."""

    color: str
    row: int
    column: int

    def to_dict(self) -> dict:
        """Plain values, for ``info`` and files."""
        return {"kind": "intersection", "color": self.color, "row": self.row, "column": self.column}


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """One drawn episode: the same in every backend.

    Attributes:
        task: registered name.
        split, seed: what it was drawn from.
        scene: the world.
        state: how everything stands at reset.
        goal: what is asked for.
        instruction: the words that ask for it.
        perturbation: the draw of every knob that was on, by name.
    """

    task: str
    split: str
    seed: int
    scene: SceneSpec
    state: SceneState
    goal: Intersection
    instruction: Instruction
    perturbation: dict = field(default_factory=dict)


class Task(ABC):
    """Draws episodes from seeds.

    Attributes:
        name: the registered name.
        word_sets: sets of sentences that ``reword`` knows, out of those of the knob ``words``.
        free_layout: whether stones may be added, taken away and moved at reset without changing the task.
    """

    name: ClassVar[str]
    word_sets: ClassVar[frozenset[str]] = frozenset()
    free_layout: ClassVar[bool] = False

    @abstractmethod
    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        """Draws goal, layout and words, each from its own stream of (split, seed).

        Args:
            scene: the stage to play on.
            split: one of ``core.seeding.SPLITS``.
            seed: a non-negative integer.

        Raises:
            EpisodeInitializationError: if no layout meets the task's constraints.
        """

    def reword(self, episode: Episode, words: str, choice: float, other: int) -> Instruction:
        """Says the episode's goal in other words.

        Args:
            episode: whose goal is meant.
            words: one of ``word_sets``.
            choice: which sentence of the set, in [0, 1).
            other: counts through the intersections that are not the goal, for sentences that name one.

        Raises:
            CapabilityError: if the task has no such set.
        """
        raise CapabilityError(f"task {self.name!r} has no sentences of the set {words!r}")
