"""Where layers and heads of the three experts are. All attend together, so each has all heads."""

from torch import nn

from bomb.models.motus.network import MotusNetwork
from bomb.models.vla import Layer


def expert_layers(network: MotusNetwork) -> tuple[Layer, ...]:
    """Layers of the streams ``video``, ``expert`` (of actions) and ``understanding``."""
    config = network.config

    def layer(stream: str, k: int, block: nn.Module, attention: nn.Module, back: nn.Module) -> Layer:
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

    video = [
        layer("video", k, block, block.self_attn, block.self_attn.o)
        for k, block in enumerate(network.video_expert.blocks)
    ]
    others = [
        layer(stream, k, block, block.back, block.back)
        for stream, expert in (("expert", network.action_expert), ("understanding", network.und_expert))
        for k, block in enumerate(expert.blocks)
    ]
    return (*video, *others)
