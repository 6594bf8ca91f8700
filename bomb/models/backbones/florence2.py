"""Florence-2 (Xiao et al. 2023, arXiv:2311.06242): DaViT, an encoder that reads all, a decoder that answers.

The encoder reads pictures and words; learned vectors go to the decoder, which sees what the encoder made of
them. So there is no order in which words or moments could follow one another (``chained``), and the
structures of RoboVLMs that regress one moment by itself are those that fit.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from bomb.models import masks
from bomb.models.backbones.base import Backbone, Colours
from bomb.models.backbones.inside import bart_layers
from bomb.models.sequences import Learned, Patches
from bomb.models.vla import Batch, Layer
from bomb.models.words import Tokens

WHOLE = "@whole"  # after a camera's name: the token of the whole picture


class Florence2(Backbone):
    """Florence-2."""

    name: ClassVar[str] = "florence2"
    template: str = "{pictures}<s>{instruction}\n"
    special: ClassVar[tuple[str, ...]] = ("<image>",)
    together: ClassVar[bool] = True
    chained: ClassVar[bool] = False
    colours: ClassVar[Colours] = Colours(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), side=768)
    tiny_side: ClassVar[int] = 32
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "vision": ("model.model.vision_tower.",),
        "projector": ("model.model.multi_modal_projector.",),
        "words": ("model.model.language_model.shared.",),
        "language": ("model.model.language_model.",),
    }

    @classmethod
    def kind(cls) -> Any:
        from transformers import Florence2ForConditionalGeneration

        return Florence2ForConditionalGeneration

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        from transformers import Florence2Config

        return Florence2Config(
            text_config={"model_type": "bart", "vocab_size": vocabulary, "d_model": 32, "encoder_layers": 2,
                         "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
                         "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 256,
                         "dropout": 0.0, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
                         "decoder_start_token_id": 2, "forced_eos_token_id": 2},
            vision_config={"depths": (1, 1), "patch_size": (7, 3), "patch_stride": (4, 2),
                           "patch_padding": (3, 1), "patch_prenorm": (False, True), "embed_dim": (16, 24),
                           "num_heads": (2, 3), "num_groups": (2, 3), "window_size": 4,
                           "drop_path_rate": 0.0, "projection_dim": 32},
            image_token_id=4,
        )  # fmt: skip

    @classmethod
    def published(cls) -> Any:
        """Florence-2-large."""
        from transformers import Florence2Config

        return Florence2Config(
            text_config={"model_type": "bart", "vocab_size": 51290, "d_model": 1024,
                         "max_position_embeddings": 4096},
            vision_config={"embed_dim": (256, 512, 1024, 2048), "num_heads": (8, 16, 32, 64),
                           "num_groups": (8, 16, 32, 64), "projection_dim": 1024},
        )  # fmt: skip

    @property
    def side(self) -> int:
        return self.shown.side

    @property
    def grid(self) -> tuple[int, int]:
        n = self.side
        for stride in self.model.config.vision_config.patch_stride:
            n = -(-n // stride)
        return n, n

    @property
    def seen(self) -> int:
        return super().seen + 1

    @property
    def tower(self) -> Any:
        return self.model.model.vision_tower

    @property
    def language(self) -> Any:
        return self.model.model.language_model

    def see(self, pixels: Tensor) -> Tensor:
        return self.model.model.multi_modal_projector(self.tower(pixels).last_hidden_state)

    def prompt(self, instruction: str, cameras: Sequence[str]) -> list[Tokens | Patches | Learned]:
        pieces: list[Tokens | Patches | Learned] = []
        for piece in super().prompt(instruction, cameras):
            if isinstance(piece, Patches):
                pieces.append(Patches(camera=piece.camera + WHOLE, rows=1, cols=1))
            pieces.append(piece)
        return pieces

    def forward(self, batch: Batch, learned: Tensor | None = None, steps: Tensor | None = None) -> Tensor:
        count = 0 if learned is None else learned.shape[1]
        every = self.embed(batch, learned)
        size = every.shape[1] - count
        asked, mask = every[:, :size], batch.attention_mask[:, :size]
        x = self._placed(self.language.encoder, asked, batch.position_ids[:, :size])
        allowed = masks.additive(masks.full(mask), x.dtype)
        for layer in self.language.encoder.layers:
            x = layer(x, allowed)
        if not count:
            return x
        places = torch.arange(count, device=x.device).expand(len(x), -1)
        y = self._placed(self.language.decoder, every[:, size:], places)
        order = masks.additive(masks.causal(torch.ones_like(places, dtype=torch.bool)), y.dtype)
        across = masks.additive(mask[:, None].expand(-1, count, -1), y.dtype)
        for layer in self.language.decoder.layers:
            y = layer(y, order, x, encoder_attention_mask=across, use_cache=False)
        return torch.cat([x, y], dim=1)

    @staticmethod
    def _placed(part: Any, x: Tensor, places: Tensor) -> Tensor:
        x = part.layernorm_embedding(x + functional.embedding(places + 2, part.embed_positions.weight))
        return functional.dropout(x, p=part.dropout, training=part.training)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return bart_layers(self.tower.blocks, self.language)
