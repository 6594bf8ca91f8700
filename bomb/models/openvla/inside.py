"""Where OpenVLA's layers, heads and patches are."""

from collections.abc import Iterable, Sequence
from typing import Any

from bomb.models.backbones.inside import decoder_layers
from bomb.models.openvla.config import PrismaticConfig
from bomb.models.openvla.network import Prismatic
from bomb.models.openvla.towers import Tower
from bomb.models.pictures import crop_box
from bomb.models.vla import Anatomy, Layer, PictureGrid

STREAMS = ("vision", "vision_fused")


def anatomy_of(
    network: Prismatic, config: PrismaticConfig, cameras: Sequence[str], crop: float | None
) -> Anatomy:
    """The anatomy of a network that looks through ``cameras``."""
    layers = [
        Layer(
            stream=stream,
            index=k,
            module=block,
            attention=block.attn,
            output_projection=block.attn.proj,
            mlp=block.mlp,
            heads=tower.sizes.heads,
            head_dim=tower.sizes.width // tower.sizes.heads,
        )
        for stream, tower in zip(STREAMS, network.vision_backbone.towers, strict=False)
        for k, block in enumerate(_blocks(tower))
    ]
    return Anatomy(
        layers=(*layers, *decoder_layers(network.language_model.model.layers)),
        grids={camera: grid(config.patches, crop) for camera in cameras},
    )


def _blocks(tower: Tower) -> Iterable[Any]:
    """Its blocks, with FiLM or without; the last is not read."""
    blocks: Iterable[Any] = tower.blocks[:-1]
    return blocks


def grid(patches: int, crop: float | None) -> PictureGrid:
    """Patches of a picture, of which the middle is seen where it is cropped."""
    low, high = crop_box(crop) if crop else (0.0, 1.0)
    return PictureGrid(rows=patches, cols=patches, box=(low, low, high, high))
