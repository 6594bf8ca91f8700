"""The same motion in another convention: delta and absolute actions, and actions that do nothing."""

import numpy as np
import numpy.typing as npt

from core.control.actions import ActionSpec
from core.errors import check_choice

# A commanded motion of at most this share of the speed limit along every axis is none (0.02 mm at 20 Hz).
NOOP_MOTION = 1e-3
# A commanded opening that differs by at most this from the one before is the same.
NOOP_OPENING = 1e-3


def converted(
    actions: npt.NDArray[np.float32], start: npt.NDArray[np.floating], spec: ActionSpec, convention: str
) -> npt.NDArray[np.float32]:
    """Actions in the other convention, which command the same targets.

    Args:
        actions: float32[T, 4], as ``spec`` means them.
        start: float[3], the tool centre point in R when the episode began (m); the first commanded target.
        spec: what the actions mean now.
        convention: ``delta`` or ``absolute``.

    Returns:
        float32[T, 4]. ``absolute``: the target that was commanded, inside the workspace. ``delta``: how far
        it moved, in units of the speed limit.
    """
    check_choice("action convention", convention, ("delta", "absolute"))
    if spec.mode == convention:
        return actions.astype(np.float32)
    targets = commanded_targets(actions, start, spec)
    made = np.empty((len(actions), 4), dtype=np.float32)
    made[:, 3] = actions[:, 3]
    made[:, :3] = targets[1:] if convention == "absolute" else np.diff(targets, axis=0) / spec.max_step
    return made


def commanded_targets(
    actions: npt.NDArray[np.float32], start: npt.NDArray[np.floating], spec: ActionSpec
) -> npt.NDArray[np.float64]:
    """float64[T + 1, 3], the commanded target (m, in R) before the first action and after each."""
    x, y, z = start.tolist()
    targets: list[tuple[float, float, float]] = [(x, y, z)]
    for action in actions:
        targets.append(spec.advance(targets[-1], action))
    return np.array(targets, dtype=np.float64).reshape(-1, 3)


def is_noop(deltas: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Which actions command nothing new: bool[T].

    An action is one when it moves the commanded target by at most ``NOOP_MOTION`` along every axis and asks
    for the opening that the action before it asked for (within ``NOOP_OPENING``); before the first action
    the gripper is open. This is LIBERO's criterion, as OpenVLA's data preparation uses it, with a threshold
    in BOMB's unit. Waiting for the gripper to close counts as doing nothing.

    Args:
        deltas: float[T, 4] in the delta convention.
    """
    before = np.concatenate([[1.0], deltas[:-1, 3]])
    still = (np.abs(deltas[:, :3]) <= NOOP_MOTION).all(axis=1)
    noop: npt.NDArray[np.bool_] = still & (np.abs(deltas[:, 3] - before) <= NOOP_OPENING)
    return noop
