"""Where layers and heads are, in the forms that most models of transformers have.

Blocks are of many classes, alike in nothing but the names of their parts: so they have no type here.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.models.vla import Layer, Layout


def decoder_layers(
    modules: Iterable[Any],
    stream: str = "language",
    *,
    projection: str = "o_proj",
    mlp: str = "mlp",
) -> tuple[Layer, ...]:
    """Layers of a decoder in Llama's form; ``projection`` and ``mlp`` are what it calls these parts."""
    found = []
    for k, module in enumerate(modules):
        attention = module.self_attn
        back = getattr(attention, projection)
        found.append(
            Layer(
                stream=stream,
                index=k,
                module=module,
                attention=attention,
                output_projection=back,
                mlp=getattr(module, mlp),
                heads=back.in_features // attention.head_dim,
                head_dim=attention.head_dim,
            )
        )
    return tuple(found)


def vision_layers(modules: Iterable[Any], heads: int, stream: str = "vision") -> tuple[Layer, ...]:
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


def grid_positions(layout: Layout, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Positions of three axes, int64[3, L]: time, row and column in pictures, one after another elsewhere.

    After a picture counting resumes behind its longer side, as in Qwen2-VL (arXiv:2409.12191, section 2.1).

    Args:
        layout: of the sample.
        mask: bool[L], what is no padding.
    """
    found = np.zeros((3, len(mask)), dtype=np.int64)
    first = {int(places[0, 0]): places for places in layout.pictures.values()}
    at, k, count = 0, 0, len(mask)
    while k < count:
        if not mask[k]:
            k += 1
        elif k in first:
            places = first[k]
            rows, cols = np.indices(places.shape)
            found[0, places], found[1, places], found[2, places] = at, at + rows, at + cols
            at += max(places.shape)
            k += places.size
        else:
            found[:, k] = at
            at, k = at + 1, k + 1
    return found


def bart_layers(stages: Iterable[Iterable[Any]], model: Any) -> tuple[Layer, ...]:
    """Layers of a DaViT (attention to windows) and of a BART: ``vision``, ``language``, ``decoder``.

    Args:
        stages: blocks of the DaViT, by stage.
        model: with ``encoder`` and ``decoder``.
    """
    windows = [block.spatial_block for stage in stages for block in stage]
    seen = [
        Layer(
            stream="vision",
            index=k,
            module=block,
            attention=block.window_attn,
            output_projection=block.window_attn.proj,
            mlp=block.ffn,
            heads=block.window_attn.num_heads,
            head_dim=block.window_attn.dim // block.window_attn.num_heads,
        )
        for k, block in enumerate(windows)
    ]
    read = decoder_layers(model.encoder.layers, projection="out_proj", mlp="fc2")
    made = decoder_layers(model.decoder.layers, "decoder", projection="out_proj", mlp="fc2")
    return (*seen, *read, *made)
