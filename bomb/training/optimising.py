"""AdamW by parts, the learning rate as a function of the step, and the running mean of the weights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from bomb.models.vla import VLA
from bomb.training.building import decayed
from bomb.training.recipe import OptimiserRecipe
from core.errors import check_choice


def rate_share(step: int, steps: int, recipe: OptimiserRecipe) -> float:
    """Share of the greatest learning rate that step ``step`` (from 1 to ``steps``) is made with."""
    if step < recipe.warm_up:
        return step / recipe.warm_up
    if recipe.schedule == "constant":
        return 1.0
    if recipe.schedule == "step":
        return recipe.final if step > recipe.fall_at * steps else 1.0
    done = (step - recipe.warm_up) / max(1, steps - recipe.warm_up)
    left = 1 - done if recipe.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return recipe.final + (1 - recipe.final) * left


def make_optimiser(vla: VLA, learner: torch.nn.Module, recipe: OptimiserRecipe) -> torch.optim.AdamW:
    """AdamW over what learns; each group keeps its share of the rate as ``factor``.

    Args:
        vla: knows its parts.
        learner: holds the model as ``vla``, and what is trained beside it.
        recipe: numbers.

    Raises:
        UnknownNameError: for the rate of a part that the family does not have.
    """
    parts = vla.parts
    factors = [
        (prefix, factor)
        for name, factor in recipe.rates.items()
        for prefix in parts[check_choice("part", name, parts)]
    ]
    heavy = decayed(learner)
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, weight in learner.named_parameters():
        if weight.requires_grad:
            own = name.removeprefix("vla.")
            # The longest beginning of a name is the part that a parameter is of most closely.
            found = max(((len(p), f) for p, f in factors if own.startswith(p)), default=(0, 1.0))
            groups.setdefault((found[1], name in heavy), []).append(weight)
    return torch.optim.AdamW(
        [
            {"params": weights, "factor": factor, "weight_decay": recipe.weight_decay if decays else 0.0}
            for (factor, decays), weights in groups.items()
        ],
        lr=recipe.rate,
        betas=recipe.betas,
        eps=recipe.epsilon,
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


class RunningMean:
    """The exponential running mean of what learns, in float32.

    After n updates the decay is min(decay, (1 + n) / (10 + n)), as in TensorFlow's
    ``ExponentialMovingAverage``.

    Args:
        module: whose parameters; those that learn.
        decay: greatest.
    """

    def __init__(self, module: torch.nn.Module, decay: float):
        self._decay, self.updates = decay, 0
        self._weights = [w for w in module.parameters() if w.requires_grad]
        self._means = [w.detach().float().clone() for w in self._weights]

    @torch.no_grad()
    def update(self) -> None:
        """Takes the weights in as they are now."""
        decay = min(self._decay, (1 + self.updates) / (10 + self.updates))
        for mean, weight in zip(self._means, self._weights, strict=True):
            mean.lerp_(weight.detach().float(), 1 - decay)
        self.updates += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the module has the means for its weights."""
        kept = [weight.detach().clone() for weight in self._weights]
        with torch.no_grad():
            for weight, mean in zip(self._weights, self._means, strict=True):
                weight.copy_(mean)
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, old in zip(self._weights, kept, strict=True):
                    weight.copy_(old)

    def state_dict(self) -> dict[str, Any]:
        """The means, and how many updates there were."""
        return {"updates": self.updates, "means": self._means}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As another one was."""
        self.updates = state["updates"]
        with torch.no_grad():
            for mean, other in zip(self._means, state["means"], strict=True):
                mean.copy_(other)
