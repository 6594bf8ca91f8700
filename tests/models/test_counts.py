"""Published numbers of parameters, without weights: networks on the meta device."""

import pytest
import torch
from torch import nn

from bomb.models.backbones.building import PUBLISHED, published_model
from bomb.models.heads.resnet import NumberProjector
from bomb.models.lora import LoRA, add_lora
from bomb.models.pi0.config import GEMMA, HEADS, SO400M, WORDS, sized
from bomb.models.pi0.family import Pi0
from bomb.models.registry import BACKBONES
from bomb.models.spatialvla.building import config_values
from bomb.models.spatialvla.config import SpatialVLAConfig
from bomb.models.spatialvla.network import SpatialNetwork
from tests.models.test_openvla_public import published, with_meta


def size(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def oft() -> nn.Module:
    """What reads the state, as a public log of training counts it."""
    return NumberProjector(4, 4096)


def pi0() -> nn.Module:
    sizes = [{**GEMMA[name], **HEADS} for name in ("gemma_2b", "gemma_300m")]
    return Pi0.make_network(sized(SO400M, *sizes, WORDS))


def spatialvla() -> nn.Module:
    """PaliGemma 2 with 8194 more words, their own embeddings, and ZoeDepth as transformers has it."""
    from transformers import ZoeDepthConfig

    paligemma = BACKBONES.load("paligemma2").published()
    text = {**paligemma.text_config.to_dict(), "vocab_size": 257_153 + 8194}
    values = config_values(
        text, paligemma.vision_config.to_dict(), ZoeDepthConfig().to_dict(), begin=257_153, tokens=8194
    )
    return SpatialNetwork(SpatialVLAConfig.from_dict(values))


COUNTS = {
    "openvla-oft": (oft, 16_801_792),
    "pi0": (pi0, 3_501_372_176),
    "qwen2_5_vl": (None, 3_754_622_976),  # from here on VLM4VLA's Table 9
    "qwen3_vl": (None, 2_127_532_032),
    "paligemma": (None, 2_923_466_480),
    "paligemma2": (None, 3_032_242_416),
    "kosmos2": (None, 1_664_485_376),
}


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    make, count = COUNTS[name]
    with torch.device("meta"):
        network = published_model(BACKBONES.load(name)) if make is None else make()
    assert size(network) == count
    assert make is not None or PUBLISHED[name] == count


def test_openvla_and_its_adapters():
    network = with_meta(published())
    assert size(network) == 7_541_237_184
    add_lora(network, LoRA(rank=32, alpha=16))
    assert size(network) == 7_652_065_472
    assert sum(w.numel() for w in network.parameters() if w.requires_grad) == 110_828_288


def test_spatialvla_is_made_of_published_parts():
    """Gemma 2 2B has 2,614,341,888 parameters with its 256,000 words, PaliGemma's tower 412,442,352."""
    with torch.device("meta"):
        network = spatialvla()
    parts = {name: size(part) for name, part in network.named_children()}
    assert parts["vision_tower"] == 412_442_352
    assert parts["language_model"] == 2_614_341_888 + (257_153 + 8194 - 256_000) * 2304
    assert parts["spatial_embed_tokens"] == 8194 * 2304
    # Files keep the tied head apart, hence the "4B" of its name.
    assert round((size(network) + (257_153 + 8194) * 2304) / 1e9) == 4
