"""SpatialVLA's network: SigLIP, Ego3D positions, Gemma 2, and embeddings of the action tokens."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from bomb.models.initial import lively
from bomb.models.spatialvla.config import SpatialVLAConfig
from bomb.models.spatialvla.ego3d import PositionEmbedding, back_project, zoe_depth, zoe_input
from core.errors import OptionError

if TYPE_CHECKING:
    from transformers import Cache


class Projector(nn.Module):
    """Patches into the language model's space."""

    def __init__(self, vision: int, language: int):
        super().__init__()
        self.linear = nn.Linear(vision, language)

    def forward(self, patches: Tensor) -> Tensor:
        return self.linear(patches)


class SpatialNetwork(nn.Module):
    """The whole network.

    Public code divides embedded patches by sqrt(width) and Gemma multiplies everything by it; today's Gemma
    scales words alone, so patches are left as they are.

    Args:
        config: of its parts.
        attention: implementation of Gemma's attention; only ``eager`` caps its scores.
    """

    def __init__(self, config: SpatialVLAConfig, *, attention: str = "eager"):
        from transformers import (
            Gemma2Config,
            Gemma2ForCausalLM,
            SiglipVisionConfig,
            SiglipVisionModel,
            ZoeDepthConfig,
            ZoeDepthForDepthEstimation,
        )

        super().__init__()
        self.config, self.together = config, True  # a question looks at all of itself
        text = Gemma2Config(**_plain(config.text), attn_implementation=attention)
        vision = SiglipVisionConfig(**{**_plain(config.vision), "vision_use_head": False})
        self.vision_tower = SiglipVisionModel(vision)
        self.multi_modal_projector = Projector(vision.hidden_size, text.hidden_size)
        self.position_embedding_3d = PositionEmbedding(vision.hidden_size, config.reso, config.frequencies)
        self.language_model = Gemma2ForCausalLM(text)
        if config.spatial:
            self.spatial_embed_tokens = nn.Embedding(config.tokens, text.hidden_size)
        if config.zoe is not None:
            self.vision_zoe_model = ZoeDepthForDepthEstimation(ZoeDepthConfig(**_plain(config.zoe)))
            self.vision_zoe_model.requires_grad_(False)

    def train(self, mode: bool = True) -> "SpatialNetwork":
        """As ever, but that the depth network, which is not trained, drops nothing out."""
        super().train(mode)
        if hasattr(self, "vision_zoe_model"):
            self.vision_zoe_model.eval()
        return self

    def tie_weights(self) -> None:
        """Gemma's head is its embedding."""
        self.language_model.tie_weights()

    def initialise(self) -> None:
        """Random weights of a size at which pictures and words matter; torch's generator."""
        lively(self)
        width = self.language_model.config.hidden_size
        # Gemma multiplies embeddings by sqrt(width), and reads its answer off the same table.
        for part in (self.language_model.model.embed_tokens, getattr(self, "spatial_embed_tokens", None)):
            if part is not None:
                nn.init.normal_(part.weight, std=1 / math.sqrt(width))

    def words(self, ids: Tensor) -> Tensor:
        """Embedded words, float[B, T, d]."""
        embed = self.language_model.model.embed_tokens
        found = embed(ids)
        if not self.config.spatial:
            return found
        index = ids - self.config.begin
        acts = (index >= 0) & (index < self.config.tokens)
        other = self.spatial_embed_tokens(index.clamp(0, self.config.tokens - 1))
        return torch.where(acts[..., None], other * math.sqrt(other.shape[-1]), found)

    @torch.no_grad()
    def estimate(self, pictures: Tensor) -> Tensor:
        """Depth in metres, float[n, side, side], that ZoeDepth sees in pictures from 0 to 1.

        Raises:
            OptionError: if the network has no ZoeDepth.
        """
        if self.config.zoe is None:
            raise OptionError("this network has no ZoeDepth, so depth must be given")
        size = self.config.zoe["backbone_config"]["image_size"]
        predicted = self.vision_zoe_model(zoe_input(pictures, size)).predicted_depth
        return zoe_depth(predicted, self.config.side)

    def see(self, pictures: Tensor, depth: Tensor, intrinsics: Tensor) -> Tensor:
        """Embedded patches, float[n, patches^2, d].

        Args:
            pictures: float[n, 3, side, side], from 0 to 1.
            depth: float[n, H, W], in metres.
            intrinsics: float[n, 3, 3], for pictures of H by W pixels.
        """
        seen = self.vision_tower((pictures - 0.5) / 0.5).last_hidden_state
        points = back_project(depth, intrinsics, self.config.patches, self.config.reso)
        return self.multi_modal_projector(seen + self.position_embedding_3d(points))

    def hidden(
        self, embeddings: Tensor, mask: Tensor, positions: Tensor, cache: "Cache | None" = None
    ) -> Tensor:
        """Outputs of the language model's last norm, float[B, L, d]; see ``bomb.models.openvla.network``."""
        return self.language_model.model(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        """float32[..., vocabulary], capped as Gemma 2 has it."""
        found = self.language_model.lm_head(hidden).float()
        cap = self.language_model.config.final_logit_softcapping
        return found if cap is None else torch.tanh(found / cap) * cap


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in ("model_type", "torch_dtype")}
