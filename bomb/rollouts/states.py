"""Layouts of the proprioceptive state: one place for exports, which models are trained on, and for bridges,
which models are fed from. A layout has a name, which both sides declare and compare."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.errors import check_choice
from core.world.scene import RobotSpec

# The hand points straight down: half a turn about x of the base, the same three numbers as axis-angle and as
# Euler angles (rad).
HAND_DOWN = (math.pi, 0.0, 0.0)


def _bomb(states: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return states


def _fingers(states: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    finger = states[..., 3:] * RobotSpec().max_finger_position
    down = np.broadcast_to(np.array(HAND_DOWN), (*states.shape[:-1], 3))
    return np.concatenate([states[..., :3], down, finger, -finger], axis=-1)


def _open_x(states: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    still = np.zeros((*states.shape[:-1], 4))
    return np.concatenate([states[..., :3], still, states[..., 3:]], axis=-1)


# Name of the option: (format as it is declared, how many numbers, how they are made).
LAYOUTS: dict[str, tuple[str, int, Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]]] = {
    "bomb": ("eef_pos3_opening1", 4, _bomb),
    "axis_angle": ("eef_pos3_axisangle3_gripper2", 8, _fingers),
    "euler": ("eef_pos3_euler3_gripper2", 8, _fingers),
    "open_x": ("eef_pos3_euler3_pad1_opening1", 8, _open_x),
}


def in_layout(layout: str, states: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """States in a layout, float32[..., 4 or 8].

    ``bomb``: tool centre point in R (m), opening 0..1. ``axis_angle``, ``euler``: position, (pi, 0, 0), and
    the positions of both fingers (m), the right one negative, as LIBERO has them. ``open_x``: position, roll,
    pitch and yaw of the tool away from pointing straight down, which are 0, padding 0, opening 0..1, as Open
    X-Embodiment's ``POS_EULER``. No layout knows how the hand nods: an observation does not have it.

    Args:
        layout: one of ``LAYOUTS``.
        states: float[..., 4], as observations have them.

    Raises:
        UnknownNameError: for another layout.
    """
    check_choice("layout of states", layout, LAYOUTS)
    return LAYOUTS[layout][2](np.asarray(states, dtype=np.float32)).astype(np.float32)
