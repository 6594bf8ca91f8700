"""What a move asks for: an intersection, a region of the table, or a pattern of stones."""

from dataclasses import dataclass
from typing import Any, TypeVar

from core.board.boards import COLORS, Board, Cell, with_cell
from core.errors import NATURAL, Number, OptionError, check_choice, check_numbers, take_plain_numbers

METRES = Number(whole=False, unit="metres")


@dataclass(frozen=True, kw_only=True)
class Intersection:
    """A stone of ``color`` on the intersection (``row``, ``column``), both from 0.

    Attributes:
        source: the intersection whose stone is meant; None: any stone of the colour will do.

    Raises:
        UnknownNameError, OptionError: for another colour, or numbers that are none.
    """

    color: str
    row: int
    column: int
    source: Cell | None = None

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_choice("colour", self.color, COLORS)
        check_numbers(self, {"row": NATURAL, "column": NATURAL})
        _check_source(self.source)

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

    Raises:
        UnknownNameError, OptionError: for another colour, or numbers that are none.
    """

    color: str
    center: tuple[float, float]
    half_size: tuple[float, float]
    source: Cell | None = None

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_choice("colour", self.color, COLORS)
        for name, number in (("center", METRES), ("half_size", Number(whole=False, above=0))):
            _check_pair(name, getattr(self, name), number)
        _check_source(self.source)

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


def _check_source(source: object) -> None:
    if source is not None:
        _check_pair("source", source, NATURAL)


def _check_pair(name: str, pair: object, number: Number) -> None:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise OptionError(f"{name} must be two numbers, got {pair!r}")
    for value in pair:
        number.check(name, value)


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
