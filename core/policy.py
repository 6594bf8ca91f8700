"""What a policy is."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np


class Policy(ABC):
    """Maps observations to chunks of actions.

    Attributes:
        privileged: whether it needs the truth. The harness then calls
            ``reset(instruction, seed, episode=Episode, action_spec=ActionSpec)`` and
            ``act(observation, truth=SceneState)``, and every result says so.
        wants_goal_picture: whether the harness calls ``reset`` with ``goal_picture=``, uint8[256, 256, 3]:
            the board from above as it shall be, see ``Environment.goal_picture``.
    """

    privileged: ClassVar[bool] = False
    wants_goal_picture: ClassVar[bool] = False

    @abstractmethod
    def reset(self, instruction: str, seed: int) -> None:
        """Begins an episode.

        Args:
            instruction: what to do.
            seed: for the policy's own randomness; the same seed must give the same behaviour.
        """

    def proceed(self, instruction: str) -> None:  # noqa: B027 -- most policies need not know
        """Goes on with the next move of an episode that has several; what is left of a chunk is dropped.

        By default nothing happens: the instruction is in the observation, too. A privileged policy is called
        ``proceed(instruction, move=Move)``.
        """

    @abstractmethod
    def act(self, observation: dict) -> np.ndarray:
        """Chooses the next actions.

        Args:
            observation: what ``Environment.step`` returned; nothing else is known to the policy.

        Returns:
            float32[k, 4], an action chunk with k >= 1.
        """
