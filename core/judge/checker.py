"""The placement checker: what a state measures, and what an episode amounts to.

`PlacementChecker` turns the poses of one state into numbers, stone by stone. `EpisodeJudge` folds
those numbers over time into a `Verdict`: success or the reason why not. Both are C++ (`csrc/`),
know no simulator, and see shapes and poses only, never an engine's own contacts. `docs/checker.md`
says in full what is measured and what each word means.
"""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from numpy.typing import ArrayLike

from core._checker import (
    DISTANCE_CAP,
    INT_ACT,
    MAX_STONES,
    MEASURE_DTYPE,
    NOT_HELD,
    REASONS,
    STAGES,
    STATUSES,
    TOUCH_DISTANCE,
    EpisodeJudge,
    FingerChain,
    Geometry,
    Verdict,
    worth_tracing,
)
from core.errors import Number, check_numbers, take_plain_numbers

__all__ = [
    "BLACK",
    "DISTANCE_CAP",
    "INT_ACT",
    "MAX_STONES",
    "MEASURE_DTYPE",
    "NOT_HELD",
    "REASONS",
    "STAGES",
    "STATUSES",
    "TOUCHES",
    "TOUCH_DISTANCE",
    "VERDICTS",
    "WHITE",
    "EpisodeJudge",
    "FingerChain",
    "Geometry",
    "PlacementChecker",
    "Tolerances",
    "Verdict",
    "touch_names",
    "worth_tracing",
]

# Grows when the same series of states gets another verdict.
VERDICTS = 4

# Colours of stones, as the judge and the occupancy of a board count them (0 is an empty intersection).
BLACK = 1
WHITE = 2

# Bits of the fields `touches` and `since` of a measure.
TOUCHES = {
    "board": 1,
    "table": 2,
    "stone": 4,
    "left_finger": 8,
    "right_finger": 16,
    "left_pad": 32,
    "right_pad": 64,
    "held": 128,
}


def touch_names(touches: int) -> list[str]:
    """The names of the bits set in `touches`."""
    return [name for name, bit in TOUCHES.items() if int(touches) & bit]


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """How exact a placement must be, and from where on the stage flags count.

    Every limit is inclusive (`<=`) except `clearance`, which must be exceeded, and those of movement
    (`displacement`, `lift`, `drop`, `wrong_move`), beyond which a thing has happened.

    Attributes:
        distance: of the stone's centre from the goal, horizontally (m).
        tilt: of the stone's axis from the board's normal (rad); 10 degrees.
        gap: of the stone's lowest point from the board's top, above or below (m).
        clearance: of both pads from the stone (m).
        speed: (m/s).
        spin: (rad/s).
        rest_time: for how long the stone was slower than both, without a break (s).
        displacement: of any other stone from where it started (m).
        reach: from a pad to a stone that counts as reached (m).
        lift: of a stone's lowest point above where it was at reset (m).
        drop: height of a stone above the board's top that makes letting go a drop; for a region, above what
            is below it (m).
        wrong_move: of a stone from its start that counts as having moved it (m).

    Raises:
        OptionError: for what is not a number from 0 up.
    """

    distance: float = 0.010
    tilt: float = math.radians(10.0)
    gap: float = 0.001
    clearance: float = 0.001
    speed: float = 0.005
    spin: float = 0.5
    rest_time: float = 0.5
    displacement: float = 0.010
    reach: float = 0.015
    lift: float = 0.020
    drop: float = 0.010
    wrong_move: float = 0.010

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_numbers(self, dict.fromkeys(self.__dataclass_fields__, Number(whole=False, least=0)))


class PlacementChecker:
    """Measures stones against one board, one table and two fingers.

    All poses are position (m) and quaternion wxyz, seven numbers. The board frame B has its origin
    at the middle of the intersections, on the top surface; x_B runs along the columns, z_B up, and
    row 0 is at the greatest y_B.

    Args:
        board_pose: (7,) pose of B in the world.
        board_half_size: (3,) half edges of the board's box; its top face is z_B = 0.
        size: intersections along an edge, 1 to 99.
        pitch: distance between neighbouring intersections (m).
        table_pose: (7,) pose of the centre of the table top's box in the world.
        table_half_size: (3,) half edges of that box.
        stone_hull: (V, 3) vertices in the stone's frame: origin at the centre of mass, axis z.
        finger_boxes: left and right finger, each (K, 10): centre, quaternion and half size of its
            boxes in the frame of the finger's link; the last box is the pad.

    Raises:
        ValueError: a shape, a number or a quaternion is not what it must be; the message names it.
    """

    def __init__(
        self,
        *,
        board_pose: ArrayLike,
        board_half_size: ArrayLike,
        size: int,
        pitch: float,
        table_pose: ArrayLike,
        table_half_size: ArrayLike,
        stone_hull: ArrayLike,
        finger_boxes: Sequence[ArrayLike],
    ) -> None:
        self.size = int(size)
        self.pitch = float(pitch)
        geometry = Geometry(
            board_pose=board_pose,
            board_half_size=board_half_size,
            size=size,
            pitch=pitch,
            table_pose=table_pose,
            table_half_size=table_half_size,
            stone_hull=stone_hull,
            finger_boxes=finger_boxes,
        )
        self._take(geometry)

    def moved(self, *, board_pose: ArrayLike, table_pose: ArrayLike) -> "PlacementChecker":
        """The same checker with board and table elsewhere, made in no time.

        Raises:
            ValueError: a shape, a number or a quaternion is not what it must be; the message names it.
        """
        other = copy(self)
        other._take(self.geometry.moved(board_pose=board_pose, table_pose=table_pose))
        return other

    def _take(self, geometry: Geometry) -> None:
        self.geometry = geometry
        # The compiled methods themselves: no Python frame between the control loop and C++.
        self.measure = geometry.measure
        self.nearest = geometry.nearest
        self.sweep = geometry.sweep
