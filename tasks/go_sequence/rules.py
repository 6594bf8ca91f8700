"""Go on 5 x 5 as ``open_spiel`` plays it, seen as our board. No robot here.

``open_spiel`` (extra ``[games]``) is imported when a game is first asked for. Black moves first, the same
position may not come back (superko), and nobody passes.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from core.board.boards import Board, Cell, cells
from core.errors import OptionError, missing_extra

COLORS = ("black", "white")


class Go:
    """A game in progress.

    Args:
        size: intersections along an edge.
        moves: what was played so far.
    """

    def __init__(self, size: int, moves: tuple[Cell, ...] = ()):
        self.size = size
        self._state = _load(size).new_initial_state()
        for cell in moves:
            self.play(cell)

    @property
    def to_move(self) -> str:
        """Whose turn it is."""
        return COLORS[self._state.current_player()]

    @property
    def board(self) -> Board:
        """Colours by row and column."""
        planes = np.array(self._state.observation_tensor(0)).reshape(4, self.size, self.size)
        return tuple(
            tuple(int(b + 2 * w) for b, w in zip(*line, strict=True))
            for line in zip(*planes[:2], strict=True)
        )

    def legal(self) -> list[Cell]:
        """Where the side whose turn it is may place a stone."""
        passing = self.size * self.size
        return [divmod(a, self.size) for a in self._state.legal_actions() if a != passing]

    def captures(self, cell: Cell) -> list[Cell]:
        """The stones that a move would take, row by row."""
        after = Go.__new__(Go)
        after.size, after._state = self.size, self._state.child(self._action(cell))
        before, now = self.board, after.board
        return [(r, c) for r, c in cells(before, occupied=True) if not now[r][c]]

    def play(self, cell: Cell) -> list[Cell]:
        """Places a stone of the side whose turn it is; returns what it took.

        Raises:
            OptionError: if the rules forbid it.
        """
        taken = self.captures(cell)
        self._state.apply_action(self._action(cell))
        return taken

    def _action(self, cell: Cell) -> int:
        if cell not in self.legal():
            raise OptionError(f"{self.to_move} may not play {cell}; legal: {self.legal()}")
        return cell[0] * self.size + cell[1]


@lru_cache
def _load(size: int) -> Any:
    try:
        import pyspiel
    except ImportError as error:
        raise missing_extra("a board game", "games") from error
    return pyspiel.load_game(f"go(board_size={size},komi=0.5)")
