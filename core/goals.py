"""What a move asks for: an intersection, a region of the table, or a pattern of stones."""

from dataclasses import dataclass

Cell = tuple[int, int]  # row, column, both from 0
Board = tuple[tuple[int, ...], ...]  # colours by row and column: 0 empty, 1 black, 2 white

COLORS = {"black": 1, "white": 2}
COLOR_NAMES = {number: name for name, number in COLORS.items()}


@dataclass(frozen=True, kw_only=True)
class Intersection:
    """A stone of ``color`` on the intersection (``row``, ``column``), both from 0.

    Attributes:
        source: the intersection whose stone is meant; None: any stone of the colour will do.
    """

    color: str
    row: int
    column: int
    source: Cell | None = None

    def to_dict(self) -> dict:
        """Plain values, for ``info`` and files."""
        plain = {"kind": "intersection", "color": self.color, "row": self.row, "column": self.column}
        return plain if self.source is None else {**plain, "source": list(self.source)}


@dataclass(frozen=True, kw_only=True)
class Region:
    """A stone of ``color`` wholly inside a marked rectangle of the table.

    Attributes:
        center: of the rectangle, in W (m).
        half_size: half its edges, along the axes of W (m).
        source: the intersection whose stone is meant; None: any stone of the colour will do.
    """

    color: str
    center: tuple[float, float]
    half_size: tuple[float, float]
    source: Cell | None = None

    def to_dict(self) -> dict:
        """Plain values, for ``info`` and files."""
        plain = {
            "kind": "region",
            "color": self.color,
            "center": list(self.center),
            "half_size": list(self.half_size),
        }
        return plain if self.source is None else {**plain, "source": list(self.source)}


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Any of the ``stones``, which are intersections with colours: the order is free."""

    stones: tuple[Intersection, ...]

    def to_dict(self) -> dict:
        """Plain values, for ``info`` and files."""
        return {"kind": "pattern", "stones": [stone.to_dict() for stone in self.stones]}


Goal = Intersection | Region | Pattern


def alternatives(goal: Goal) -> tuple[Intersection | Region, ...]:
    """The single placements, any of which fulfils ``goal``."""
    return goal.stones if isinstance(goal, Pattern) else (goal,)


def empty_board(size: int) -> Board:
    """A board without stones."""
    return ((0,) * size,) * size


def with_cell(board: Board, cell: Cell, color: int) -> Board:
    """The board with another content of one intersection."""
    row, column = cell
    line = (*board[row][:column], color, *board[row][column + 1 :])
    return (*board[:row], line, *board[row + 1 :])


def board_after(board: Board, goal: Intersection | Region) -> Board:
    """The board when ``goal`` has been reached."""
    if goal.source is not None:
        board = with_cell(board, goal.source, 0)
    return with_cell(board, (goal.row, goal.column), COLORS[goal.color]) if isinstance(goal, Intersection) else board


def draw_board(board: Board) -> str:
    """The board as text: ``X`` black, ``O`` white, row 0 at the top."""
    head = "  " + " ".join(str(column) for column in range(len(board)))
    lines = [f"{row} " + " ".join(".XO"[value] for value in line) for row, line in enumerate(board)]
    return "\n".join([head, *lines])
