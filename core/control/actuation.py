"""What becomes of an action before the controller gets it: it may come late, and it may jitter."""

from collections import deque

import numpy as np
import numpy.typing as npt

from core.control.actions import ActionSpec
from core.perturbations.base import Actuation
from core.seeding import stream


class Actuator:
    """Delays and jitters the actions of one episode; without perturbations it hands them on as they are.

    Args:
        actuation: latency and noise.
        spec: what actions mean.
        split, seed: of the episode, from which the noise is drawn.
        hold: what is carried out until the first action arrives.

    Attributes:
        pending: actions that are still on their way, oldest first.
    """

    def __init__(
        self, actuation: Actuation, spec: ActionSpec, *, split: str, seed: int, hold: npt.NDArray[np.float32]
    ):
        self._spec, self._sigma = spec, actuation.noise
        self._split, self._seed = split, seed
        self.pending = deque(hold.copy() for _ in range(actuation.latency))

    def __call__(self, action: npt.NDArray[np.float32], period: int) -> npt.NDArray[np.float32]:
        """The action, float32[4], that is carried out in control period ``period`` of the episode."""
        if self.pending:
            self.pending.append(action)
            action = self.pending.popleft()
        if self._sigma == 0.0:
            return action
        # Jitter about the target, not of the steps: in delta mode the last one is taken back.
        jitter = self._jitter(period)
        if self._spec.mode == "delta":
            jitter = (jitter - self._jitter(period - 1)) / self._spec.max_step
        return action + np.array([*jitter, 0.0], dtype=np.float32)

    def hold(self, action: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What does nothing: the controller's ``action`` for it, or what is still on its way."""
        if not self.pending:
            return action
        last = self.pending[-1].copy()
        if self._spec.mode == "delta":
            last[:3] = 0.0
        return last

    def _jitter(self, period: int) -> npt.NDArray[np.float64]:
        if period < 0:
            return np.zeros(3)
        return self._sigma * stream(
            self._split, self._seed, f"perturbation:action_noise:{period}"
        ).standard_normal(3)
