"""What a move asks for: an intersection, a region of the table, or a pattern of stones."""

from dataclasses import dataclass
from typing import Any, TypeVar

from core.board.boards import COLORS, Board, Cell, with_cell
from core.errors import OptionError


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

    def to_dict(self) -> dict[str, Any]:
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

    def to_dict(self) -> dict[str, Any]:
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

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for ``info`` and files."""
        return {"kind": "pattern", "stones": [stone.to_dict() for stone in self.stones]}


Goal = Intersection | Region | Pattern
Kind = TypeVar("Kind", Intersection, Region, Pattern)


def goal_of(kind: type[Kind], goal: Goal) -> Kind:
    """``goal``, which must be of one kind: a task that asks for nothing else reads its goals so.

    Raises:
        OptionError: if it is of another.
    """
    if not isinstance(goal, kind):
        raise OptionError(f"the goal must be of kind {kind.__name__}, got {goal!r}")
    return goal


def alternatives(goal: Goal) -> tuple[Intersection | Region, ...]:
    """The single placements, any of which fulfils ``goal``."""
    return goal.stones if isinstance(goal, Pattern) else (goal,)


def board_after(board: Board, goal: Intersection | Region) -> Board:
    """The board when ``goal`` has been reached."""
    if goal.source is not None:
        board = with_cell(board, goal.source, 0)
    return (
        with_cell(board, (goal.row, goal.column), COLORS[goal.color])
        if isinstance(goal, Intersection)
        else board
    )
