"""What ``keypoint`` believes of the scene: the stone that it goes for, and where the goal is."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bomb.models.keypoint.belief import Spot, nearest_spot
from bomb.models.keypoint.board import HEAD_ERROR, Board, wrist_error
from bomb.models.keypoint.checkpoint import KeypointModel
from bomb.models.keypoint.eye import Detections, decoded
from bomb.models.keypoint.words import Read

STONE_REACH = 0.035  # m: a stone this near to where one is believed is the same one
WRIST_STONE_REACH = 0.055  # m around the tool
BESIDE_BOARD = 0.012  # m beyond the grid: a stone farther out lies on the table
SETTLED = 0.002  # m: what is known as well as this the head camera has nothing to say about
SURE_SHARE = 0.5  # of the hottest peak: a stone that is gone for must be as hot as this
OVER = 0.030  # m: with the tool this near, seen from above, the wrist camera would see a stone
UNSEEN = 3  # looks in which it does not, before the stone is taken for none


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
        self.seen: dict[str, Detections] = {}
        # Where the reference points were in each look: cameras stay where they are during an episode.
        self._places: dict[str, list[npt.NDArray[np.float32]]] = {}
        self._none: list[npt.NDArray[np.float64]] = []  # places where no stone was, from near
        self._unseen = 0

    def forget_stone(self) -> None:
        """Another stone, or another place, is to be found."""
        self.stone, self._unseen = None, 0

    def goal(self, read: Read) -> Spot | None:
        """Where the stone belongs; None before the board was seen."""
        if self.board.pose is None:
            return None
        return Spot(self.board.point(read.row, read.column), self.board.error(read.row, read.column))

    def look(
        self,
        pictures: Mapping[str, npt.NDArray[np.uint8]],
        state: npt.NDArray[np.float64],
        read: Read,
        *,
        holds: bool,
    ) -> None:
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
            seen = self._see("head", pictures, state)
            self.board.saw_from_head(seen)
            if not holds:
                self._stone_from_head(seen, read.color, state[:2])
        seen = self._see("wrist", pictures, state)
        self.board.saw_from_wrist(seen, state[:3])
        if not holds:
            self._stone_from_wrist(seen, read.color, state[:3])

    def _see(
        self, camera: str, pictures: Mapping[str, npt.NDArray[np.uint8]], state: npt.NDArray[np.float64]
    ) -> Detections:
        heat, offsets, places = self._model.eyes[camera].maps(pictures[camera], state)
        before = self._places.setdefault(camera, [])
        before.append(places)
        seen = decoded(heat, offsets, np.mean(before, axis=0), camera, state)
        self.seen[camera] = seen
        return seen

    def _stone_from_head(self, seen: Detections, color: str, tool: npt.NDArray[np.float64]) -> None:
        points, heats = seen.points[color], seen.heats[color]
        if self.stone is not None:
            found = nearest_spot(points, self.stone.place, STONE_REACH)
            if found is not None:
                self.stone.update(points[found], HEAD_ERROR)
            return
        if self.board.pose is None or not len(points):
            return
        good = ~self.board.around(points, BESIDE_BOARD) & (heats >= SURE_SHARE * heats.max())
        for place in self._none:
            good &= np.linalg.norm(points - place, axis=1) > OVER
        if good.any():
            away = np.linalg.norm(points[good] - tool, axis=1)
            self.stone = Spot(points[good][int(away.argmin())].copy(), HEAD_ERROR)

    def _stone_from_wrist(self, seen: Detections, color: str, tool: npt.NDArray[np.float64]) -> None:
        if self.stone is None:
            return
        points = seen.points[color]
        near = points[np.linalg.norm(points - tool[:2], axis=1) < WRIST_STONE_REACH]
        found = nearest_spot(near, self.stone.place, STONE_REACH)
        if found is not None:
            self._unseen = 0
            self.stone.update(near[found], wrist_error(float(tool[2])))
        elif np.linalg.norm(self.stone.place - tool[:2]) < OVER:
            self._unseen += 1
            if self._unseen >= UNSEEN:
                self._none.append(self.stone.place)
                self.forget_stone()
