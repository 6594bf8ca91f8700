"""AdamW with a cosine, for parts that learn in a minute or two and need no state to resume from."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bomb.training.keypoint.recipe import PartRecipe


def fit(
    network: nn.Module,
    recipe: PartRecipe,
    loss_of: Callable[[], Tensor],
    *,
    weight_decay: float,
    clip: float | None = None,
    report: Callable[[int, float], None] | None = None,
) -> None:
    """Trains a network in place.

    Args:
        network: its parameters learn.
        recipe: steps, and the greatest rate.
        loss_of: draws a batch and returns its loss; called once a step.
        weight_decay: of AdamW.
        clip: norm of the gradient at most; None: any.
        report: called with each step, from 1, and its loss.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    for step in range(1, recipe.steps + 1):
        loss = loss_of()
        optimiser.zero_grad()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimiser.step()
        schedule.step()
        if report is not None:
            report(step, loss.item())
