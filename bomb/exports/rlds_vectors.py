"""States and actions as Open X-Embodiment data has them."""

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration
from bomb.rollouts.states import in_layout

STATE_LAYOUT = "open_x"
# Which entries of an action are normalised; the gripper is not.
MASK = (True,) * 6 + (False,)


def open_x_actions(actions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``EEF_POS``: float32[T, 7], x, y, z of the action, no rotation, gripper (0 closed, 1 open).

    Args:
        actions: float32[T, 4].
    """
    made = np.zeros((len(actions), 7), dtype=np.float32)
    made[:, :3], made[:, 6] = actions[:, :3], actions[:, 3]
    return made


def open_x_states(demonstration: Demonstration) -> npt.NDArray[np.float32]:
    """``POS_EULER``: float32[T, 8], x, y, z (m, in R), 0, 0, 0 (no rotation), padding 0, gripper (0..1).

    The layout ``open_x`` of ``bomb.rollouts.states``, which a model is fed at evaluation, too.
    """
    return in_layout(STATE_LAYOUT, demonstration.observations[:-1])
