"""What a model answers: what it decided, how much it wants it, and what it has still to learn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """What a model decided, frozen, so that changed questions can be scored by it.

    Attributes:
        actions: float32[B, chunk, 4], in BOMB's terms.
        raw: the same as the head has it, by the family's own names: token ids, a normalised chunk, the noise
            that it was made from.
    """

    actions: npt.NDArray[np.float32]
    raw: Mapping[str, Tensor]

    def select(self, rows: Sequence[int]) -> "Reference":
        """As ``Batch.select``: the same decision for several changed questions."""
        index = torch.as_tensor(list(rows), dtype=torch.long)
        raw = {name: tensor[index.to(tensor.device)] for name, tensor in self.raw.items()}
        return Reference(actions=self.actions[index.numpy()], raw=raw)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """How much a model wants a reference; larger is more.

    Attributes:
        total: float[B]. Tokens: the sum of their forced log-probabilities. Regression: minus the distance
            from the reference. Flow: minus the distance of the end points from the same noise.
        groups: float[B] by group of the action.
        others: further scores, float[B] by name, such as a flow's ``flow_loss``.
    """

    total: Tensor
    groups: Mapping[str, Tensor]
    others: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def summed(cls, groups: Mapping[str, Tensor], others: Mapping[str, Tensor] | None = None) -> "Scores":
        """Scores that are in total the sum of their groups."""
        total = sum(groups.values(), torch.zeros(()))
        return cls(total=total, groups=groups, others=others or {})


@dataclass(frozen=True, kw_only=True, eq=False)
class Losses:
    """What is to become small.

    Attributes:
        total: scalar with a gradient.
        samples: float[B], each sample's share; their mean is ``total`` where all samples count alike.
        groups: by group of the action (``xy``, ``z``, ``gripper``, ...), scalars without a gradient, each the
            mean over what the group has.
        offsets: float[chunk] without a gradient: by how many actions after the present one.
        metrics: other numbers to be logged, such as ``token_accuracy``.
    """

    total: Tensor
    samples: Tensor
    groups: Mapping[str, Tensor]
    offsets: Tensor
    metrics: Mapping[str, float] = field(default_factory=dict)
