"""What happened in an episode so far, step by step, and the record that is made of it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.episode.record import EpisodeRecord
from core.judge.checker import MEASURE_DTYPE
from core.judge.measuring import Frame, stone_colors
from core.task import Episode
from core.world.state import SceneState


class EpisodeLog:
    """The series of an episode: a frame of measures per control step, the actions, the stones in play.

    Attributes:
        frames: what was measured; the first is the reset.
        times: of each frame (s since reset).
        actions: float32[4] each, as executed.
        stones: pool indices in play, of every move that was begun.
    """

    def __init__(self, layout: Frame, stones: np.ndarray):
        self.frames: list[Frame] = [layout]
        self.times: list[float] = [0.0]
        self.actions: list[npt.NDArray[np.float32]] = []
        self.stones: list[np.ndarray] = [stones]

    def record(
        self, about: dict[str, Any], episode: Episode, state: SceneState, segments: list[dict[str, Any]]
    ) -> EpisodeRecord:
        """The series as a record.

        Args:
            about: plain values, stored as they are.
            episode: what was played.
            state: the present one; stones that joined the game are in it.
            segments: of the referee, one per move that was begun.
        """
        last = state.stone_ids
        spans = [
            {**segment, "stones": np.searchsorted(last, stones).tolist()}
            for segment, stones in zip(segments, self.stones, strict=True)
        ]
        return EpisodeRecord(
            about={**about, "segments": spans},
            colors=stone_colors(episode.scene, state),
            times=np.array(self.times),
            tools=np.array([frame.p_BT for frame in self.frames], dtype=np.float32),
            openings=np.array([frame.opening for frame in self.frames], dtype=np.float32),
            measures=self._series(last),
            actions=np.array(self.actions, dtype=np.float32).reshape(-1, 4),
        )

    def _series(self, last: np.ndarray) -> np.ndarray:
        """array[T, S] of every measure; zeros where a stone was not in play yet."""
        if len(self.stones[0]) == len(last):
            # As bytes: NumPy copies structured arrays field by field, which takes twenty times as long.
            joined = bytearray().join([frame.measures.tobytes() for frame in self.frames])
            return np.frombuffer(joined, MEASURE_DTYPE).reshape(len(self.frames), len(last))
        series = np.zeros((len(self.frames), len(last)), dtype=MEASURE_DTYPE)
        by_count = {len(stones): np.searchsorted(last, stones) for stones in self.stones}
        for row, frame in zip(series, self.frames, strict=True):
            row[by_count[len(frame.measures)]] = frame.measures
        return series
