"""A board as rows of numbers, and what can be asked of it."""

import numpy as np

Cell = tuple[int, int]  # row, column, both from 0
Board = tuple[tuple[int, ...], ...]  # colours by row and column: 0 empty, 1 black, 2 white

COLORS = {"black": 1, "white": 2}
COLOR_NAMES = {number: name for name, number in COLORS.items()}


def empty_board(size: int) -> Board:
    """A board without stones."""
    return ((0,) * size,) * size


def with_cell(board: Board, cell: Cell, color: int) -> Board:
    """The board with another content of one intersection."""
    row, column = cell
    line = (*board[row][:column], color, *board[row][column + 1 :])
    return (*board[:row], line, *board[row + 1 :])


def draw_board(board: Board) -> str:
    """The board as text: ``X`` black, ``O`` white, row 0 at the top."""
    head = "  " + " ".join(str(column) for column in range(len(board)))
    lines = [f"{row} " + " ".join(".XO"[value] for value in line) for row, line in enumerate(board)]
    return "\n".join([head, *lines])


def cells(board: Board, *, occupied: bool) -> list[Cell]:
    """The intersections with a stone, or those without, row by row."""
    return [(r, c) for r, line in enumerate(board) for c, value in enumerate(line) if bool(value) == occupied]


def random_board(rng: np.random.Generator, size: int, stones: int) -> Board:
    """A board with so many stones of random colours on random intersections."""
    board = empty_board(size)
    for k in rng.permutation(size * size)[:stones]:
        board = with_cell(board, (int(k) // size, int(k) % size), int(rng.integers(1, 3)))
    return board
