"""PaliGemma 1 and 2 (Beyer et al. 2024, arXiv:2407.07726; Steiner et al. 2024, arXiv:2412.03555).

SigLIP and Gemma. All of a prompt looks at all of it, and positions begin at one. Pictures stand first.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from bomb.models.backbones.base import Backbone
from bomb.models.sequences import Sequences

SO400M = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
          "image_size": 224, "patch_size": 14, "vision_use_head": False}  # fmt: skip
TINY_VISION = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 3,
               "image_size": 56, "patch_size": 14, "vision_use_head": False}  # fmt: skip
TINY_TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 1, "head_dim": 8, "pad_token_id": 0}  # fmt: skip


class PaliGemma(Backbone):
    """PaliGemma: Gemma 2B behind SigLIP."""

    name: ClassVar[str] = "paligemma"
    template: str = "{pictures}<bos>{instruction}\n"
    special: ClassVar[tuple[str, ...]] = ("<bos>", "<image>")
    together: ClassVar[bool] = True

    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "vision": ("model.model.vision_tower.",),
        "projector": ("model.model.multi_modal_projector.",),
        "words": ("model.model.language_model.embed_tokens.",),
        "language": ("model.model.language_model.",),
    }

    @classmethod
    def kind(cls) -> Any:
        from transformers import PaliGemmaForConditionalGeneration

        return PaliGemmaForConditionalGeneration

    @classmethod
    def config(cls, text: dict[str, Any], vision: dict[str, Any], image_token: int) -> Any:
        """A configuration of the family."""
        from transformers import PaliGemmaConfig

        return PaliGemmaConfig(
            text_config=text,
            vision_config={"model_type": "siglip_vision_model", **vision},
            projection_dim=text["hidden_size"],
            hidden_size=text["hidden_size"],
            image_token_id=image_token,
        )

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        text = {"model_type": "gemma", **TINY_TEXT, "vocab_size": vocabulary}
        return cls.config(text, TINY_VISION, 5)

    @classmethod
    def published(cls) -> Any:
        """paligemma-3b-pt-224."""
        text = {"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384,
                "num_hidden_layers": 18, "num_attention_heads": 8, "num_key_value_heads": 1, "head_dim": 256,
                "vocab_size": 257216}  # fmt: skip
        return cls.config(text, SO400M, 257152)

    @property
    def tower(self) -> Any:
        return self.model.model.vision_tower

    @property
    def language(self) -> Any:
        return self.model.model.language_model

    def see(self, pixels: Tensor) -> Tensor:
        inside = self.model.model
        return inside.multi_modal_projector(inside.vision_tower(pixels).last_hidden_state)

    def positions(self, sequences: Sequences) -> Tensor:
        return sequences.positions + 1

    def native(self, ids: Tensor, pixels: Tensor) -> dict[str, Any]:
        return {"input_ids": ids, "pixel_values": pixels, "token_type_ids": torch.zeros_like(ids)}


class PaliGemma2(PaliGemma):
    """PaliGemma 2: Gemma 2 2B behind SigLIP."""

    name: ClassVar[str] = "paligemma2"

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        text = {"model_type": "gemma2", **TINY_TEXT, "vocab_size": vocabulary, "query_pre_attn_scalar": 8}
        return cls.config(text, TINY_VISION, 5)

    @classmethod
    def published(cls) -> Any:
        """paligemma2-3b-pt-224."""
        text = {"model_type": "gemma2", "hidden_size": 2304, "intermediate_size": 9216,
                "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
                "vocab_size": 257216}  # fmt: skip
        return cls.config(text, SO400M, 257152)
