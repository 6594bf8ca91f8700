"""The compiled placement checker (csrc/); core.judge.checker is its public face."""

from collections.abc import Sequence
from typing import Any, Protocol, final

import numpy as np
import numpy.typing as npt

class _Tolerances(Protocol):
    """Any object with these; ``core.judge.checker.Tolerances`` is the one that is used."""

    @property
    def distance(self) -> float: ...
    @property
    def tilt(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def clearance(self) -> float: ...
    @property
    def speed(self) -> float: ...
    @property
    def spin(self) -> float: ...
    @property
    def rest_time(self) -> float: ...
    @property
    def displacement(self) -> float: ...
    @property
    def reach(self) -> float: ...
    @property
    def lift(self) -> float: ...
    @property
    def drop(self) -> float: ...
    @property
    def wrong_move(self) -> float: ...

MEASURE_DTYPE: np.dtype[np.void]
TOUCH_DISTANCE: float
DISTANCE_CAP: float
MAX_STONES: int
NOT_HELD: float
REASONS: tuple[str, ...]
STATUSES: tuple[str, ...]
STAGES: tuple[str, ...]
INT_ACT: tuple[str, ...]

@final
class Geometry:
    def __init__(
        self,
        *,
        board_pose: npt.ArrayLike,
        board_half_size: npt.ArrayLike,
        size: int,
        pitch: float,
        table_pose: npt.ArrayLike,
        table_half_size: npt.ArrayLike,
        stone_hull: npt.ArrayLike,
        finger_boxes: Sequence[npt.ArrayLike],
    ) -> None: ...
    def moved(self, *, board_pose: npt.ArrayLike, table_pose: npt.ArrayLike) -> Geometry: ...
    def measure(
        self, stone_poses: npt.ArrayLike, stone_velocities: npt.ArrayLike, finger_poses: npt.ArrayLike
    ) -> npt.NDArray[np.void]: ...
    def nearest(
        self, stone_positions: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8], npt.NDArray[np.float32]]: ...
    def sweep(
        self,
        chain: FingerChain,
        joint_positions: npt.ArrayLike,
        stone_poses: npt.ArrayLike,
        before: npt.NDArray[np.void],
        after: npt.NDArray[np.void],
    ) -> npt.NDArray[np.void]: ...

@final
class FingerChain:
    def __init__(self, *, placements: npt.ArrayLike, axes: npt.ArrayLike) -> None: ...
    def fingers(
        self, joint_positions: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...

def worth_tracing(
    measures: npt.NDArray[np.void], tool_position: npt.ArrayLike, reach: float, rise: float
) -> bool: ...

@final
class Verdict:
    @property
    def success(self) -> bool: ...
    @property
    def success_once(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def reasons(self) -> tuple[str, ...]: ...
    @property
    def stage(self) -> str: ...
    @property
    def stone(self) -> int: ...
    @property
    def distance_mm(self) -> float: ...
    @property
    def offset_mm(self) -> tuple[float, float]: ...
    @property
    def tilt(self) -> float: ...
    @property
    def others_moved_mm(self) -> float: ...
    @property
    def occupancy(self) -> npt.NDArray[np.uint8]: ...
    def stage_dict(self) -> dict[str, bool]: ...
    def unfinished(self) -> Verdict: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, other: object) -> bool: ...
    def __repr__(self) -> str: ...

@final
class EpisodeJudge:
    def __init__(
        self,
        *,
        size: int,
        pitch: float,
        colors: Sequence[int],
        goal_color: int,
        goal_row: int = -1,
        goal_column: int = -1,
        goal_stone: int = -1,
        region: npt.ArrayLike | None = None,
        tolerances: _Tolerances,
        layout: npt.NDArray[np.void],
        tool_position: npt.ArrayLike,
    ) -> None: ...
    def update(
        self, time: float, tool_position: npt.ArrayLike, opening: float, measures: npt.NDArray[np.void]
    ) -> bool: ...
    def verdict(self) -> Verdict: ...
    def rejudge(
        self,
        times: npt.ArrayLike,
        tools: npt.ArrayLike,
        openings: npt.ArrayLike,
        measures: npt.NDArray[np.void],
    ) -> Verdict: ...
    @property
    def success(self) -> bool: ...
    @property
    def success_once(self) -> bool: ...
    def get_state(self) -> bytes: ...
    def set_state(self, state: bytes) -> None: ...
