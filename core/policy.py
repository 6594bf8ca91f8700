"""What a policy is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


class Policy(ABC):
    """Maps observations to chunks of actions.

    Attributes, of the class or set on an instance in ``__init__``:
        privileged: whether it needs the truth. The harness then calls
            ``reset(instruction, seed, episode=Episode, action_spec=ActionSpec)`` and
            ``act(observation, truth=SceneState)``, and every result says so.
        wants_goal_picture: whether the harness calls ``reset`` with ``goal_picture=``, uint8[256, 256, 3]:
            the board from above as it shall be, see ``Environment.goal_picture``.
        wants_step: whether the harness calls ``act`` with ``step=``, the actions executed so far.
        wants_action_spec: whether the harness calls ``reset`` with ``action_spec=``, what actions mean in
            this environment; for policies that have to convert or to hold.
        cameras: names of those it looks through; empty: it looks at nothing. An environment that does not
            show them is refused, and where nobody says which cameras to show, these are. None: any.
        image_size: (height, width) of the pictures it is given, in pixels. None: any.
        modalities: out of ``rgb``, ``depth``, ``segmentation``. None: any.
    """

    privileged: bool = False
    wants_goal_picture: bool = False
    wants_step: bool = False
    wants_action_spec: bool = False
    cameras: tuple[str, ...] | None = None
    image_size: tuple[int, int] | None = None
    modalities: tuple[str, ...] | None = None

    @abstractmethod
    def reset(self, instruction: str, seed: int) -> None:
        """Begins an episode.

        Args:
            instruction: what to do.
            seed: for the policy's own randomness; the same seed must give the same behaviour. It is drawn
                from the episode's and is another number, see ``core.seeding.policy_seed``: a policy learns
                which scene it is in by looking.
        """

    def proceed(self, instruction: str) -> None:  # noqa: B027 -- most policies need not know
        """Continues with the next move of an episode that has several; what is left of a chunk is dropped.

        By default nothing happens: the instruction is in the observation, too. A privileged policy is called
        ``proceed(instruction, move=Move)``.
        """

    @abstractmethod
    def act(self, observation: dict[str, Any]) -> npt.NDArray[np.float32]:
        """Chooses the next actions.

        Args:
            observation: what ``Environment.step`` returned; nothing else is known to the policy.

        Returns:
            float32[k, 4], an action chunk with k >= 1.
        """

    def describe(self) -> dict[str, Any]:
        """What results say about the policy: plain values for JSON.

        Known keys, all optional: ``checkpoint``; ``parameters``, how many; ``memory_mb``, what its weights
        take; ``trained_on``, a list of ``{"split": name, "perturbations": ..., ...}``, out of the provenance
        of its datasets; ``action_mode`` and ``control_hz``, what its actions mean: evaluating it with others
        is an error; ``cameras``, ``image_size``, ``modalities``, as the attributes, which are added to what
        is returned.
        """
        return {}

    def close(self) -> None:  # noqa: B027 -- most policies hold nothing
        """Frees connections and memory. A second call does nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """One question to a policy that answers many at once.

    Attributes:
        observation: as ``Policy.act`` gets it.
        seed: of the policy's randomness in this episode, as ``Policy.reset`` gets it.
        step: actions executed so far in the episode.
    """

    observation: dict[str, Any]
    seed: int
    step: int


class BatchPolicy(Policy):
    """A policy that can answer for many episodes at once, because it remembers none of them.

    What it returns depends on the request alone: its own noise is drawn from ``(seed, step)``, so that an
    episode goes the same way whatever else is in the batch.
    """

    wants_step: bool = True

    @abstractmethod
    def infer(self, requests: Sequence[Request]) -> list[npt.NDArray[np.float32]]:
        """One action chunk, float32[k, 4], per request."""

    def reset(self, instruction: str, seed: int) -> None:
        self._seed = seed

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], *, step: int
    ) -> npt.NDArray[np.float32]:
        return self.infer([Request(observation=observation, seed=self._seed, step=step)])[0]
