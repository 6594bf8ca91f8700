"""How a game goes when every move is done: goals, words and rules, without a robot."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.board.boards import COLOR_NAMES, COLORS, Board
from core.board.goals import Goal, Intersection, Region, alternatives, board_after
from core.board.layout import add_stones, board_of, board_reach
from core.task import MAX_INSTRUCTION, Episode, Instruction, Move, Task
from core.testing.promise import require

MOST_MOVES = 50


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


def walk(task: Task, episode: Episode) -> Iterator[Ply]:
    """The game as it goes when every move is done: of a pattern the first stone first."""
    boards: tuple[Board, ...] = (board_of(episode.state, episode.scene),)
    move = episode.moves[0]
    for _ in range(MOST_MOVES):
        before = boards[-1]
        for reply in move.replies:
            before = board_after(before, reply)
        after = board_after(before, alternatives(move.goal)[0])
        yield Ply(move=move, before=before, after=after)
        boards = (*boards, after)
        following = task.next_move(episode, boards)
        if following is None:
            return
        move = following
    require(False, episode, f"the game ends after at most {MOST_MOVES} moves")


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
            require(free, episode, f"replies are set on free intersections, unlike {reply}")
            state = add_stones(episode.scene, state, [reply])
        for single in alternatives(ply.move.goal):
            _check_goal(episode, single, ply.before)
        legal = task.is_legal(episode, tuple(boards), ply.after)
        require(legal is not False, episode, f"the rules allow the move that is asked for: {ply.move.goal}")
        boards.append(ply.after)
    require(
        len(plies) <= episode.max_moves,
        episode,
        f"episode.max_moves, {episode.max_moves}, bounds the {len(plies)} moves",
    )
    supply = [COLORS[episode.scene.stones[k].color] for k in episode.state.stone_ids]
    on_board = [value for line in boards[0] for value in line]
    for color, name in COLOR_NAMES.items():
        needed = sum(
            alternatives(ply.move.goal)[0].color == name and alternatives(ply.move.goal)[0].source is None
            for ply in plies
        )
        loose = supply.count(color) - on_board.count(color)
        require(
            loose >= needed, episode, f"{needed} loose {name} stones are needed, {loose} lie on the table"
        )


def check_words(task: Task, episode: Episode, words: Instruction, goal: Goal, board: Board) -> None:
    """The words are printable, their spans are inside, and they name the goal and, alone, nothing else.

    Raises:
        TaskCheckError: naming the seed.
    """
    text = words.text
    require(
        text.isascii() and text.isprintable() and text != "", episode, f"words are printable ASCII: {text!r}"
    )
    require(
        len(text) <= MAX_INSTRUCTION, episode, f"words have at most {MAX_INSTRUCTION} characters: {text!r}"
    )
    inside = all(0 <= span.start < span.end <= len(text) for span in words.spans.values())
    require(inside, episode, f"spans lie inside of the words: {words.spans}")
    named = task.read(text, board)
    # Words that name several moves at once name this one among them.
    exact = named == (goal,) if episode.max_moves == 1 or len(named) == 1 else goal in named
    require(exact, episode, f"{text!r} names {goal}; read as {named}")


def _check_goal(episode: Episode, goal: Intersection | Region, board: Board) -> None:
    scene, size = episode.scene, len(board)
    require(goal.color in COLORS, episode, f"goals have one of the colours {', '.join(COLORS)}: {goal}")
    if goal.source is not None:
        row, column = goal.source
        there = 0 <= row < size and 0 <= column < size and board[row][column] == COLORS[goal.color]
        require(there, episode, f"a {goal.color} stone stands on the source of {goal}")
    if isinstance(goal, Intersection):
        on_board = 0 <= goal.row < size and 0 <= goal.column < size
        require(on_board, episode, f"goals are on the board of {size} x {size}: {goal}")
        require(board[goal.row][goal.column] == 0, episode, f"goals are free: {goal}")
        return
    radius = scene.stones[0].radius
    for center, half, edge in zip(goal.center, goal.half_size, scene.table.size, strict=True):
        require(half > radius, episode, f"a stone fits into the region {goal}")
        require(abs(center) + half <= edge / 2, episode, f"the region lies on the table: {goal}")
    gap = [
        abs(c - p) - half for c, p, half in zip(goal.center, scene.board.X_WB.p, goal.half_size, strict=False)
    ]
    require(max(gap) >= board_reach(scene), episode, f"the region is clear of the board: {goal}")
