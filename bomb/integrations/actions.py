"""What a model's action vector means, and how it becomes BOMB's x, y, z and gripper opening.

Names of formats are those of vla-eval's ``DimSpec``. All positions are in the robot's base frame (x
forward, y left, z up), which is also what robosuite and the Bridge data call their axes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.control.actions import ACTION_MODES
from core.errors import Number, OptionError, PolicyOutputError, check_choice

POSITIONS = {"delta": "delta_xyz", "absolute": "absolute_xyz"}  # by action mode
ROTATIONS = ("absent", "zero", "ignored")
ROTATION_FORMATS = ("axis_angle", "euler_xyz")  # three numbers that are zero where nothing turns
RAW = "raw"  # vla-eval's word for "no convention is declared"

# "zero" takes what a regression makes of a zero for one (rad).
ROTATION_TOLERANCE = 0.05
# A gripper value this far outside of its declared range is of another convention, not an overshoot.
GRIPPER_SLACK = 0.5


@dataclass(frozen=True, kw_only=True)
class GripperFormat:
    """How a gripper value says open and closed.

    Attributes:
        low, high: the declared range.
        closes: "above" or "below" the middle of the range, the middle itself included, as robosuite's
            adapters have it; None where the value is the opening.
    """

    low: float
    high: float
    closes: str | None

    def opening(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """real[k], 0 closed to 1 open."""
        if self.closes is None:
            return values
        middle = (self.low + self.high) / 2
        return (values < middle if self.closes == "above" else values > middle).astype(np.float32)


GRIPPERS = {
    "continuous_01": GripperFormat(low=0, high=1, closes=None),
    "binary_close_positive": GripperFormat(low=-1, high=1, closes="above"),
    "binary_close_negative": GripperFormat(low=-1, high=1, closes="below"),
    "binary_close_01": GripperFormat(low=0, high=1, closes="above"),
}


@dataclass(frozen=True, kw_only=True)
class ActionConvention:
    """What the numbers of a model's action mean.

    Attributes:
        action_mode: ``delta`` or ``absolute``, as in ``core.make_task``.
        rotation: ``absent``: four numbers, x, y, z, gripper. ``zero``: seven, of which the rotation must be
            zero, as BOMB's hand always points down. ``ignored``: seven, of which the rotation is dropped.
        gripper: one of ``GRIPPERS``.
        delta_scale: what the model's delta of 1.0 is in BOMB's, which is 0.4 m/s / control_hz (20 mm at
            20 Hz): 2.5 for a model that means 50 mm, as in LIBERO, 50 for one that means metres.
    """

    action_mode: str = "delta"
    rotation: str = "absent"
    gripper: str = "continuous_01"
    delta_scale: float = 1.0

    def __post_init__(self) -> None:
        check_choice("action_mode", self.action_mode, ACTION_MODES)
        check_choice("rotation", self.rotation, ROTATIONS)
        check_choice("gripper", self.gripper, GRIPPERS)
        scale = self.delta_scale
        Number(whole=False, above=0).check("delta_scale", scale)
        if self.action_mode == "absolute" and scale != 1:
            raise OptionError(
                f"delta_scale is for deltas; with action_mode 'absolute' it is 1, got {scale!r}"
            )

    @property
    def dims(self) -> int:
        """Numbers in an action: 4, or 7 with a rotation."""
        return 4 if self.rotation == "absent" else 7

    def to_bomb(self, actions: object) -> npt.NDArray[np.float32]:
        """BOMB's actions, float32[k, 4].

        Args:
            actions: real numbers of shape (dims,) or, a chunk, (k, dims).

        Raises:
            PolicyOutputError: for another shape, a value that is not finite, a rotation that is neither zero
                nor ignored, or a gripper value of another convention.
        """
        try:
            chunk = np.asarray(actions)
        except (ValueError, TypeError) as error:
            raise PolicyOutputError(
                f"actions must be an array of numbers, got {str(actions)[:200]!r}"
            ) from error
        if chunk.dtype.kind not in "iuf":
            raise PolicyOutputError(
                f"actions must be real numbers, got dtype {chunk.dtype} ({str(actions)[:200]!r})"
            )
        given, chunk = chunk.shape, np.atleast_2d(chunk)
        if chunk.ndim != 2 or not len(chunk) or chunk.shape[1] != self.dims:
            raise PolicyOutputError(
                f"actions must have shape ({self.dims},) or (k, {self.dims}) with rotation "
                f"{self.rotation!r}, got {given}; rotation 'absent' takes 4 numbers, "
                "'zero' and 'ignored' take 7"
            )
        if not np.isfinite(chunk).all():
            row, entry = np.argwhere(~np.isfinite(chunk))[0]
            raise PolicyOutputError(
                f"action {row} of the chunk has {chunk[row, entry]} at {entry}: {chunk[row]}"
            )
        self._check_rotation(chunk)
        self._check_gripper(chunk[:, -1])
        result = np.empty((len(chunk), 4), dtype=np.float32)
        result[:, :3] = chunk[:, :3] * self.delta_scale
        result[:, 3] = GRIPPERS[self.gripper].opening(chunk[:, -1])
        return result

    def _check_rotation(self, chunk: npt.NDArray[Any]) -> None:
        if self.rotation == "zero" and (size := float(np.abs(chunk[:, 3:6]).max())) > ROTATION_TOLERANCE:
            raise PolicyOutputError(
                f"an action turns the hand by {size:.3g}, which BOMB cannot; rotation 'ignored' drops it"
            )

    def _check_gripper(self, values: npt.NDArray[Any]) -> None:
        form = GRIPPERS[self.gripper]
        beyond = np.maximum(form.low - values, values - form.high)
        worst = int(beyond.argmax())
        if beyond[worst] > GRIPPER_SLACK:
            raise PolicyOutputError(
                f"gripper value {values[worst]:.3g} is not {self.gripper!r} ({form.low}..{form.high}); "
                f"conventions: {', '.join(GRIPPERS)}"
            )

    # ---- what a server declares -------------------------------------------------------------

    def formats(self) -> dict[str, tuple[str, ...]]:
        """By component of an action: the formats that may be declared for it."""
        rotation = {} if self.rotation == "absent" else {"rotation": ROTATION_FORMATS}
        return {"position": (POSITIONS[self.action_mode],), **rotation, "gripper": (self.gripper,)}

    def mismatches(self, declared: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """What a server's declared action spec, plain dicts, contradicts; empty if nothing.

        A component that is not declared, or declared as ``raw``, contradicts nothing.
        """
        known, found = self.formats(), []
        for component, spec in declared.items():
            form = spec.get("format")
            if form == RAW:
                continue
            if component not in known:
                found.append(undeclared(component, form))
            elif form not in known[component]:
                found.append(mismatch(component, form, known[component]))
        return found


# Which option says what a component means.
OPTIONS = {"position": "action_mode", "rotation": "rotation", "gripper": "gripper", "state": "state"}


def mismatch(component: str, declared: object, taken: tuple[str, ...]) -> str:
    """Words for a component that is declared in one format and taken in another."""
    return (
        f"{component}: the server declares {declared!r}, BOMB is set to {' or '.join(map(repr, taken))} "
        f"by {OPTIONS[component]}"
    )


def undeclared(component: str, declared: object) -> str:
    """Words for a component that BOMB's actions do not have."""
    if component == "rotation":
        return f"rotation: the server declares {declared!r}; set rotation to 'zero' or 'ignored'"
    return f"{component}: the server declares {declared!r}, which BOMB has no use for"
