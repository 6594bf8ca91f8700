"""Kosmos-2 (Peng et al. 2023, arXiv:2306.14824): CLIP, a resampler of 64 queries, a causal decoder.

The tokens of a picture are its queries. None of them is of a place in the picture, so ``grid`` only counts.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor
from torch.nn import functional

from bomb.models.backbones.base import Backbone, Colours
from bomb.models.backbones.inside import decoder_layers, vision_layers
from bomb.models.memory import Memory
from bomb.models.sequences import Sequences
from bomb.models.vla import Layer

if TYPE_CHECKING:
    from transformers import Cache


class Kosmos2(Backbone):
    """Kosmos-2."""

    name: ClassVar[str] = "kosmos2"
    template: str = "<s>{pictures}<p>{instruction}\n</p>"
    before: str = "<image>"
    after: str = "</image>"
    special: ClassVar[tuple[str, ...]] = ("<image>", "</image>", "<p>", "</p>")
    colours: ClassVar[Colours] = Colours(
        mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)
    )
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "vision": ("model.vision_model.",),
        "projector": ("model.image_to_text_projection.",),
        "words": ("model.text_model.model.embed_tokens.",),
        "language": ("model.text_model.",),
    }

    @classmethod
    def kind(cls) -> Any:
        from transformers import Kosmos2ForConditionalGeneration

        return Kosmos2ForConditionalGeneration

    @classmethod
    def tiny_config(cls, vocabulary: int) -> Any:
        from transformers import Kosmos2Config

        return Kosmos2Config(
            text_config={"vocab_size": vocabulary, "embed_dim": 32, "layers": 2, "ffn_dim": 48,
                         "attention_heads": 4, "dropout": 0.0, "attention_dropout": 0.0},
            vision_config={"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
                           "num_attention_heads": 3, "image_size": 56, "patch_size": 14},
            latent_query_num=16,
        )  # fmt: skip

    @classmethod
    def published(cls) -> Any:
        """kosmos-2-patch14-224."""
        from transformers import Kosmos2Config

        return Kosmos2Config()

    @property
    def grid(self) -> tuple[int, int]:
        n = math.isqrt(self.model.config.latent_query_num)
        return n, n

    @property
    def tower(self) -> Any:
        return self.model.vision_model.model

    @property
    def language(self) -> Any:
        return self.model.text_model.model

    def see(self, pixels: Tensor) -> Tensor:
        states = self.tower.post_layernorm(self.tower(pixels).last_hidden_state)
        return self.model.image_to_text_projection(functional.normalize(states, dim=-1))[0]

    def positions(self, sequences: Sequences) -> Tensor:
        return sequences.positions + self.language.embed_positions.padding_idx + 1

    def hidden(
        self,
        embeddings: Tensor,
        mask: Tensor,
        positions: Tensor,
        cache: "Cache | Memory | None" = None,
        decoder: Any = None,
    ) -> Tensor:
        decoder = decoder or self.language
        places = decoder.embed_positions(inputs_embeds=embeddings, position_ids=positions.contiguous())
        x = embeddings * decoder.embed_scale + places.to(embeddings.dtype)
        x = functional.dropout(x, p=decoder.dropout, training=decoder.training)
        for layer in decoder.layers:
            x = layer(x, mask, past_key_values=cache)
        return decoder.layer_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return self.model.text_model.lm_head(hidden).float()

    def native(self, ids: Tensor, pixels: Tensor) -> dict[str, Any]:
        there = ids == self.image_token
        # The id of a place is not looked up, and must not be that of padding.
        return {"input_ids": ids.masked_fill(there, 3), "pixel_values": pixels,
                "image_embeds_position_mask": there.int()}  # fmt: skip

    @property
    def image_token(self) -> int:
        return -1

    @property
    def layers(self) -> tuple[Layer, ...]:
        heads = self.model.config.vision_config.num_attention_heads
        return (
            *vision_layers(self.tower.encoder.layers, heads),
            *decoder_layers(self.language.layers, projection="out_proj", mlp="ffn"),
        )
