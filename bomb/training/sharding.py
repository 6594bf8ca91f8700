"""Weights that several processes share out (FSDP2): which layers are units, and how they come back."""

import copy

import torch
from torch import nn

from bomb.models.vla import VLA


def is_sharded(module: nn.Module) -> bool:
    """Whether this process holds only its share of some weights."""
    from torch.distributed.tensor import DTensor

    return any(isinstance(weight, DTensor) for weight in module.parameters())


def layer_classes(vla: VLA) -> list[str]:
    """Names of the classes of all layers of a model, which FSDP2 gathers one at a time."""
    return sorted({type(layer.module).__name__ for layer in vla.anatomy.layers})


def skeleton(vla: VLA) -> VLA:
    """A copy without weights, made before they are shared out: what ``gathered`` fills.

    Buffers are kept: some, such as the frequencies of rotary positions, are in no file.
    """
    memo: dict[int, object] = {
        id(weight): nn.Parameter(torch.empty_like(weight, device="meta"), requires_grad=False)
        for weight in vla.parameters()
    }
    memo |= {id(buffer): buffer.detach().cpu().clone() for buffer in vla.buffers()}
    return copy.deepcopy(vla, memo)


def gathered(vla: VLA, bare: VLA, *, keep: bool) -> VLA | None:
    """The model with all its weights on the CPU; every process has to call this.

    Args:
        vla: whose weights are shared out.
        bare: its ``skeleton``.
        keep: whether this process wants the model; the others only send their shares.

    Returns:
        The model, None where it is not kept.
    """
    whole = copy.deepcopy(bare) if keep else None
    fresh: dict[int, nn.Parameter] = {}
    places = dict(bare.named_parameters(remove_duplicate=False))
    for name, weight in vla.named_parameters(remove_duplicate=False):
        place = id(places[name])  # tied weights are one in the skeleton
        if place in fresh:
            made = fresh[place]
        else:
            made = fresh[place] = nn.Parameter(_full(weight, keep), requires_grad=False)
        if whole is not None:
            owner, _, last = name.rpartition(".")
            setattr(whole.get_submodule(owner), last, made)
    return whole


def _full(weight: torch.Tensor, keep: bool) -> torch.Tensor:
    from torch.distributed.tensor import DTensor

    found = weight.detach()
    if isinstance(found, DTensor):
        found = found.full_tensor()
    return found.cpu().clone() if keep else torch.empty(0)
