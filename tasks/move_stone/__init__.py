"""Move a named stone to another intersection."""

from tasks.move_stone.task import MoveStone

__all__ = ["MoveStone"]
