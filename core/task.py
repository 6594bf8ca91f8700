"""What a task is: it makes episodes; it knows no engine and no robot controller."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from core.board.boards import Board
from core.board.goals import Goal, Intersection, Pattern, Region
from core.errors import (
    NATURAL,
    CapabilityError,
    InstructionError,
    Number,
    OptionError,
    check_numbers,
    plain_numbers,
    take_plain_numbers,
)
from core.world.capability import Capability
from core.world.scene import SceneSpec
from core.world.state import SceneState

__all__ = [
    "Episode",
    "Goal",
    "Instruction",
    "Intersection",
    "Move",
    "Pattern",
    "Region",
    "Span",
    "Task",
    "Wording",
]

Sentence = TypeVar("Sentence")
PRINTABLE_ASCII = "".join(chr(code) for code in range(32, 127))
MAX_INSTRUCTION = 256  # characters, of the observation space


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of an instruction, as character indices: ``text[start:end]``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_numbers(self, {"start": NATURAL, "end": NATURAL})


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """What the robot is told, in printable ASCII, and which words carry what.

    Attributes:
        text: the words.
        spans: name of a part (``color``, ``board``, ``row``, ``column``, ``row_digit``,
            ``column_digit``) to where it stands in ``text``.

    Raises:
        InstructionError: for text outside of the observation space, or a span outside of the text.
    """

    text: str
    spans: dict[str, Span] = field(default_factory=dict)

    def __post_init__(self) -> None:
        text = self.text
        if not isinstance(text, str):
            raise InstructionError(f"an instruction must be text, got {type(text).__name__}")
        if not 1 <= len(text) <= MAX_INSTRUCTION:
            raise InstructionError(
                f"an instruction must have 1 to {MAX_INSTRUCTION} characters, got {len(text)}: {text[:60]!r}"
            )
        if not (text.isascii() and text.isprintable()):
            wrong = next(c for c in text if c not in PRINTABLE_ASCII)
            raise InstructionError(f"an instruction must be printable ASCII, got {wrong!a} in {text[:60]!a}")
        for name, span in self.spans.items():
            if not 0 <= span.start <= span.end <= len(text):
                raise InstructionError(
                    f"span {name!r} is {span.start}:{span.end}, the instruction has {len(text)} characters"
                )


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Which sentences an episode is told in, where it is not the clean ones.

    Attributes:
        words: set of sentences, one of ``Task.word_sets``.
        choice: which sentence of the set, in [0, 1).
        other: counts through the intersections that are not the goal, for sentences that rule one out.
    """

    words: str
    choice: float
    other: int

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        if not isinstance(self.words, str):
            raise OptionError(f"words must be the name of a set of sentences, got {self.words!r}")
        check_numbers(self, {"choice": Number(whole=False, least=0, most=1), "other": NATURAL})

    def pick(self, sentences: Sequence[Sentence]) -> Sentence:
        """The chosen one."""
        return sentences[int(self.choice * len(sentences))]


@dataclass(frozen=True, kw_only=True)
class Move:
    """One thing the robot is asked to do: pick a stone, and set it down.

    Attributes:
        goal: where the stone belongs; what is judged.
        instruction: the words that ask for it.
        replies: stones that the environment sets on the board before the move begins, an opponent's.
    """

    goal: Goal
    instruction: Instruction
    replies: tuple[Intersection, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """One drawn episode: the same in every backend.

    Attributes:
        task: registered name.
        split, seed: what it was drawn from.
        scene: the world.
        state: how everything stands at reset.
        moves: what the robot is asked to do, in order, as far as it is known beforehand; at least one.
        later_moves: how many more ``Task.next_move`` may decide on, at most.
        wording: how moves are said that are decided later; None: in the clean sentences.
        perturbation: the draw of every knob that was on, by name.
    """

    task: str
    split: str
    seed: int
    scene: SceneSpec
    state: SceneState
    moves: tuple[Move, ...]
    later_moves: int = 0
    wording: Wording | None = None
    perturbation: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("seed", "later_moves"):
            object.__setattr__(self, name, plain_numbers(getattr(self, name)))
        if not isinstance(self.moves, tuple) or not all(isinstance(move, Move) for move in self.moves):
            raise OptionError(f"moves of an episode must be a tuple of Move, got {self.moves!r}")
        if not self.moves or self.later_moves < 0:
            raise OptionError(
                f"an episode has at least one move and none or more later ones, got {len(self.moves)} and "
                f"{self.later_moves!r}"
            )

    @property
    def goal(self) -> Goal:
        """What the first move asks for."""
        return self.moves[0].goal

    @property
    def instruction(self) -> Instruction:
        """The words that ask for the first move."""
        return self.moves[0].instruction

    @property
    def max_moves(self) -> int:
        """How many moves it has at most."""
        return len(self.moves) + self.later_moves


class Task(ABC):
    """Draws episodes from seeds.

    Attributes:
        name: the registered name.
        word_sets: sets of sentences that ``reword`` knows, out of those of the knob ``words``.
        layout_knobs: knobs of the board and of layouts that leave what is asked for as it is. Every task lays
            its stones out around the board of the scene that it is given, wherever that lies.
        max_steps: actions that an episode may take, unless ``make_task`` says otherwise.
        capabilities: what a backend must be able to do for the task; ``make_task`` asks.
    """

    name: ClassVar[str]
    max_steps: ClassVar[int] = 400
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    word_sets: ClassVar[frozenset[str]] = frozenset()
    layout_knobs: ClassVar[frozenset[str]] = frozenset({"board_pose", "stone_position"})

    def stage(self, scene: SceneSpec) -> SceneSpec:
        """What the task adds to the stage, marks for example. By default nothing."""
        return scene

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

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        """Says a move in other words.

        Args:
            episode: which the move is part of.
            move: its goal, and the clean words for it.
            wording: the words to say it in.

        Raises:
            CapabilityError: if the task has no such set.
        """
        raise CapabilityError(f"task {self.name!r} has no sentences of the set {wording.words!r}")

    def next_move(self, episode: Episode, boards: tuple[Board, ...]) -> Move | None:
        """What to do after a move; None ends the job. By default the next of ``episode.moves``.

        With one board, that at reset, it is the first move. It must depend on its arguments alone, for
        ``load_state`` asks it again. A task that decides here and
        has ``word_sets`` says the move as ``episode.wording`` wants it.

        Args:
            episode: what ``make_episode`` drew.
            boards: the whole board as the checker read it, at reset and after each move that was done.
        """
        done = len(boards) - 1
        return episode.moves[done] if done < len(episode.moves) else None

    def is_legal(self, episode: Episode, boards: tuple[Board, ...], board: Board) -> bool | None:
        """Whether the rules let ``board`` follow ``boards[-1]`` by one move of the robot; None: no rules."""
        return None

    def could_be_meant(self, episode: Episode) -> int | None:
        """In how many ways the first move might be meant, to somebody who sees the scene and hears nothing.

        All of them must be as likely: a perfect eye without words is then right once in so many episodes, and
        reports print that beside success rates. None, by default: the task does not say, or the board tells.
        """
        return None

    @abstractmethod
    def read(self, text: str, board: Board) -> tuple[Goal, ...]:
        """The goals that ``text`` names to somebody who sees ``board``, in their order.

        Raises:
            OptionError: if these are no words of this task.
        """
