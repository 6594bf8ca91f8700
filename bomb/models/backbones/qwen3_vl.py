"""Qwen3-VL (arXiv:2511.21631): as Qwen2.5-VL, and features of the tower's earlier layers (DeepStack).

They are added to the picture's positions after the first layers of the decoder. Here they ride along as
further channels of the embeddings, zero where there is no picture.
"""

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from bomb.models.backbones.base import Colours
from bomb.models.backbones.qwen2_5_vl import ROPE, TINY_TEXT, Qwen25VL
from bomb.models.memory import Memory

if TYPE_CHECKING:
    from transformers import Cache


class Qwen3VL(Qwen25VL):
    """Qwen3-VL."""

    name: ClassVar[str] = "qwen3_vl"
    colours: ClassVar[Colours] = Colours(side=224)
    tiny_side: ClassVar[int] = 56

    @classmethod
    def kind(cls) -> Any:
        from transformers import Qwen3VLForConditionalGeneration

        return Qwen3VLForConditionalGeneration

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        from transformers import Qwen3VLConfig

        return Qwen3VLConfig(
            text_config={**TINY_TEXT, "vocab_size": vocabulary, "head_dim": 8, "rope_parameters": ROPE},
            vision_config={"depth": 3, "hidden_size": 24, "intermediate_size": 40, "num_heads": 3,
                           "out_hidden_size": 32, "patch_size": 7, "deepstack_visual_indexes": [0, 1],
                           "num_position_embeddings": 64},
            vision_start_token_id=6, vision_end_token_id=7, image_token_id=8, video_token_id=9,
            tie_word_embeddings=True,
        )  # fmt: skip

    @classmethod
    def published(cls) -> Any:
        """Qwen3-VL-2B-Instruct."""
        from transformers import Qwen3VLConfig

        return Qwen3VLConfig(
            text_config={"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28,
                         "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
                         "vocab_size": 151936, "tie_word_embeddings": True},
            vision_config={"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16,
                           "out_hidden_size": 2048, "deepstack_visual_indexes": [5, 11, 17]},
            tie_word_embeddings=True,
        )  # fmt: skip

    @property
    def _deep(self) -> int:
        return len(self._vision.deepstack_visual_indexes)

    def see(self, pixels: Tensor) -> Tensor:
        patches, sizes = self.cut(pixels)
        seen = self.model.model.visual(patches, grid_thw=sizes)
        every = torch.cat([seen.pooler_output, *seen.deepstack_features], dim=-1)
        return every.unflatten(0, (len(pixels), -1))

    def widen(self, vectors: Tensor) -> Tensor:
        return functional.pad(vectors, (0, self.width * self._deep))

    def hidden(
        self,
        embeddings: Tensor,
        mask: Tensor,
        positions: Tensor,
        cache: "Cache | Memory | None" = None,
        decoder: Any = None,
    ) -> Tensor:
        plain, *deep = embeddings.split(self.width, dim=-1)
        everywhere = torch.ones(plain.shape[:2], dtype=torch.bool, device=plain.device)
        return (decoder or self.language)(
            inputs_embeds=plain,
            attention_mask=mask,
            position_ids=positions.transpose(0, 1),
            past_key_values=cache,
            use_cache=cache is not None,
            visual_pos_masks=everywhere,
            deepstack_visual_embeds=[part.flatten(0, 1) for part in deep],
        ).last_hidden_state
