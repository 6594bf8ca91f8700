"""What ``keypoint`` believes of the scene: the stone that it goes for, and where the goal is."""

from collections.abc import Mapping

import numpy as np

from bomb.models.keypoint.belief import (
    HEAD_ERROR,
    STONE_REACH,
    WRIST_STONE_REACH,
    Board,
    Spot,
    nearest_spot,
    wrist_error,
)
from bomb.models.keypoint.checkpoint import KeypointModel
from bomb.models.keypoint.eye import Seen
from bomb.models.keypoint.words import Read

SETTLED = 0.002  # m: what is known as well as this the head camera has nothing to say about


class SceneBelief:
    """Of one episode.

    Args:
        model: whose eyes look.

    Attributes:
        stone: the stone that is gone for; None before one was seen.
        board: where it is.
        seen: the last look of each camera, to be shown.
    """

    def __init__(self, model: KeypointModel):
        self._model = model
        self.stone: Spot | None = None
        self.board = Board()
        self.seen: dict[str, Seen] = {}

    def forget_stone(self) -> None:
        """Another stone, or another place, is to be found."""
        self.stone = None

    def goal(self, read: Read) -> Spot | None:
        """Where the stone belongs; None before the board was seen."""
        if self.board.pose is None:
            return None
        return Spot(self.board.point(read.row, read.column), self.board.error(read.row, read.column))

    def look(self, pictures: Mapping[str, np.ndarray], state: np.ndarray, read: Read, *, holds: bool) -> None:
        """Takes up a picture of each camera that has something to say.

        Args:
            pictures: uint8[H, W, 3] by camera.
            state: float64[4], proprioception.
            read: which stone and goal.
            holds: whether the stone is in the hand.
        """
        goal = self.goal(read)
        settled = goal is not None and goal.error < SETTLED
        if not holds:
            settled = settled and self.stone is not None and self.stone.error < SETTLED
        if not settled:
            seen = self.seen["head"] = self._model.eyes["head"].look(pictures["head"], state)
            self.board.saw_from_head(seen)
            if not holds:
                self._stone_from_head(seen, read.color, state[:2])
        seen = self.seen["wrist"] = self._model.eyes["wrist"].look(pictures["wrist"], state)
        self.board.saw_from_wrist(seen, state[:3])
        if not holds:
            self._stone_from_wrist(seen, read.color, state[:3])

    def _stone_from_head(self, seen: Seen, color: str, tool: np.ndarray) -> None:
        points, heats = seen.points[color], seen.heats[color]
        if self.stone is not None:
            found = nearest_spot(points, heats, self.stone.place, STONE_REACH)
            if found is not None:
                self.stone.update(points[found], HEAD_ERROR)
            return
        table = ~self.board.around(points)
        if self.board.pose is None or not table.any():
            return
        points = points[table]
        away = np.linalg.norm(points - tool, axis=1)
        self.stone = Spot(points[int(away.argmin())].copy(), HEAD_ERROR)

    def _stone_from_wrist(self, seen: Seen, color: str, tool: np.ndarray) -> None:
        points, heats = seen.points[color], seen.heats[color]
        near = np.linalg.norm(points - tool[:2], axis=1) < WRIST_STONE_REACH if len(points) else []
        if self.stone is None or not np.any(near):
            return
        found = nearest_spot(points[near], heats[near], self.stone.place, STONE_REACH)
        if found is not None:
            self.stone.update(points[near][found], wrist_error(float(tool[2])))
