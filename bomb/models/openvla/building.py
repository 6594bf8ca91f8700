"""Small OpenVLAs from nothing: a few thousand random weights, and a tokenizer of their own."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from bomb.models.openvla.config import TOWER_NAMES, PrismaticConfig, config_values
from bomb.models.openvla.towers import TowerSizes
from bomb.models.words import small_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SIDE, VOCABULARY, MULTIPLE, WIDTH = 56, 512, 64, 32

SMALL_TOWERS = (
    TowerSizes(width=16, depth=3, heads=2, mlp=32, registers=4, class_token=True, layer_scale=True),
    TowerSizes(width=24, depth=3, heads=3, mlp=40, pool=True),
)


def tiny_config() -> PrismaticConfig:
    """Two towers of three blocks, two layers of Llama, 16 patches, action tokens 256 to 511."""
    text = {
        "vocab_size": VOCABULARY + MULTIPLE,
        "hidden_size": WIDTH,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5,
        "pad_token_id": VOCABULARY,
    }
    towers = [asdict(tower) for tower in SMALL_TOWERS]
    values = config_values(text, TOWER_NAMES, side=SIDE, multiple=MULTIPLE, bomb_towers=towers)
    return PrismaticConfig.from_dict(values)


def tiny_tokenizer(texts: Iterable[str], size: int) -> "PreTrainedTokenizerFast":
    """A tokenizer with Llama's special tokens and ``size`` ids, the last 256 of which are no words."""
    return small_tokenizer(texts, size=size)
