"""LLaVA 1.5 (Liu et al. 2023, arXiv:2310.03744): CLIP's layer before the last, an MLP, Llama."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from bomb.models.backbones.base import Backbone, Colours
from bomb.models.vla import Layer


class Llava(Backbone):
    """LLaVA 1.5."""

    name: ClassVar[str] = "llava"
    template: str = "<s>USER: {pictures}\nWhat action should the robot take to {instruction}? ASSISTANT:"
    special: ClassVar[tuple[str, ...]] = ("<image>",)
    colours: ClassVar[Colours] = Colours(
        mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)
    )

    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "vision": ("model.model.vision_tower.",),
        "projector": ("model.model.multi_modal_projector.",),
        "words": ("model.model.language_model.embed_tokens.",),
        "language": ("model.model.language_model.", "model.lm_head."),
    }

    @classmethod
    def kind(cls) -> Any:
        from transformers import LlavaForConditionalGeneration

        return LlavaForConditionalGeneration

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        from transformers import LlavaConfig

        return LlavaConfig(
            text_config={"model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
                         "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": vocabulary},
            vision_config={"model_type": "clip_vision_model", "hidden_size": 24, "intermediate_size": 40,
                           "num_hidden_layers": 3, "num_attention_heads": 3, "image_size": 56,
                           "patch_size": 14, "projection_dim": 16},
            image_token_id=4,
        )  # fmt: skip

    @classmethod
    def published(cls) -> Any:
        """llava-1.5-7b-hf."""
        from transformers import LlavaConfig

        return LlavaConfig(
            text_config={"model_type": "llama", "vocab_size": 32064},
            vision_config={"model_type": "clip_vision_model", "hidden_size": 1024, "intermediate_size": 4096,
                           "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 336,
                           "patch_size": 14, "projection_dim": 768},
            image_token_id=32000,
        )  # fmt: skip

    @property
    def tower(self) -> Any:
        return self.model.model.vision_tower

    @property
    def language(self) -> Any:
        return self.model.model.language_model

    @property
    def _read(self) -> int:
        """Layers of the tower that are read."""
        layer = int(self.model.config.vision_feature_layer)
        count = int(self.model.config.vision_config.num_hidden_layers)
        return layer if layer >= 0 else count + 1 + layer

    def see(self, pixels: Tensor) -> Tensor:
        inside = self.model.model
        states = inside.vision_tower(pixels, output_hidden_states=True).hidden_states
        return inside.multi_modal_projector(states[self._read][:, 1:])

    @property
    def layers(self) -> tuple[Layer, ...]:
        count = self.model.config.vision_config.num_hidden_layers
        return tuple(
            layer
            for layer in super().layers
            if layer.stream != "vision" or layer.index < min(self._read, count)
        )
