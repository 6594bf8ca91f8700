"""What a policy head says of its features: an arm and a gripper at once, or where noisy chunks flow."""

import math
from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import Tensor, nn

SIZES = (1024, 512, 256)  # of the hidden layers
PERIODS = (4e-3, 4.0)  # of the time's embedding, as pi0's
TIMES = 32  # numbers of it


class Mlp(nn.Sequential):
    """Linear layers with ReLU between, under the names of the public files: ``mlp.0``, ``mlp.2``, ..."""

    def __init__(self, *sizes: int):
        layers: list[nn.Module] = []
        for k, (first, second) in enumerate(pairwise(sizes)):
            layers += [nn.ReLU()] * bool(k) + [nn.Linear(first, second)]
        super().__init__(*layers)


class Group(nn.Module):
    """One output of a head."""

    def __init__(self, width: int, sizes: tuple[int, ...], count: int):
        super().__init__()
        self.mlp = Mlp(width, *sizes, count)


class Outputs(nn.Module, ABC):
    """Base of all heads: a subclass makes features, float[..., width], by ``trunk``.

    Args:
        width: of the features.
        chunk: actions.
        dims: numbers of an action, the gripper last.
        sizes: of the hidden layers of the outputs.
        flows: whether it says velocities instead of actions.
    """

    def __init__(self, width: int, *, chunk: int, dims: int, sizes: tuple[int, ...], flows: bool):
        super().__init__()
        self.chunk, self.dims = chunk, dims
        if flows:
            self.flow = Group(width + chunk * dims + TIMES, sizes, chunk * dims)
        else:
            self.actions = Group(width, sizes, (dims - 1) * chunk)
            self.gripper = Group(width, sizes, chunk)

    @abstractmethod
    def trunk(self, x: Tensor) -> Tensor:
        """Features, float[..., width], of what the head is given."""

    def answer(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The arm, float[..., chunk, dims - 1] in [-1, 1], and the gripper's logits, float[..., chunk]."""
        arm = torch.tanh(self.actions.mlp(features)).unflatten(-1, (self.chunk, self.dims - 1))
        return arm, self.gripper.mlp(features)

    def velocity(self, features: Tensor, noisy: Tensor, times: Tensor) -> Tensor:
        """float[B, chunk, dims] of features float[B, width], float[B, chunk, dims] and times float[B]."""
        half = torch.linspace(0, 1, TIMES // 2, device=times.device)
        angles = times[:, None] * 2 * math.pi / (PERIODS[0] * (PERIODS[1] / PERIODS[0]) ** half)
        at = torch.cat([angles.sin(), angles.cos()], dim=-1).to(features.dtype)
        given = torch.cat([features, noisy.to(features.dtype).flatten(1), at], dim=-1)
        return self.flow.mlp(given).unflatten(-1, (self.chunk, self.dims))
