"""Take a named stone off the board."""

from tasks.remove_stone.task import RemoveStone

__all__ = ["RemoveStone"]
