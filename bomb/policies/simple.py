"""Policies that look at nothing: what chance and doing nothing score."""

import numpy as np

from core.policy import Policy


class RandomPolicy(Policy):
    """Uniform actions, each kept for ``repeat`` steps so that the arm gets somewhere."""

    def __init__(self, *, repeat: int = 4):
        self._repeat = repeat

    def reset(self, instruction: str, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, observation: dict) -> np.ndarray:
        action = [*self._rng.uniform(-1, 1, 3), self._rng.integers(2)]
        return np.tile(np.array(action, dtype=np.float32), (self._repeat, 1))


class HoldPolicy(Policy):
    """Stays where it is with the gripper open, in ``delta`` mode."""

    def reset(self, instruction: str, seed: int) -> None:
        pass

    def act(self, observation: dict) -> np.ndarray:
        return np.array([[0.0, 0.0, 0.0, 1.0]], dtype=np.float32)
