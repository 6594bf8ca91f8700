"""A suite that a task must pass, for authors of plugins: ``core.testing.check_task(MyTask())``.

It asks nothing of the task but the contract of ``core.Task``, and stops at the first promise that is broken,
saying which, and for which seed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.boards import COLOR_NAMES, COLORS, Board
from core.environment import Environment
from core.errors import BombError
from core.goals import Goal, Intersection, Region, alternatives, board_after
from core.layout import add_stones, board_of
from core.make import make_task
from core.observation import MAX_INSTRUCTION
from core.registry import BACKENDS, POLICIES
from core.scene import SceneSpec
from core.stage import clean_scene
from core.task import Episode, Instruction, Move, Task

MOST_MOVES = 50


class TaskCheckError(BombError, AssertionError):
    """A task breaks a promise of the contract; the message says which and for which seed."""


@dataclass(frozen=True, kw_only=True)
class Ply:
    """One move of a game as the rules see it.

    Attributes:
        move: what is asked for.
        before: the board when it begins, replies included.
        after: the board when it has been done.
    """

    move: Move
    before: Board
    after: Board


def check_task(
    task: Task,
    *,
    backends: Sequence[str] | None = None,
    seeds: Iterable[int] = range(25),
    played: Iterable[int] = range(2),
    split: str = "ci",
) -> None:
    """Checks all that the contract promises.

    Args:
        task: the task, made.
        backends: simulators to play in; None takes every registered one, and none at all is allowed.
        seeds: whose episodes are looked at.
        played: whose episodes the expert plays in each simulator.
        split: which family of seeds.

    Raises:
        TaskCheckError: for the first promise that is broken.
    """
    scene = task.stage(clean_scene())
    check_seeding(task, scene, seeds, split)
    for seed in seeds:
        episode = task.make_episode(scene, split=split, seed=seed)
        check_layout(episode)
        check_game(task, episode)
    names = BACKENDS.names() if backends is None else list(backends)
    check_play(task, names, played, split)


def walk(task: Task, episode: Episode) -> Iterator[Ply]:
    """The game as it goes when every move is done: of a pattern the first stone first."""
    boards = (board_of(episode.state, episode.scene),)
    move: Move | None = Move(goal=episode.goal, instruction=episode.instruction)
    for _ in range(MOST_MOVES):
        before = boards[-1]
        for reply in move.replies:
            before = board_after(before, reply)
        after = board_after(before, alternatives(move.goal)[0])
        yield Ply(move=move, before=before, after=after)
        boards = (*boards, after)
        move = task.next_move(episode, boards)
        if move is None:
            return
    _require(False, episode, f"the game ends after at most {MOST_MOVES} moves")


def check_seeding(task: Task, scene: SceneSpec, seeds: Iterable[int], split: str) -> None:
    """The same seed gives the same episode, other seeds and other splits another.

    Raises:
        TaskCheckError: naming the seed.
    """
    first = [task.make_episode(scene, split=split, seed=seed) for seed in seeds]
    again = [task.make_episode(scene, split=split, seed=seed) for seed in seeds]
    for one, other in zip(first, again, strict=True):
        same = (one.goal, one.instruction, one.moves, one.plan) == (
            other.goal, other.instruction, other.moves, other.plan
        ) and one.state == other.state  # fmt: skip
        _require(same, one, "the same seed gives the same episode")
        _require(one.task == task.name, one, f"episodes carry the task's name {task.name!r}")
    if len(first) > 1:
        _require(
            len({e.state.to_bytes() for e in first}) > 1, first[0], "different seeds give different layouts"
        )
    elsewhere = task.make_episode(scene, split="train" if split != "train" else "test", seed=first[0].seed)
    _require(elsewhere.state != first[0].state, first[0], "another split gives another episode")


def check_layout(episode: Episode) -> None:
    """Stones are apart, at rest on board or table.

    Raises:
        TaskCheckError: naming the seed.
    """
    scene, state = episode.scene, episode.state
    p = state.stone_poses[:, :3].astype(np.float64)
    distances = np.linalg.norm(p[:, None] - p[None], axis=-1) + np.eye(len(p))
    _require(distances.min() >= 2 * scene.stones[0].radius, episode, "no two stones overlap")
    half = scene.stones[0].height / 2
    heights = np.array([scene.table.height, scene.board.X_WB.p[2]]) + half
    lifted = abs(p[:, 2:] - heights).min(axis=1) > 5e-4
    _require(not lifted.any(), episode, "stones lie on the table or on the board")


def check_game(task: Task, episode: Episode) -> None:
    """Every move of the game can be asked for, is named exactly by its words, and is legal.

    Raises:
        TaskCheckError: naming the seed.
    """
    boards = [board_of(episode.state, episode.scene)]
    state, plies = episode.state, list(walk(task, episode))
    for ply in plies:
        check_words(task, episode, ply.move.instruction, ply.move.goal, ply.before)
        for reply in ply.move.replies:
            free = boards[-1][reply.row][reply.column] == 0
            _require(free, episode, f"replies are set on free intersections, unlike {reply}")
            state = add_stones(episode.scene, state, [reply])
        for single in alternatives(ply.move.goal):
            _check_goal(episode, single, ply.before)
        legal = task.is_legal(episode, tuple(boards), ply.after)
        _require(legal is not False, episode, f"the rules allow the move that is asked for: {ply.move.goal}")
        boards.append(ply.after)
    _require(
        len(plies) <= episode.moves, episode, f"episode.moves, {episode.moves}, bounds the {len(plies)} moves"
    )
    supply = [COLORS[episode.scene.stones[k].color] for k in episode.state.stone_ids]
    on_board = [value for line in boards[0] for value in line]
    for color, name in COLOR_NAMES.items():
        needed = sum(
            alternatives(ply.move.goal)[0].color == name and alternatives(ply.move.goal)[0].source is None
            for ply in plies
        )
        loose = supply.count(color) - on_board.count(color)
        _require(
            loose >= needed, episode, f"{needed} loose {name} stones are needed, {loose} lie on the table"
        )


def check_words(task: Task, episode: Episode, words: Instruction, goal: Goal, board: Board) -> None:
    """The words are printable, their spans are inside, and they name the goal and, alone, nothing else.

    Raises:
        TaskCheckError: naming the seed.
    """
    text = words.text
    _require(
        text.isascii() and text.isprintable() and text != "", episode, f"words are printable ASCII: {text!r}"
    )
    _require(
        len(text) <= MAX_INSTRUCTION, episode, f"words have at most {MAX_INSTRUCTION} characters: {text!r}"
    )
    inside = all(0 <= span.start < span.end <= len(text) for span in words.spans.values())
    _require(inside, episode, f"spans lie inside of the words: {words.spans}")
    named = task.read(text, board)
    # Words that name several moves at once name this one among them.
    exact = named == (goal,) if episode.moves == 1 or len(named) == 1 else goal in named
    _require(exact, episode, f"{text!r} names {goal}; read as {named}")


def check_play(task: Task, backends: Sequence[str], seeds: Iterable[int], split: str) -> None:
    """The expert does every move in each simulator; states travel between them in the middle of a game.

    Raises:
        TaskCheckError: naming the seed.
    """
    seeds = list(seeds)
    envs = [make_task(task, backend=name, cameras=(), split=split, stop_on_success=True) for name in backends]
    try:
        for seed in seeds:
            starts = [env.reset(seed=seed) for env in envs]
            for env, (observation, info) in zip(envs, starts, strict=True):
                episode, first = env.episode, starts[0]
                same = env.scene_state == envs[0].scene_state and info == first[1]
                same = same and observation["instruction"] == first[0]["instruction"]
                _require(same, episode, f"{env.backend_name} gets the same episode as {envs[0].backend_name}")
            for k, env in enumerate(envs):
                _play(env, envs[k - 1], seed)
    finally:
        for env in envs:
            env.close()


def _play(env: Environment, other: Environment, seed: int) -> None:
    expert = POLICIES.load("expert")()
    observation, info = env.reset(seed=seed)
    episode, move, over, steps = env.episode, env.move, False, 0
    expert.reset(observation["instruction"], seed, episode=episode, action_spec=env.action_spec)
    while not over:
        observation, _, terminated, truncated, info = env.step(
            expert.act(observation, truth=env.scene_state)[0]
        )
        over, steps = terminated or truncated, steps + 1
        began = env.move is not move
        if began and not over:
            expert.proceed(observation["instruction"], move=env.move)
        if (began or steps == 25) and not over:
            _check_saving(env, other)
        move = env.move
    _require(
        info["success"],
        episode,
        f"the expert does every move in {env.backend_name}; it did {info['moves']['done']} of at most "
        f"{episode.moves}: {info['placement']['reasons']}",
    )
    record = env.episode_record()
    _require(
        record.rejudge().to_dict() == record.about["verdict"], episode, "a record is judged again the same"
    )


def _check_saving(env: Environment, other: Environment) -> None:
    saved = env.save_state()
    if other is not env:
        _, there = other.load_state(saved)
        _require(
            other.save_state() == saved,
            env.episode,
            f"{other.backend_name} loads what {env.backend_name} saves",
        )
        # The series of measures does not travel, so the game itself goes on undisturbed.
        _require(
            there["moves"] == env.info()["moves"], env.episode, "a loaded game is as far as the saved one"
        )


def _check_goal(episode: Episode, goal: Intersection | Region, board: Board) -> None:
    scene, size = episode.scene, len(board)
    _require(goal.color in COLORS, episode, f"goals have one of the colours {', '.join(COLORS)}: {goal}")
    if goal.source is not None:
        row, column = goal.source
        there = 0 <= row < size and 0 <= column < size and board[row][column] == COLORS[goal.color]
        _require(there, episode, f"a {goal.color} stone stands on the source of {goal}")
    if isinstance(goal, Intersection):
        on_board = 0 <= goal.row < size and 0 <= goal.column < size
        _require(on_board, episode, f"goals are on the board of {size} x {size}: {goal}")
        _require(board[goal.row][goal.column] == 0, episode, f"goals are free: {goal}")
        return
    radius = scene.stones[0].radius
    for center, half, edge in zip(goal.center, goal.half_size, scene.table.size, strict=True):
        _require(half > radius, episode, f"a stone fits into the region {goal}")
        _require(abs(center) + half <= edge / 2, episode, f"the region lies on the table: {goal}")
    gap = [
        abs(c - p) - half for c, p, half in zip(goal.center, scene.board.X_WB.p, goal.half_size, strict=False)
    ]
    _require(max(gap) >= scene.board.width / 2, episode, f"the region is clear of the board: {goal}")


def _require(held: bool, episode: Episode, promise: str) -> None:
    if not held:
        raise TaskCheckError(
            f"task {episode.task!r}, split {episode.split!r}, seed {episode.seed}: not so: {promise}"
        )
