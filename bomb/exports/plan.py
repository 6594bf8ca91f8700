"""What an export will hold, known before anything is drawn: lengths, indices, tasks, states, actions.

So every shard can be written by itself, by any process, and all of them fit together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import core
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.settings import action_spec_of, environment_of
from bomb.disk.files import FileError
from bomb.exports.actions import converted, is_noop
from bomb.exports.settings import ExportSettings
from core.board.layout import board_of
from core.task import Instruction, Span

WORDS = "words"  # the knob that says things otherwise

# Makes the state and the action vectors of a format, float32[T, n] each, out of a demonstration and its
# actions in the convention asked for.
Rows: TypeAlias = npt.NDArray[np.float32]  # [T, n]
Vectors = Callable[[Demonstration, Rows], tuple[Rows, Rows]]


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodePlan:
    """One episode of an export.

    Attributes:
        seed: of the demonstration.
        fingerprint: of the demonstration.
        visual_draw: number of the draw of what is only seen and said.
        index: of the episode in the export, from 0.
        first: index of its first frame in the export.
        rows: int64[N], which rows of the demonstration are its frames.
        tasks: int64[N], index of each frame's instruction among the export's tasks.
        texts: each frame's instruction.
        instructions: the words of its moves, with spans.
        states: float32[N, s], proprioception as the format has it.
        actions: float32[N, a], actions as the format has them.
    """

    seed: int
    fingerprint: str
    visual_draw: int = 0
    index: int
    first: int
    rows: npt.NDArray[np.int64]
    tasks: npt.NDArray[np.int64]
    texts: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    states: npt.NDArray[np.float32]
    actions: npt.NDArray[np.float32]

    @property
    def length(self) -> int:
        """How many frames."""
        return len(self.rows)


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportPlan:
    """All episodes of an export.

    Attributes:
        episodes: in the order of their seeds.
        tasks: instructions in the order of their first use.
    """

    episodes: tuple[EpisodePlan, ...]
    tasks: tuple[str, ...]

    def frames(self, episodes: int | None = None) -> int:
        """How many frames the first so many episodes have; all by default."""
        return sum(episode.length for episode in self.episodes[:episodes])

    def tasks_of(self, episodes: int) -> tuple[str, ...]:
        """The instructions that the first so many episodes use."""
        used = max((int(episode.tasks.max()) for episode in self.episodes[:episodes]), default=-1)
        return self.tasks[: used + 1]

    def shards(self, sizes: Sequence[int], shard_frames: int) -> list[range]:
        """Which episodes go into which shard.

        Args:
            sizes: how many episodes each shard has that was written already.
            shard_frames: a further one is full with this many frames.
        """
        made, first, frames = [], 0, 0
        for size in sizes:
            made.append(range(first, first + size))
            first += size
        begin = first
        for episode in self.episodes[first:]:
            frames += episode.length
            if frames >= shard_frames:
                made.append(range(begin, episode.index + 1))
                begin, frames = episode.index + 1, 0
        if begin < len(self.episodes):
            made.append(range(begin, len(self.episodes)))
        return made


def make_plan(
    dataset: Dataset,
    settings: ExportSettings,
    vectors: Vectors,
    bar: Callable[[Iterable[Any]], Iterable[Any]] = lambda seeds: seeds,
) -> ExportPlan:
    """Reads every demonstration once.

    Args:
        dataset: what is exported.
        settings: how.
        vectors: of the format.
        bar: wraps the seeds, to show how far it is.

    Raises:
        FileError: if the dataset has no demonstration, naming a damaged one, or if one is all no-ops.
    """
    seeds = dataset.seeds()
    if not seeds:
        raise FileError(f"{dataset.path} has no demonstrations to export")
    reworded = _Reworded(dataset, settings)
    tasks: dict[str, int] = {}
    episodes: list[EpisodePlan] = []
    first = 0
    try:
        for seed in bar(seeds):
            demonstration = dataset.load(seed)
            for visual_draw in range(settings.visual_draws):
                episode = _episode(
                    dataset,
                    settings,
                    vectors,
                    demonstration,
                    visual_draw,
                    reworded(demonstration, visual_draw),
                    tasks,
                    len(episodes),
                    first,
                )
                episodes.append(episode)
                first += episode.length
    finally:
        reworded.close()
    return ExportPlan(episodes=tuple(episodes), tasks=tuple(tasks))


def _episode(
    dataset: Dataset,
    settings: ExportSettings,
    vectors: Vectors,
    demonstration: Demonstration,
    visual_draw: int,
    instructions: Sequence[Instruction],
    tasks: dict[str, int],
    index: int,
    first: int,
) -> EpisodePlan:
    about = demonstration.about
    spec = action_spec_of(dataset.settings)
    start = demonstration.observations[0, :3]
    actions = converted(demonstration.actions, start, spec, settings.actions)
    rows = np.arange(demonstration.length)
    if settings.drop_noops:
        rows = rows[~is_noop(converted(demonstration.actions, start, spec, "delta"))]
    rows = settings.chosen.rows(rows, split=about["split"], seed=demonstration.seed, visual_draw=visual_draw)
    if not len(rows):
        raise FileError(f"{dataset.episode_file(demonstration.seed)} has no action that does anything")
    asked = demonstration.instruction_index[rows]
    numbers = {move: tasks.setdefault(instructions[move].text, len(tasks)) for move in _in_order(asked)}
    states, acts = vectors(demonstration, actions)
    return EpisodePlan(
        seed=demonstration.seed,
        fingerprint=about["fingerprint"],
        visual_draw=visual_draw,
        index=index,
        first=first,
        rows=rows,
        tasks=np.array([numbers[int(move)] for move in asked], dtype=np.int64),
        texts=tuple(instructions[int(move)].text for move in asked),
        instructions=tuple(instructions),
        states=np.ascontiguousarray(states[rows], dtype=np.float32),
        actions=np.ascontiguousarray(acts[rows], dtype=np.float32),
    )


def _in_order(values: npt.NDArray[np.int16]) -> list[int]:
    return list(dict.fromkeys(int(value) for value in values))


class _Reworded:
    """The words of a demonstration's moves, as the export's knobs say them. Nothing is drawn."""

    def __init__(self, dataset: Dataset, settings: ExportSettings):
        self._env: core.Environment | None = None
        if WORDS in settings.perturbations:
            words = {WORDS: settings.perturbations[WORDS]}
            environment = environment_of(dataset.settings, backend=settings.backend, perturbations=words)
            self._env = core.make_environment(environment)

    def __call__(self, demonstration: Demonstration, visual_draw: int) -> list[Instruction]:
        recorded = recorded_instructions(demonstration)
        if self._env is None:
            return recorded
        self._env.begin(seed=demonstration.seed, visual_draw=visual_draw)
        episode = self._env.episode
        instructions, boards = [episode.instruction], [board_of(episode.state, episode.scene)]
        # Later moves follow from the boards that were read, as they did when they were played.
        for done in demonstration.about["moves"]["placements"][: len(recorded) - 1]:
            boards.append(tuple(map(tuple, done["board"])))
            move = self._env.task.next_move(episode, tuple(boards))
            if move is None:
                raise FileError(
                    f"seed {demonstration.seed} was played with {len(recorded)} moves, and has "
                    f"{len(instructions)} now: another version of the task made it"
                )
            instructions.append(move.instruction)
        return instructions

    def close(self) -> None:
        if self._env is not None:
            self._env.close()


def recorded_instructions(demonstration: Demonstration) -> list[Instruction]:
    """The words of every move with their spans, as the robot was told them."""
    return [
        Instruction(text=text, spans={name: Span(**span) for name, span in spans.items()})
        for text, spans in zip(demonstration.instructions, demonstration.about["spans"], strict=True)
    ]
