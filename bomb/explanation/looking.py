"""A policy that plays, with what is needed to ask it again about each of its looks."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.policies.wrappers import Wrapper
from core.policy import BatchPolicy, Policy

FAR = 16  # actions: a look farther from a stage than this does not show it
ENOUGH = 32 * 2**20  # parameters: a copy of more at each look is none that anybody wants


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """One question that was asked in an episode.

    Attributes:
        step: actions executed before.
        observation: what was seen; without segmentation, unless the policy wants it.
        memory: the policy before it answered; None where it remembers nothing or cannot be copied.
        remembered: what a VLA that remembers is told of the look before, float32[m]; None if nothing.
    """

    step: int
    observation: dict[str, Any]
    memory: Policy | None
    remembered: npt.NDArray[np.float32] | None = None


class Looking(Wrapper):
    """Hands everything on, and keeps each look.

    Args:
        policy: inside.
        hidden: names of modalities' keys that the policy is not to see, such as ``segmentation``.
    """

    def __init__(self, policy: Policy, hidden: tuple[str, ...] = ()):
        super().__init__(policy)
        self.wants_step = True
        self._hands_step, self._hidden = policy.wants_step, hidden
        self.looks: list[Look] = []
        self._copies = not isinstance(policy, BatchPolicy) and not hasattr(policy, "vla")
        self._copies &= (policy.describe().get("parameters") or 0) <= ENOUGH

    def reset(self, instruction: str, seed: int, **extras: object) -> None:
        self.looks, self.seed = [], seed
        super().reset(instruction, seed, **extras)

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], *, step: int, **extras: Any
    ) -> npt.NDArray[np.float32]:
        seen = {key: value for key, value in observation.items() if key not in self._hidden}
        told = getattr(self.inside, "remembered", None)
        self.looks.append(Look(step=step, observation=seen, memory=self._copy(), remembered=told))
        if self._hands_step:
            extras["step"] = step
        return self.inside.act(seen, **extras)

    def describe(self) -> dict[str, Any]:
        """What the policy inside says."""
        return self.inside.describe()

    def _copy(self) -> Policy | None:
        if not self._copies:
            return None
        try:
            return deepcopy(self.inside)
        except Exception:  # a socket, a file, a generator: it can only be asked afresh
            self._copies = False
            return None


def look_at(looks: Sequence[Look], stage: str, step: int) -> Look | None:
    """The look that shows a stage: the last before something is done, the first after something has happened.

    Args:
        looks: in order.
        stage: one of ``bomb.explanation.moments.STAGES``.
        step: at which it comes about.

    Returns:
        None where no look is near.
    """
    near = [look for look in looks if abs(look.step - step) <= FAR]
    if stage == "lift":  # it has happened
        after = [look for look in near if look.step >= step] or near[-1:]
        return after[0] if after else None
    near = [look for look in near if look.step <= step] or near[:1]
    return near[-1] if near else None
