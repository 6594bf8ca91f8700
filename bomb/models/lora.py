"""Low-rank adapters through peft, on the layers that a recipe names."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn

from bomb.models.settings import check_count
from core.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class LoRA:
    """An adapter of every targeted layer: W + alpha / rank * B A.

    Attributes:
        rank: of the two factors.
        alpha: OpenVLA's script takes min(rank, 16).
        dropout: share of the inputs that is left out while learning.
        targets: ``all-linear``: every linear layer, the language model's head and convolutions that are
            called as one of them, as OpenVLA's training script had it with peft of its time. Or endings of
            names, such as ``q_proj``.
        within: only below these beginnings of names; empty: everywhere.
        ranks: another rank, and an alpha as large, below these beginnings of names.
    """

    rank: int = 32
    alpha: int = 16
    dropout: float = 0.0
    targets: tuple[str, ...] | str = "all-linear"
    within: tuple[str, ...] = ()
    ranks: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_count("rank", self.rank)
        check_count("alpha", self.alpha)
        for prefix, rank in self.ranks.items():
            check_count(f"the rank below {prefix}", rank)
        if not 0 <= self.dropout < 1:
            raise OptionError(f"dropout must be in [0, 1), got {self.dropout!r}")
        if isinstance(self.targets, str) and self.targets != "all-linear":
            raise OptionError(f"targets must be 'all-linear' or endings of names, got {self.targets!r}")


def lora_targets(module: nn.Module, lora: LoRA) -> list[str]:
    """Names of the layers that get an adapter.

    Raises:
        OptionError: if there are none.
    """
    linear = [name for name, part in module.named_modules() if isinstance(part, nn.Linear)]
    if lora.targets == "all-linear":
        # peft matched the last word of a name: so a convolution that is called like a layer is meant, too.
        last = {name.rpartition(".")[2] for name in linear}
        found = [
            name
            for name, part in module.named_modules()
            if name.rpartition(".")[2] in last and isinstance(part, nn.Linear | nn.Conv2d)
        ]
    else:
        endings = tuple(lora.targets)
        found = [name for name in linear if any(("." + name).endswith("." + e) for e in endings)]
    if lora.within:
        found = [name for name in found if name.startswith(tuple(lora.within))]
    if not found:
        raise OptionError(f"no layer is called {lora.targets!r} below {lora.within or 'the whole model'}")
    return found


def add_lora(module: nn.Module, lora: LoRA, *, learned: Sequence[str] = ()) -> nn.Module:
    """Puts adapters into a module, in place; everything else is frozen, but for what is ``learned``.

    Args:
        module: whose layers are adapted.
        lora: which and how.
        learned: beginnings of names that are trained as a whole, such as a new head.

    Raises:
        OptionError: if there is nothing to adapt.
    """
    from peft import LoraConfig, inject_adapter_in_model

    targets = lora_targets(module, lora)
    ranks = {name: rank for prefix, rank in lora.ranks.items() for name in targets if name.startswith(prefix)}
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets,
        rank_pattern=ranks,
        alpha_pattern=ranks,
        init_lora_weights="gaussian",
    )
    before = {name for name, _ in module.named_parameters()}
    inject_adapter_in_model(config, module)
    for name, weight in module.named_parameters():
        adapter = ".lora_" in name
        weight.requires_grad_(adapter or (name in before and name.startswith(tuple(learned) or ("\0",))))
    return module
