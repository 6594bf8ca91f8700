"""Where layers and heads are, in the forms that most models of transformers have."""

from collections.abc import Iterable

from torch import nn

from bomb.models.vla import Layer


def decoder_layers(modules: Iterable[nn.Module], stream: str = "language") -> tuple[Layer, ...]:
    """Layers of a decoder in Llama's form."""
    return tuple(
        Layer(
            stream=stream,
            index=k,
            module=module,
            attention=module.self_attn,
            output_projection=module.self_attn.o_proj,
            mlp=module.mlp,
            heads=module.self_attn.o_proj.in_features // module.self_attn.head_dim,
            head_dim=module.self_attn.head_dim,
        )
        for k, module in enumerate(modules)
    )


def vision_layers(modules: Iterable[nn.Module], heads: int, stream: str = "vision") -> tuple[Layer, ...]:
    """Layers of a picture encoder in SigLIP's and CLIP's form."""
    return tuple(
        Layer(
            stream=stream,
            index=k,
            module=module,
            attention=module.self_attn,
            output_projection=module.self_attn.out_proj,
            mlp=module.mlp,
            heads=heads,
            head_dim=module.self_attn.out_proj.in_features // heads,
        )
        for k, module in enumerate(modules)
    )
