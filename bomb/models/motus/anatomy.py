"""Where layers and heads of the three experts are. All attend together, so each has all heads."""

from collections.abc import Iterable
from typing import Any

from torch import nn

from bomb.models.motus.network import MotusNetwork
from bomb.models.vla import Layer


def expert_layers(network: MotusNetwork) -> tuple[Layer, ...]:
    """Layers of the streams ``video``, ``expert`` (of actions) and ``understanding``."""
    config = network.config

    def layer(stream: str, k: int, block: Any, attention: nn.Module, back: nn.Module) -> Layer:
        return Layer(
            stream=stream,
            index=k,
            module=block,
            attention=attention,
            output_projection=back,
            mlp=block.ffn,
            heads=config.heads,
            head_dim=config.head_dim,
        )

    blocks: Iterable[Any] = network.video_expert.blocks  # a list of torch's does not say of what
    video = [layer("video", k, block, block.self_attn, block.self_attn.o) for k, block in enumerate(blocks)]
    narrow: tuple[tuple[str, Iterable[Any]], ...] = (
        ("expert", network.action_expert.blocks),
        ("understanding", network.und_expert.blocks),
    )
    others = [
        layer(stream, k, block, block.back, block.back)
        for stream, blocks in narrow
        for k, block in enumerate(blocks)
    ]
    return (*video, *others)
