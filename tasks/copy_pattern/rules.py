"""Patterns: what is still missing, and whether what stands belongs to it."""

from core.board.boards import COLOR_NAMES, COLORS, Board, cells, empty_board, with_cell
from core.board.goals import Intersection, Pattern
from core.errors import OptionError


def pattern_of(board: Board) -> Pattern:
    """Every stone of ``board``, row by row."""
    return Pattern(
        stones=tuple(
            Intersection(color=COLOR_NAMES[board[r][c]], row=r, column=c)
            for r, c in cells(board, occupied=True)
        )
    )


def board_with(pattern: Pattern, size: int) -> Board:
    """A board with the pattern and nothing else.

    Raises:
        OptionError: if the pattern is larger than the board, or has two stones on one intersection.
    """
    board = empty_board(size)
    for stone in pattern.stones:
        if not (0 <= stone.row < size and 0 <= stone.column < size):
            raise OptionError(
                f"the pattern has a stone on ({stone.row}, {stone.column}); the board is {size} x {size}"
            )
        if board[stone.row][stone.column]:
            raise OptionError(f"the pattern has two stones on ({stone.row}, {stone.column})")
        board = with_cell(board, (stone.row, stone.column), COLORS[stone.color])
    return board


def missing(pattern: Pattern, board: Board) -> Pattern:
    """What of the pattern does not stand yet."""
    return Pattern(stones=tuple(s for s in pattern.stones if board[s.row][s.column] != COLORS[s.color]))


def belongs(pattern: Pattern, board: Board) -> bool:
    """Whether every stone of ``board`` is one of the pattern's."""
    wanted = board_with(pattern, len(board))
    return all(board[r][c] == wanted[r][c] for r, c in cells(board, occupied=True))
