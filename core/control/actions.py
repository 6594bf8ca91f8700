"""Four-dimensional actions: what they mean, how they are checked, how they move the commanded target.

An action is x, y, z and gripper opening in the robot's base frame R (x forward, y left, z up).
``delta``: xyz in [-1, 1] is added to the last *commanded* target, 1.0 being ``SPEED / control_hz``.
``absolute``: xyz in metres, approached on a straight line at the same speed limit. In both the gripper
is an absolute opening, 0 closed and 1 open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from core.errors import ActionError, Number, OptionError, check_choice, take_plain_numbers

ACTION_MODES = ("delta", "absolute")
RATES = tuple(hz for hz in range(1, 501) if 500 % hz == 0)  # Hz: whole numbers of physics steps
SPEED = 0.4  # m/s along each axis of R at full deflection

# The box that the tool centre point is commanded in (m, in R): the table in front of the robot. The
# lowest point is 5 mm above the table top, where the pads' edge (9.5 mm below the tool) presses on it.
# Every point of the box is reachable with the hand pointing down, at least 0.09 rad from joint limits.
WORKSPACE_LOW = (0.32, -0.34, -0.005)
WORKSPACE_HIGH = (0.66, 0.34, 0.30)

Point = tuple[float, float, float]
Coordinates: TypeAlias = Sequence[float] | npt.NDArray[np.floating[Any]]

_NAMES = ("x", "y", "z", "gripper")
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True)
class ActionSpec:
    """What one environment's actions mean.

    Attributes:
        mode: ``"delta"`` or ``"absolute"``.
        control_hz: actions per second.
        deeper: how far below the workspace's floor the target may go (m), for a table that stands lower.
        low, high: the declared box of an action, float32[4].
    """

    mode: str
    control_hz: int
    deeper: float = 0.0

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_choice("action_mode", self.mode, ACTION_MODES)
        if type(self.control_hz) is not int or self.control_hz not in RATES:
            raise OptionError(f"control_hz must divide 500, got {self.control_hz!r}; valid: {list(RATES)}")
        Number(whole=False, least=0, unit="metres").check("deeper", self.deeper)

    @cached_property
    def max_step(self) -> float:
        """How far the commanded target moves along one axis in one action (m)."""
        return SPEED / self.control_hz

    @cached_property
    def _box(self) -> tuple[list[float], list[float]]:
        return self.low.tolist(), self.high.tolist()

    @property
    def low(self) -> npt.NDArray[np.float32]:
        xyz = (
            (-1.0, -1.0, -1.0)
            if self.mode == "delta"
            else (*WORKSPACE_LOW[:2], WORKSPACE_LOW[2] - self.deeper)
        )
        return np.array([*xyz, 0.0], dtype=np.float32)

    @property
    def high(self) -> npt.NDArray[np.float32]:
        xyz = (1.0, 1.0, 1.0) if self.mode == "delta" else WORKSPACE_HIGH
        return np.array([*xyz, 1.0], dtype=np.float32)

    def holds(self, action: npt.NDArray[np.float32]) -> bool:
        """Whether an action, float32[4] and finite, lies in the declared box."""
        (x, y, z, g), ((lx, ly, lz, lg), (hx, hy, hz, hg)) = action.tolist(), self._box
        return bool(lx <= x <= hx and ly <= y <= hy and lz <= z <= hz and lg <= g <= hg)

    def advance(self, commanded: Coordinates, action: npt.NDArray[np.float32]) -> Point:
        """The next commanded target.

        Plain floats: this runs in every step, where three numbers are cheaper without an array.

        Args:
            commanded: the present one (m, in R).
            action: float32[4], checked and within the box.

        Returns:
            (x, y, z), inside the workspace.
        """
        x, y, z, _ = action.tolist()
        step, (cx, cy, cz) = self.max_step, commanded
        if self.mode == "delta":
            return self.clip((cx + x * step, cy + y * step, cz + z * step))
        x, y, z = x - cx, y - cy, z - cz
        farthest = max(abs(x), abs(y), abs(z))
        share = step / farthest if farthest > step else 1.0
        return self.clip((cx + x * share, cy + y * share, cz + z * share))

    def clip(self, target: Coordinates) -> Point:
        """The nearest point of the workspace (m, in R)."""
        (x, y, z), (lx, ly, lz), (hx, hy, hz) = target, WORKSPACE_LOW, WORKSPACE_HIGH
        return (min(max(x, lx), hx), min(max(y, ly), hy), min(max(z, lz - self.deeper), hz))

    def towards(self, commanded: Coordinates, target: Coordinates, opening: float) -> npt.NDArray[np.float32]:
        """The action, float32[4], that moves the commanded target straight towards ``target`` (m, in R)."""
        if self.mode == "absolute":
            return np.array([*target, opening], dtype=np.float32)
        offset = (np.asarray(target) - np.asarray(commanded)) / self.max_step
        return np.array([*(offset / max(1.0, abs(offset).max())), opening], dtype=np.float32)


def check_action(action: object) -> npt.NDArray[np.float32]:
    """Returns the action as float32[4].

    Raises:
        ActionError: naming the entry that is NaN or infinite, or the shape or kind that is wrong.
    """
    try:
        array = np.asarray(action)
    except (ValueError, TypeError) as error:
        raise ActionError(f"action must be four real numbers {_NAMES}, got {action!r}") from error
    if array.dtype.kind not in "iuf":
        raise ActionError(f"action must be real numbers, got dtype {array.dtype} ({action!r})")
    if array.shape != (4,):
        raise ActionError(f"action must have shape (4,) for {_NAMES}, got {array.shape}")
    for entry, value in enumerate(array.tolist()):
        if not -_FLOAT32_MAX <= value <= _FLOAT32_MAX:  # NaN is not within, either
            raise ActionError(f"action[{entry}] ({_NAMES[entry]}) is {value}, must be finite in float32")
    return array.astype(np.float32)
