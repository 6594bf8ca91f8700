"""The expert with a hand that shakes: a policy of which one can choose how good it is."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.policies.expert import Expert
from bomb.policies.world import Vector
from core.errors import Number, plain_numbers
from core.world.state import SceneState

STREAM = 0x6E6F6973  # "nois", so that no other use of (seed, step) draws the same numbers


class NoisyExpert(Expert):
    """The expert; what it aims at is off by N(0, sigma) metres along each axis, anew in every step.

    The noise is about the expert's target, not of its steps: it does not add up. The hand is no faster,
    and stays in the workspace. Noise of a step depends on ``(seed, step)`` alone.

    Args:
        sigma: standard deviation (m).

    Raises:
        OptionError: if ``sigma`` is not a finite number >= 0.
    """

    wants_step = True

    _shaken: Vector | None  # where the shaking hand was sent last

    def __init__(self, sigma: float = 0.008):
        sigma = plain_numbers(sigma)
        Number(whole=False, least=0, unit="metres").check("sigma of noisy_expert", sigma)
        self._sigma = float(sigma)

    def reset(self, instruction: str, seed: int, **truth: Any) -> None:
        """As the expert's; ``seed`` is that of the noise."""
        super().reset(instruction, seed, **truth)
        self._seed, self._shaken = seed, None

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], truth: SceneState | None = None, *, step: int
    ) -> npt.NDArray[np.float32]:
        """One action, float32[1, 4]."""
        shaken = self._shaken
        if shaken is None:
            shaken = np.asarray(observation["state"][:3], dtype=np.float64)
        ((*_, opening),) = super().act(observation, truth)
        noise = self._sigma * np.random.default_rng([STREAM, self._seed, step]).standard_normal(3)
        # From where the shaking hand was sent last to where the expert's is sent now, and off by the noise.
        action = self._spec.towards(shaken, self._spec.clip(self._commanded + noise), opening)
        self._shaken = np.array(self._spec.advance(shaken, action), dtype=np.float64)
        return action[None]

    def describe(self) -> dict[str, Any]:
        """``sigma`` in metres."""
        return {**super().describe(), "sigma": self._sigma}
