"""The decoder of RoboVLMs and VLM4VLA: MLPs to an arm, by tanh, and to a gripper, by a logit.

Learned by Huber (delta 1) on the arm and, with a small weight, cross-entropy on the gripper; papers print
squares, the public code has this.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.heads.outputs import SIZES, Mlp, Outputs
from bomb.models.losses import chunk_losses
from bomb.models.vla import Losses, Scores

GRIPPER_RATIO = 0.01  # weight of the gripper's loss
LOSSES = ("huber", "mse")  # of the arm, where it is regressed


class FCDecoder(Outputs):
    """Hidden states to chunks: float[..., d] to float[..., chunk, dims - 1] in [-1, 1] and float[..., chunk].

    Args:
        inputs: width of the hidden states, several side by side.
        chunk, dims, flows: as ``Outputs`` takes them.
        hidden: width of what both outputs share.
        sizes: of the hidden layers.
    """

    def __init__(
        self,
        inputs: int,
        *,
        chunk: int,
        dims: int,
        hidden: int = 1024,
        sizes: tuple[int, ...] = SIZES,
        flows: bool = False,
    ):
        super().__init__(hidden, chunk=chunk, dims=dims, sizes=sizes, flows=flows)
        self.mlp = Mlp(inputs, inputs // 2, hidden)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)

    def trunk(self, x: Tensor) -> Tensor:
        """Features of hidden states."""
        return self.mlp(x)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.answer(self.trunk(x))


def regression_losses(
    arm: Tensor,
    gripper: Tensor,
    actions: Tensor,
    bits: Tensor,
    valid: Tensor,
    groups: Mapping[str, tuple[int, ...]],
    *,
    weights: Mapping[str, float] | None = None,
    ratio: float = GRIPPER_RATIO,
    loss: str = "huber",
) -> Losses:
    """Huber (or squares) on the arm plus ``ratio`` times cross-entropy on the gripper.

    Args:
        arm: float[B, chunk, dims - 1].
        gripper: float[B, chunk], logits of the greater value.
        actions: float[B, chunk, dims], normalised.
        bits: float[B, chunk], 1 where the gripper has its greater value.
        valid: bool[B, chunk].
        groups, weights: as ``chunk_losses`` takes them.
        ratio: weight of the gripper.
        loss: out of ``LOSSES``.
    """
    of_arm = functional.huber_loss if loss == "huber" else functional.mse_loss
    away_by = of_arm(arm, actions[..., :-1], reduction="none")
    cross = functional.binary_cross_entropy_with_logits(gripper, bits, reduction="none")
    errors = torch.cat([away_by, cross[..., None]], dim=-1)
    dims = actions.shape[-1]
    scale = [1 / (dims - 1)] * (dims - 1) + [ratio]
    right = ((gripper > 0) == (bits > 0.5))[valid].float().mean().item()
    away = (arm - actions[..., :-1]).abs()[valid].mean().item()
    metrics = {"gripper_accuracy": right, "l1": away}
    return chunk_losses(errors, valid, groups, weights, metrics, scale=scale)


def regression_scores(
    arm: Tensor, gripper: Tensor, wanted: Tensor, bits: Tensor, groups: Mapping[str, tuple[int, ...]]
) -> Scores:
    """Minus the distance from a reference by group, and its gripper's log-likelihood; means over a chunk.

    Args:
        arm, gripper: as ``regression_losses`` takes them.
        wanted: float[B, chunk, dims - 1], the reference's arm.
        bits: float[B, chunk], its gripper.
        groups: dimensions by group, the gripper's among them.
    """
    found = {}
    for name, dims in groups.items():
        if name == "gripper":
            found[name] = -functional.binary_cross_entropy_with_logits(gripper, bits, reduction="none").mean(
                1
            )
        else:
            found[name] = -(arm - wanted)[..., list(dims)].norm(dim=-1).mean(1)
    return Scores.summed(found)
