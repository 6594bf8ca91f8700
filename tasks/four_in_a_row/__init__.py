"""Four in a row against an opponent."""

from tasks.four_in_a_row.task import FourInARow

__all__ = ["FourInARow"]
