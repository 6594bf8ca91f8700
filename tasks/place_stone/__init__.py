"""Place a stone of the named colour on the named intersection."""

from tasks.place_stone.task import PlaceStone

__all__ = ["PlaceStone"]
