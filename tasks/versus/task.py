"""A whole game: the robot plays one colour, the environment sets the stones of an ``open_spiel`` opponent."""

from dataclasses import replace
from typing import ClassVar

from core.board.boards import Board, Cell
from core.board.goals import Intersection, goal_of
from core.board.layout import SLOTS_PER_SIDE, lay_out
from core.errors import OptionError, check_choice
from core.seeding import stream
from core.task import Episode, Instruction, Move, Task, Wording
from core.world.scene import SceneSpec
from tasks.versus.rules import LineGame, count
from tasks.versus.words import NAMED, NAMED_SETS, name_intent, name_move, parse, reword

OPPONENTS = ("random", "search")
DISTRACTORS = 2  # stones of the opponent's colour on the table, where the pool can spare them


class Versus(Task):
    """A game of rows against an opponent.

    The words name the robot's move; in half of the episodes they name only what it is for, in positions
    where exactly one move wins, or none wins and exactly one blocks. The opponent's last stone is set only
    if the robot has a move after it.

    Attributes:
        game: the rules.
        openings: fewest and most random moves before the robot's first.

    Args:
        opponent: one of ``OPPONENTS``; None draws one for each seed.
    """

    word_sets = frozenset(NAMED_SETS)
    game: ClassVar[LineGame]
    openings: ClassVar[tuple[int, int]]

    def __init__(self, *, opponent: str | None = None):
        if opponent not in (None, *OPPONENTS):
            raise OptionError(f"unknown opponent {opponent!r}; valid: {', '.join(OPPONENTS)}")
        self.opponent = opponent

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        rng = stream(split, seed, "goal")
        board = self.game.opening(rng, int(rng.integers(self.openings[0], self.openings[1] + 1)))
        color = self._side(board)
        other = "white" if color == "black" else "black"
        pool = {name: sum(stone.color == name for stone in scene.stones) for name in (color, other)}
        moves = min((len(self.game.legal(board)) + 1) // 2, pool[color] - count(board, color))
        room = 2 * SLOTS_PER_SIDE - moves
        spare = pool[other] - (self.game.size**2 + 1) // 2
        table = {color: moves, other: max(0, min(DISTRACTORS, spare, room))}
        goal, words = self._choose(split, seed, board, 0)
        return Episode(
            task=self.name,
            split=split,
            seed=int(seed),
            scene=scene,
            state=lay_out(scene, board=board, table=table, rng=stream(split, seed, "layout")),
            moves=(Move(goal=goal, instruction=words),),
            later_moves=moves - 1,
        )

    def next_move(self, episode: Episode, boards: tuple[Board, ...]) -> Move | None:
        turn, before = len(boards) - 1, boards[-1]
        if turn == 0:
            return episode.moves[0]
        if turn == episode.max_moves or (color := self.game.to_move(before)) is None:
            return None
        cell = self._answer(episode, turn, before)
        board = self.game.play(before, cell)
        if self.game.to_move(board) is None:
            return None
        goal, words = self._choose(episode.split, episode.seed, board, turn)
        reply = Intersection(color=color, row=cell[0], column=cell[1])
        move = Move(goal=goal, instruction=words, replies=(reply,))
        if episode.wording is not None:
            move = replace(move, instruction=self.reword(episode, move, episode.wording))
        return move

    def is_legal(self, episode: Episode, boards: tuple[Board, ...], board: Board) -> bool:
        move, before = self.next_move(episode, boards), boards[-1]
        if move is None:
            return False
        for reply in move.replies:
            before = self.game.play(before, (reply.row, reply.column))
        return self.game.follows(before, board)

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        check_choice("words", wording.words, NAMED_SETS)
        return reword(
            move.instruction.text, goal_of(Intersection, move.goal), wording, episode.scene.board.size
        )

    def read(self, text: str, board: Board) -> tuple[Intersection, ...]:
        return (parse(text, self._answers(board), len(board)),)

    def _answer(self, episode: Episode, turn: int, board: Board) -> Cell:
        """The opponent's move."""
        opponent = self.opponent
        if opponent is None:
            opponent = OPPONENTS[
                int(stream(episode.split, episode.seed, "opponent").integers(len(OPPONENTS)))
            ]
        rng = stream(episode.split, episode.seed, f"reply {turn}")
        if opponent == "search":
            return self.game.search(board, rng)
        free = self.game.legal(board)
        return free[int(rng.integers(len(free)))]

    def _choose(self, split: str, seed: int, board: Board, turn: int) -> tuple[Intersection, Instruction]:
        """The robot's next move and its words."""
        color = self._side(board)
        if stream(split, seed, "intent").random() < 0.5:
            for intent, answers in self._answers(board).items():
                if len(answers) == 1:
                    ((row, column),) = answers
                    return Intersection(color=color, row=row, column=column), name_intent(color, intent)
        row, column = cell = self.game.search(board, stream(split, seed, f"move {turn}"))
        phrasing = NAMED[int(stream(split, seed, "phrasing").integers(len(NAMED)))]
        return Intersection(color=color, row=row, column=column), name_move(color, cell, phrasing)

    def _side(self, board: Board) -> str:
        """Whose turn it is on a board where the game goes on."""
        color = self.game.to_move(board)
        if color is None:
            raise OptionError(f"the game is over on {board}")
        return color

    def _answers(self, board: Board) -> dict[str, list[Cell]]:
        """The moves that serve each intent; to block is one only where nothing wins."""
        winning, blocking = self.game.winning(board), self.game.blocking(board)
        threat = len(blocking) < len(self.game.legal(board))
        return {"win": winning, "block": blocking if threat and not winning else []}
