"""Policies that look at nothing: what chance and doing nothing score."""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.control.actions import ActionSpec
from core.errors import check_integer
from core.policy import Policy

DELTA = ActionSpec(mode="delta", control_hz=20)


class RandomPolicy(Policy):
    """Uniform actions, each kept for ``repeat`` steps so that the arm gets somewhere.

    Raises:
        OptionError: if ``repeat`` is not an integer from 1 to 1000.
    """

    wants_action_spec = True
    cameras = ()

    def __init__(self, *, repeat: int = 4):
        self._repeat = check_integer("repeat", repeat, least=1, most=1000)

    def reset(self, instruction: str, seed: int, *, action_spec: ActionSpec = DELTA) -> None:
        self._rng, self._low, self._high = np.random.default_rng(seed), action_spec.low, action_spec.high

    def act(self, observation: dict[str, Any]) -> npt.NDArray[np.float32]:
        action = [*self._rng.uniform(self._low[:3], self._high[:3]), self._rng.integers(2)]
        return np.tile(np.array(action, dtype=np.float32), (self._repeat, 1))


class HoldPolicy(Policy):
    """Stays where it is with the gripper open."""

    wants_action_spec = True
    cameras = ()

    def reset(self, instruction: str, seed: int, *, action_spec: ActionSpec = DELTA) -> None:
        self._place = np.zeros(3) if action_spec.mode == "delta" else None

    def act(self, observation: dict[str, Any]) -> npt.NDArray[np.float32]:
        if self._place is None:
            self._place = observation["state"][:3].copy()
        return np.array([[*self._place, 1.0]], dtype=np.float32)
