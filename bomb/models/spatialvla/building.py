"""Small SpatialVLAs from nothing: a few thousand random weights, and a tokenizer of their own."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bomb.models.codecs.spatial import AXES
from bomb.models.spatialvla.config import SpatialVLAConfig
from bomb.models.words import small_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TINY_BINS = dict.fromkeys(AXES, 4)
VOCABULARY, TINY_TOKENS = 320, 2 * 4**3 + 2


def action_words(count: int) -> list[str]:
    """The names of action tokens in a tokenizer."""
    return [f"<ACTION{k:05d}>" for k in range(count)]


def tiny_tokenizer(texts: Iterable[str]) -> "PreTrainedTokenizerFast":
    """A tokenizer with action tokens from id 4 on."""
    return small_tokenizer(texts, special=action_words(TINY_TOKENS), size=VOCABULARY)


def tiny_config(begin: int) -> SpatialVLAConfig:
    """Two layers each, pictures of 56 pixels; ZoeDepth looks at 64."""
    text = {"model_type": "gemma2", "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48,
            "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8, "num_key_value_heads": 2,
            "query_pre_attn_scalar": 8, "sliding_window": 4096, "final_logit_softcapping": 30.0,
            "attn_logit_softcapping": 50.0, "bos_token_id": 1, "eos_token_id": 2,
            "pad_token_id": 0}  # fmt: skip
    vision = {"model_type": "siglip_vision_model", "hidden_size": 24, "intermediate_size": 40,
              "num_hidden_layers": 2, "num_attention_heads": 3, "image_size": 56,
              "patch_size": 14}  # fmt: skip
    beit = {"model_type": "beit", "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2,
            "intermediate_size": 32, "image_size": 64, "patch_size": 16, "reshape_hidden_states": False,
            "use_absolute_position_embeddings": True, "out_indices": [1, 2, 3, 4]}  # fmt: skip
    zoe = {"model_type": "zoedepth", "backbone_config": beit, "backbone_hidden_size": 16,
           "neck_hidden_sizes": [8, 8, 8, 8], "fusion_hidden_size": 8, "bottleneck_features": 8,
           "num_attractors": [4, 2, 2, 1], "bin_embedding_dim": 8, "num_patch_transformer_layers": 1,
           "patch_transformer_hidden_size": 8, "patch_transformer_intermediate_size": 16,
           "patch_transformer_num_attention_heads": 2,
           "bin_configurations": [{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0,
                                   "name": "nyu"}]}  # fmt: skip
    return SpatialVLAConfig.from_dict(config_values(text, vision, zoe, begin=begin, tokens=TINY_TOKENS))


def config_values(
    text: dict[str, Any], vision: dict[str, Any], zoe: dict[str, Any], *, begin: int, tokens: int
) -> dict[str, Any]:
    """The contents of a ``config.json``."""
    return {
        "model_type": "spatialvla",
        "architectures": ["SpatialVLAForConditionalGeneration"],
        "text_config": text,
        "vision_config": vision,
        "vision_zoe_config": zoe,
        "action_token_begin_idx": begin,
        "spatial_token_num": tokens,
        "use_spatial_token": True,
        "ego3d_patch_reso": 2,
        "n_freqs": 8,
        "use_vision_zoe": True,
    }
