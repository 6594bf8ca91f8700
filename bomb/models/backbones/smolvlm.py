"""SmolVLM (Marafioti et al. 2025, arXiv:2504.05299): SigLIP, pixel shuffle, a Llama-like decoder.

Pictures are not split into tiles, so that a picture has one grid of tokens. The prompt is the model's own
chat form.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from bomb.models.backbones.base import Backbone


class SmolVLM(Backbone):
    """SmolVLM and SmolVLM2."""

    name: ClassVar[str] = "smolvlm"
    template: str = (
        "<|im_start|>User:{pictures}What action should the robot take to {instruction}?"
        "<end_of_utterance>\nAssistant:"
    )
    before: str = "<fake_token_around_image><global-img>"
    after: str = "<fake_token_around_image>"
    special: ClassVar[tuple[str, ...]] = (
        "<|im_start|>",
        "<end_of_utterance>",
        "<fake_token_around_image>",
        "<global-img>",
        "<image>",
    )

    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "vision": ("model.model.vision_model.",),
        "projector": ("model.model.connector.",),
        "words": ("model.model.text_model.embed_tokens.",),
        "language": ("model.model.text_model.", "model.lm_head."),
    }

    @classmethod
    def kind(cls) -> Any:
        from transformers import SmolVLMForConditionalGeneration

        return SmolVLMForConditionalGeneration

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        from transformers import SmolVLMConfig

        return SmolVLMConfig(
            text_config={"model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
                         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                         "vocab_size": vocabulary, "pad_token_id": 0},
            vision_config={"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
                           "num_attention_heads": 3, "image_size": 64, "patch_size": 8},
            scale_factor=2, image_token_id=8, pad_token_id=0, tie_word_embeddings=False,
        )  # fmt: skip

    @classmethod
    def published(cls) -> Any:
        """SmolVLM2-500M-Video-Instruct."""
        from transformers import SmolVLMConfig

        return SmolVLMConfig(
            text_config={"model_type": "llama", "hidden_size": 960, "intermediate_size": 2560,
                         "num_hidden_layers": 32, "num_attention_heads": 15, "num_key_value_heads": 5,
                         "head_dim": 64, "vocab_size": 49280, "pad_token_id": 2},
            vision_config={"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
                           "num_attention_heads": 12, "image_size": 512, "patch_size": 16},
            scale_factor=4, image_token_id=49190, pad_token_id=2, tie_word_embeddings=False,
        )  # fmt: skip

    @property
    def grid(self) -> tuple[int, int]:
        config = self.model.config
        n = config.vision_config.image_size // config.vision_config.patch_size // config.scale_factor
        return n, n

    @property
    def tower(self) -> Any:
        return self.model.model.vision_model

    @property
    def language(self) -> Any:
        return self.model.model.text_model

    def see(self, pixels: Tensor) -> Tensor:
        inside = self.model.model
        return inside.connector(inside.vision_model(pixels).last_hidden_state)

    def native(self, ids: Tensor, pixels: Tensor) -> dict[str, Any]:
        return {"input_ids": ids, "pixel_values": pixels[None]}
