"""The game: black and white take the free corners of the board in turn, black first."""

from core import Board, Cell

CORNERS = {
    "top left": (0, 0),
    "top right": (0, -1),
    "bottom left": (-1, 0),
    "bottom right": (-1, -1),
}
PLAYERS = ("black", "white")


def cell_of(corner: str, size: int) -> Cell:
    """The intersection of a corner, as the head picture shows it."""
    row, column = CORNERS[corner]
    return row % size, column % size


def free_corners(board: Board) -> list[str]:
    """The corners that no stone has taken."""
    return [name for name in CORNERS if not board[cell_of(name, len(board))[0]][cell_of(name, len(board))[1]]]


def to_move(board: Board) -> str | None:
    """Whose turn it is; None when all corners are taken."""
    free = len(free_corners(board))
    return PLAYERS[(len(CORNERS) - free) % 2] if free else None
