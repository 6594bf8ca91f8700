"""A gripper as one of two values: what a logit says, in the numbers of a model's convention."""

import torch
from torch import Tensor

from bomb.integrations.actions import GRIPPERS
from bomb.models.codecs.actions import ActionCodec
from core.errors import OptionError


def check_gripper(codec: ActionCodec) -> None:
    """Returns if the gripper can be one bit: it must not be normalised.

    Raises:
        OptionError: if it is.
    """
    if codec.statistics.normalised[-1]:
        raise OptionError(
            "this head has a gripper of two values, so its dimension must not be normalised: "
            "the last entry of the statistics' mask must be false"
        )


def bits_of(codec: ActionCodec, actions: Tensor) -> Tensor:
    """1 where the gripper of float[..., dims] is nearer to its greater value, else 0."""
    grip = GRIPPERS[codec.convention.gripper]
    return (actions[..., -1] > (grip.low + grip.high) / 2).to(actions.dtype)


def with_gripper(codec: ActionCodec, arm: Tensor, bits: Tensor) -> Tensor:
    """Normalised actions, float[..., dims], of an arm float[..., dims - 1] and bits float[...]."""
    grip = GRIPPERS[codec.convention.gripper]
    return torch.cat([arm, (grip.low + bits * (grip.high - grip.low))[..., None]], dim=-1)
