"""Qwen2.5-VL (Bai et al. 2025, arXiv:2502.13923): positions of three axes, pictures of any size."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from bomb.models.backbones.base import Backbone, Colours
from bomb.models.backbones.inside import decoder_layers, grid_positions
from bomb.models.sequences import Sequences
from bomb.models.vla import Layer

SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
TINY_TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
             "num_key_value_heads": 2, "tie_word_embeddings": True}  # fmt: skip
ROPE = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6}


class Qwen25VL(Backbone):
    """Qwen2.5-VL."""

    name: ClassVar[str] = "qwen2_5_vl"
    template: str = (
        SYSTEM + "{pictures}What action should the robotic arm take to {instruction}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    before: str = "<|vision_start|>"
    after: str = "<|vision_end|>"
    special: ClassVar[tuple[str, ...]] = (
        "<|im_start|>",
        "<|im_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|image_pad|>",
    )
    colours: ClassVar[Colours] = Colours(
        mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711), side=224
    )
    tiny_side: ClassVar[int] = 56

    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "vision": ("model.model.visual.",),
        "words": ("model.model.language_model.embed_tokens.",),
        "language": ("model.model.language_model.",),
    }

    @classmethod
    def kind(cls) -> Any:
        from transformers import Qwen2_5_VLForConditionalGeneration

        return Qwen2_5_VLForConditionalGeneration

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        from transformers import Qwen2_5_VLConfig

        return Qwen2_5_VLConfig(
            text_config={**TINY_TEXT, "vocab_size": vocabulary, "rope_parameters": ROPE},
            vision_config={"depth": 2, "hidden_size": 24, "intermediate_size": 40, "num_heads": 3,
                           "out_hidden_size": 32, "patch_size": 7, "window_size": 28,
                           "fullatt_block_indexes": [1]},
            vision_start_token_id=6, vision_end_token_id=7, image_token_id=8, video_token_id=9,
            tie_word_embeddings=True,
        )  # fmt: skip

    @classmethod
    def published(cls) -> Any:
        """Qwen2.5-VL-3B-Instruct."""
        from transformers import Qwen2_5_VLConfig

        return Qwen2_5_VLConfig(
            text_config={"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36,
                         "num_attention_heads": 16, "num_key_value_heads": 2, "vocab_size": 151936,
                         "tie_word_embeddings": True},
            vision_config={"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
                           "out_hidden_size": 2048},
            tie_word_embeddings=True,
        )  # fmt: skip

    @property
    def side(self) -> int:
        return self.shown.side

    @property
    def _vision(self) -> Any:
        return self.model.config.vision_config

    @property
    def grid(self) -> tuple[int, int]:
        n = self.side // (self._vision.patch_size * self._vision.spatial_merge_size)
        return n, n

    @property
    def tower(self) -> Any:
        return self.model.model.visual

    @property
    def language(self) -> Any:
        return self.model.model.language_model

    def cut(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures as the tower takes them: flat patches, merged ones side by side, and sizes in patches."""
        size, merge = self._vision.patch_size, self._vision.spatial_merge_size
        n, side = len(pixels), self.side // size
        x = pixels.reshape(n, 3, side // merge, merge, size, side // merge, merge, size)
        x = x.permute(0, 2, 5, 3, 6, 1, 4, 7)  # rows, cols, merged rows, merged cols, colours, pixels
        x = x.reshape(n * side * side, 3, 1, size, size)
        x = x.expand(-1, -1, self._vision.temporal_patch_size, -1, -1).flatten(1)
        return x, torch.tensor([[1, side, side]] * n, device=pixels.device)

    def see(self, pixels: Tensor) -> Tensor:
        patches, sizes = self.cut(pixels)
        merged = self.model.model.visual(patches, grid_thw=sizes).pooler_output
        return merged.unflatten(0, (len(pixels), -1))

    def positions(self, sequences: Sequences) -> Tensor:
        masks = sequences.mask.cpu().numpy()
        rows = [grid_positions(layout, mask) for layout, mask in zip(sequences.layouts, masks, strict=True)]
        return torch.from_numpy(np.stack(rows)).to(sequences.mask.device)

    def native(self, ids: Tensor, pixels: Tensor) -> dict[str, Any]:
        patches, sizes = self.cut(pixels)
        kinds = (ids == self.image_token).int()
        return {
            "input_ids": ids,
            "pixel_values": patches,
            "image_grid_thw": sizes,
            "mm_token_type_ids": kinds,
        }

    @property
    def layers(self) -> tuple[Layer, ...]:
        blocks = tuple(
            Layer(
                stream="vision",
                index=k,
                module=block,
                attention=block.attn,
                output_projection=block.attn.proj,
                mlp=block.mlp,
                heads=self._vision.num_heads,
                head_dim=self._vision.hidden_size // self._vision.num_heads,
            )
            for k, block in enumerate(self.model.model.visual.blocks)
        )
        return (*blocks, *decoder_layers(self.language.layers))
