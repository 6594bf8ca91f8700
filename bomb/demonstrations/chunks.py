"""Action chunks of a demonstration: the actions that follow a moment, also near the episode's end."""

import numpy as np


def held(actions: np.ndarray, length: int, mode: str) -> np.ndarray:
    """A chunk, float32[length, 4], of the actions that are left; after the last one nothing moves.

    Beyond the end deltas are zero, absolute positions and the gripper stay as they were.

    Args:
        actions: float32[n, 4] from the moment on, n of at least 1.
        length: of the chunk.
        mode: of the actions, ``delta`` or ``absolute``.
    """
    real = actions[:length]
    still = real[-1:].copy()
    if mode == "delta":
        still[:, :3] = 0.0
    return np.concatenate([real, np.repeat(still, length - len(real), axis=0)])
