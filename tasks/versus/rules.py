"""Games of completing a row, as ``open_spiel`` plays them, seen as part of our board. No robot here.

``open_spiel`` (extra ``[games]``) is imported when a game is first asked for. Black moves first.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from core.board.boards import COLORS, Board, Cell, cells, empty_board, with_cell
from core.errors import OptionError, missing_extra

SIMULATIONS = 200  # of the tree search, per move


@dataclass(frozen=True, kw_only=True)
class LineGame:
    """A game on a square part of the board.

    Attributes:
        name: how ``open_spiel`` loads it.
        size: intersections along an edge of the part.
        origin: the intersection of our board that is the part's (0, 0).
        board_size: intersections along an edge of our board.
    """

    name: str
    size: int
    origin: Cell = (0, 0)
    board_size: int = 5

    def cell(self, action: int) -> Cell:
        """The intersection of an action of ``open_spiel``: they count row by row."""
        return self.origin[0] + action // self.size, self.origin[1] + action % self.size

    def action(self, cell: Cell) -> int:
        """The action of an intersection.

        Raises:
            OptionError: if the game is not played there.
        """
        row, column = cell[0] - self.origin[0], cell[1] - self.origin[1]
        if not (0 <= row < self.size and 0 <= column < self.size):
            raise OptionError(f"{self.name} is not played on {cell}")
        return row * self.size + column

    def state(self, board: Board) -> Any:
        """The position as ``open_spiel`` has it: what stands counts, but only the last move completes a row.

        Raises:
            OptionError: if no game of alternating moves leads to ``board``.
        """
        stones = {
            color: [c for c in cells(board, occupied=True) if board[c[0]][c[1]] == color] for color in (1, 2)
        }
        if len(stones[1]) - len(stones[2]) not in (0, 1):
            raise OptionError(f"{len(stones[1])} black and {len(stones[2])} white stones: they move in turns")
        moves = [self.action(stones[1 + k % 2][k // 2]) for k in range(len(stones[1]) + len(stones[2]))]
        # Any stone of the side that moved last may have been the last.
        for last in range(len(moves) - 1, -1, -2) if moves else (0,):
            order = (
                [*moves[:last], moves[-1], *moves[last + 1 : -1], moves[last]]
                if last < len(moves) - 1
                else moves
            )
            state = _played(self.name, order)
            if state is not None:
                return state
        raise OptionError("the game was over before its last stone")

    def to_move(self, board: Board) -> str | None:
        """Whose turn it is; None when the game is over."""
        state = self.state(board)
        return None if state.is_terminal() else ("black", "white")[state.current_player()]

    def winner(self, board: Board) -> str | None:
        """Who has completed a row; None for nobody (yet)."""
        state = self.state(board)
        if not state.is_terminal():
            return None
        returns = state.returns()
        return {1.0: "black", -1.0: "white"}.get(returns[0])

    def play(self, board: Board, cell: Cell) -> Board:
        """The board after a move of the side whose turn it is.

        Raises:
            OptionError: if the rules forbid it.
        """
        state = self.state(board)
        if state.is_terminal():
            raise OptionError(f"no move at {cell}: the game is over")
        if self.action(cell) not in state.legal_actions():
            raise OptionError(f"no move at {cell}: a stone stands there; free: {self.legal(board)}")
        return with_cell(board, cell, 1 + state.current_player())

    def legal(self, board: Board) -> list[Cell]:
        """Where the side whose turn it is may move."""
        state = self.state(board)
        return [] if state.is_terminal() else [self.cell(action) for action in state.legal_actions()]

    def winning(self, board: Board) -> list[Cell]:
        """The moves that complete a row at once."""
        return [self.cell(action) for action in _winning(self.state(board))]

    def blocking(self, board: Board) -> list[Cell]:
        """The moves after which the opponent cannot complete a row at once: all of them without a threat."""
        state = self.state(board)
        if state.is_terminal():
            return []
        return [self.cell(action) for action in state.legal_actions() if not _winning(state.child(action))]

    def search(self, board: Board, rng: np.random.Generator) -> Cell:
        """The move that ``open_spiel``'s tree search finds."""
        import pyspiel

        game, seed = _load(self.name), int(rng.integers(2**31))
        bot = pyspiel.MCTSBot(
            game, pyspiel.RandomRolloutEvaluator(1, seed), 2.0, SIMULATIONS, 100, True, seed, False
        )
        return self.cell(bot.step(self.state(board)))

    def opening(self, rng: np.random.Generator, plies: int) -> Board:
        """The board after so many random moves, none of which ends the game."""
        while True:
            board = empty_board(self.board_size)
            for _ in range(plies):
                free = self.legal(board)
                board = self.play(board, free[int(rng.integers(len(free)))])
                if self.to_move(board) is None:
                    break
            else:
                return board

    def follows(self, before: Board, after: Board) -> bool:
        """Whether one legal move leads from ``before`` to ``after``."""
        return any(self.play(before, cell) == after for cell in self.legal(before))


def _played(name: str, moves: list[int]) -> Any:
    """The state after ``moves``; None if the game is over before the last."""
    state = _load(name).new_initial_state()
    for action in moves:
        if state.is_terminal():
            return None
        state.apply_action(action)
    return state


def _winning(state: Any) -> list[int]:
    if state.is_terminal():
        return []
    player = state.current_player()
    return [
        a for a in state.legal_actions() if (s := state.child(a)).is_terminal() and s.returns()[player] > 0
    ]


@lru_cache
def _load(name: str) -> Any:
    try:
        import pyspiel
    except ImportError as error:
        raise missing_extra("a board game", "games") from error
    return pyspiel.load_game(name)


def count(board: Board, color: str) -> int:
    """How many stones of a colour stand on the board."""
    return sum(line.count(COLORS[color]) for line in board)
