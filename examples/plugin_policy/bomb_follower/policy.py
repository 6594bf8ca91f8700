"""Looks at the picture, and drives the open gripper towards the side on which the stones of a colour lie."""

import numpy as np

from core import ActionSpec, OptionError, Policy

TONES = {"dark": (0, 40), "light": (190, 255)}  # brightness out of 255
CHUNK = 4  # actions until it looks again
PUSH = 0.5  # of the fastest


class Follower(Policy):
    """Follows the dark or the light spots of the head picture from side to side; grasps nothing.

    Args:
        tone: ``"dark"`` or ``"light"``.

    Raises:
        OptionError: for another tone.
    """

    wants_action_spec = True

    def __init__(self, tone: str = "dark"):
        if tone not in TONES:
            raise OptionError(f"unknown tone {tone!r}; valid: {', '.join(TONES)}")
        self.tone = tone

    def reset(self, instruction: str, seed: int, *, action_spec: ActionSpec) -> None:
        self._mode = action_spec.mode

    def act(self, observation: dict) -> np.ndarray:
        side = self._side(observation["images"]["head"])
        # To the right of the head picture is +y of the robot's base.
        action = np.array([0.0, PUSH * side, 0.0, 1.0], dtype=np.float32)
        if self._mode == "absolute":
            action[:3] = observation["state"][:3] + 0.02 * action[:3]
        return np.tile(action, (CHUNK, 1))

    def describe(self) -> dict:
        return {"parameters": 0, "tone": self.tone}

    def _side(self, picture: np.ndarray) -> float:
        """Where most pixels of the tone are, from -1 (left) to 1 (right)."""
        low, high = TONES[self.tone]
        gray = picture.mean(axis=2)
        count = ((gray >= low) & (gray <= high)).sum(axis=0)
        if not count.any():
            return 0.0
        columns = np.linspace(-1, 1, picture.shape[1])
        return float((count * columns).sum() / count.sum())


class Seeker(Follower):
    """The follower behind an address: ``seeker://light``."""
