"""Policies around a policy: they take something away, to show what it lives on.

A policy that scores as well without pictures, or without knowing what is asked, has learnt the task by heart.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from core.errors import OptionError
from core.policy import BatchPolicy, Policy, Request
from core.rendering.observation import PICTURE_KEYS
from core.rendering.sight import DECLARED

Picture: TypeAlias = npt.NDArray[Any]  # [H, W] or [H, W, 3], of the dtype of its modality

MUTED = "Do the task."  # a sentence, because models are not made for no words at all


class Wrapper(Policy):
    """Hands everything on to the policy inside, and changes what it sees.

    What the policy inside wants, and whether it is privileged, is what this one wants and is. Made with
    ``around``, which gives a ``BatchPolicy`` around one.
    """

    wraps: ClassVar[bool] = True
    batched: ClassVar[type["Wrapper"]]  # the same around a BatchPolicy

    @classmethod
    def around(cls, policy: Policy, **options: Any) -> "Wrapper":
        """The wrapper around ``policy``; it closes it, too."""
        return (cls.batched if isinstance(policy, BatchPolicy) else cls)(policy, **options)

    @classmethod
    def check(cls, words: str, options: Mapping[str, Any]) -> None:
        """Returns if ``around`` takes these options; asked before the policy inside is made.

        Raises:
            OptionError: naming an option that there is not, or a value that is none.
        """
        if options:
            raise OptionError(f"policy {words!r} takes no options, got {', '.join(options)}")

    def __init__(self, policy: Policy):
        self.inside = policy
        for name in ("privileged", "wants_goal_picture", "wants_step", "wants_action_spec", *DECLARED):
            setattr(self, name, getattr(policy, name))

    def reset(self, instruction: str, seed: int, **extras: Any) -> None:
        if "goal_picture" in extras:
            extras["goal_picture"] = self.see_picture(extras["goal_picture"])
        self.inside.reset(self.hear(instruction), seed, **extras)

    def proceed(self, instruction: str, **extras: Any) -> None:
        self.inside.proceed(self.hear(instruction), **extras)

    def act(self, observation: dict[str, Any], **extras: Any) -> npt.NDArray[np.float32]:
        return self.inside.act(self.see(observation), **extras)

    def close(self) -> None:
        self.inside.close()

    def hear(self, instruction: str) -> str:
        """The instruction as the policy inside gets it."""
        return instruction

    def see_picture(self, picture: Picture) -> Picture:
        """A picture of any modality as the policy inside gets it."""
        return picture

    def see(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The observation as the policy inside gets it; the one that came is left as it is."""
        seen = {**observation, "instruction": self.hear(observation["instruction"])}
        for key in PICTURE_KEYS.values():
            if key in seen:
                seen[key] = {camera: self.see_picture(picture) for camera, picture in seen[key].items()}
        return seen

    @abstractmethod
    def describe(self) -> dict[str, Any]: ...


class Batched(Wrapper, BatchPolicy):
    """Around a policy that answers for many episodes at once."""

    inside: BatchPolicy

    def infer(self, requests: Sequence[Request]) -> list[npt.NDArray[np.float32]]:
        return self.inside.infer(
            [replace(request, observation=self.see(request.observation)) for request in requests]
        )


class Blind(Wrapper):
    """The policy inside, with every picture black, of the same shape."""

    def see_picture(self, picture: Picture) -> Picture:
        return np.zeros_like(picture)

    def describe(self) -> dict[str, Any]:
        """What the policy inside says, and ``blind``: the value of every pixel."""
        return {**self.inside.describe(), "blind": 0}


class Mute(Wrapper):
    """The policy inside; whatever is asked, it hears "Do the task."."""

    def hear(self, instruction: str) -> str:
        return MUTED

    def describe(self) -> dict[str, Any]:
        """What the policy inside says, and ``mute``: the words it hears."""
        return {**self.inside.describe(), "mute": MUTED}


class _BatchedBlind(Blind, Batched):
    pass


class _BatchedMute(Mute, Batched):
    pass


Blind.batched, Mute.batched = _BatchedBlind, _BatchedMute
