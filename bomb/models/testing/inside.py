"""Laws about the inside of a model: where its layers, patches, words and parts are."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from bomb.models.requests import Request
from bomb.models.testing.promise import require
from bomb.models.vla import VLA


@torch.no_grad()
def check_anatomy(vla: VLA, requests: Sequence[Request]) -> None:
    """Layers run, heads lie side by side before their projection, patches and words are where it is said."""
    anatomy, batch = vla.anatomy, vla.encode(requests)
    require(bool(anatomy.layers), "the anatomy names layers")
    calls: dict[str, int] = {}
    hooks = []
    for layer in anatomy.layers:
        name = f"{layer.stream} {layer.index}"
        wide = layer.heads * layer.head_dim

        def seen(module: nn.Module, args: tuple[Any, ...], name: str = name, wide: int = wide) -> None:
            calls[name] = calls.get(name, 0) + 1
            require(args[0].shape[-1] == wide, f"heads of {name} are {wide} wide in all", args[0].shape)

        hooks.append(layer.output_projection.register_forward_pre_hook(seen))
    vla.decide(batch, seeds=[(0, 0)] * len(requests))
    for hook in hooks:
        hook.remove()
    unused = {f"{layer.stream} {layer.index}" for layer in anatomy.layers} - calls.keys()
    require(not unused, "every layer of the anatomy takes part in deciding", sorted(unused))
    for stream in {layer.stream for layer in anatomy.layers}:
        order = [layer.index for layer in anatomy.stream(stream)]
        require(order == list(range(len(order))), f"the layers of {stream} are numbered in order", order)
    for k, (request, layout) in enumerate(zip(requests, batch.layouts, strict=True)):
        there = batch.attention_mask[k].cpu().numpy()
        for camera, grid in anatomy.grids.items():
            places = layout.pictures[camera]
            require(
                places.shape == (grid.rows, grid.cols), f"the layout has the grid of {camera}", places.shape
            )
            require(bool(there[places].all()), f"patches of {camera} are no padding")
        every = np.concatenate([places.ravel() for places in layout.pictures.values()])
        require(len(np.unique(every)) == len(every), "no position is of two patches")
        text = request.instruction
        words = layout.words(0, len(text))
        require(
            bool(there[words].all()) and not np.isin(words, every).any(),
            "words are neither padding nor patches",
        )
        start = text.index("row")
        require(len(layout.words(start, start + 3)) >= 1, "a part of the instruction has tokens of its own")
        covered = np.zeros(len(text), dtype=bool)
        for first, last in layout.characters[words]:
            covered[first:last] = True
        letters = np.array([not c.isspace() for c in text])
        require(bool(covered[letters].all()), "every letter of the instruction belongs to a token")


def check_attention(vla: VLA, requests: Sequence[Request], seeds: Sequence[tuple[int, int]]) -> None:
    """Eager attention and sdpa give the same answers."""
    from transformers import PreTrainedModel

    parts = [part for part in vla.modules() if isinstance(part, PreTrainedModel)]
    before = [part.config._attn_implementation for part in parts]
    found = {}
    for kind in ("eager", "sdpa"):
        for part in parts:
            if kind == "eager" or part._supports_sdpa:
                with suppress(ValueError):  # a part of it, such as Gemma 2, knows eager alone
                    part.set_attn_implementation(kind)
        with torch.inference_mode():
            found[kind] = vla.act(vla.encode(requests), seeds=seeds)
    for part, kind in zip(parts, before, strict=True):
        with suppress(ValueError):
            part.set_attn_implementation(kind)
    away = float(np.abs(found["eager"] - found["sdpa"]).max())
    require(away < 1e-4, "eager attention equals sdpa", away)


def check_parts(
    vla: VLA, requests: Sequence[Request], actions: npt.NDArray[np.float32], seeds: Sequence[tuple[int, int]]
) -> None:
    """Every parameter is of a part, and what is frozen gets no gradient."""
    prefixes = tuple(prefix for part in vla.parts.values() for prefix in part)
    homeless = [name for name, _ in vla.named_parameters() if not name.startswith(prefixes)]
    require(not homeless, "every parameter belongs to a part", homeless[:3])
    for name, beginnings in vla.parts.items():
        for prefix in beginnings:
            there = any(key.startswith(prefix) for key, _ in vla.named_parameters())
            require(there, f"the part {name} has parameters that begin with {prefix}")
    require({"vision", "words"} <= vla.parts.keys(), "vision and words can be frozen", list(vla.parts))
    before = {name: weight.requires_grad for name, weight in vla.named_parameters()}
    vla.zero_grad(set_to_none=True)
    vla.freeze("vision", "words")
    vla.loss(vla.encode(requests, actions), seeds=seeds).total.backward()
    frozen = tuple(prefix for part in ("vision", "words") for prefix in vla.parts[part])
    learnt = [n for n, w in vla.named_parameters() if w.grad is not None and n.startswith(frozen)]
    require(not learnt, "frozen parts get no gradient", learnt[:3])
    require(any(w.grad is not None for w in vla.parameters()), "what is not frozen still learns")
    vla.zero_grad(set_to_none=True)
    for name, weight in vla.named_parameters():
        weight.requires_grad_(before[name])
