"""OpenVLA's network: towers, projector, Llama. Parameters have the names of the public checkpoints."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.initial import lively
from bomb.models.openvla.config import PrismaticConfig
from bomb.models.openvla.towers import Tower, initialise

if TYPE_CHECKING:
    from transformers import Cache


class Vision(nn.Module):
    """One tower, or two whose channels lie side by side."""

    def __init__(self, config: PrismaticConfig):
        super().__init__()
        self.featurizer = Tower(config.towers[0], config.side)
        if len(config.towers) == 2:
            self.fused_featurizer = Tower(config.towers[1], config.side)

    @property
    def towers(self) -> list[Tower]:
        """In the order of their channels."""
        return [getattr(self, name) for name in ("featurizer", "fused_featurizer") if hasattr(self, name)]

    def forward(self, pixels: Tensor, *context: Tensor) -> Tensor:
        """Patches, float[B, pictures * n, width], of float[B, pictures * 3 * towers, side, side].

        ``context`` is what blocks that are conditioned on something take beside their input.
        """
        towers = self.towers
        found = []
        for picture in pixels.split(3 * len(towers), dim=1):
            parts = [
                tower(part, *context) for tower, part in zip(towers, picture.split(3, dim=1), strict=True)
            ]
            found.append(torch.cat(parts, dim=-1))
        return torch.cat(found, dim=1)


class Projector(nn.Module):
    """Patches into the language model's space: three layers for two towers, two for one."""

    def __init__(self, vision: int, language: int, *, fused: bool):
        super().__init__()
        if fused:
            self.fc1, self.fc2 = nn.Linear(vision, 4 * vision), nn.Linear(4 * vision, language)
            self.fc3 = nn.Linear(language, language)
        else:
            self.fc1, self.fc2 = nn.Linear(vision, language), nn.Linear(language, language)

    def forward(self, patches: Tensor) -> Tensor:
        x = self.fc2(functional.gelu(self.fc1(patches)))
        return self.fc3(functional.gelu(x)) if hasattr(self, "fc3") else x


class Prismatic(nn.Module):
    """The whole network.

    Args:
        config: of its parts.
        attention: implementation that the language model uses, ``sdpa`` or ``eager``.
    """

    def __init__(self, config: PrismaticConfig, *, attention: str = "sdpa"):
        from transformers import LlamaConfig, LlamaForCausalLM

        super().__init__()
        self.vision_backbone = Vision(config)
        width = sum(tower.width for tower in config.towers)
        text = {key: value for key, value in config.text.items() if key not in ("model_type", "torch_dtype")}
        language = LlamaConfig(**text, attn_implementation=attention)
        self.projector = Projector(width, language.hidden_size, fused=len(config.towers) == 2)
        self.language_model = LlamaForCausalLM(language)

    def initialise(self) -> None:
        """Random weights of a size at which pictures and words matter; torch's generator."""
        lively(self)
        for tower in self.vision_backbone.towers:
            initialise(tower)

    def words(self, ids: Tensor) -> Tensor:
        """Embedded words, float[B, T, d]."""
        return self.language_model.model.embed_tokens(ids)

    def patches(self, pixels: Tensor, *context: Tensor) -> Tensor:
        """Embedded patches, float[B, n, d]."""
        return self.projector(self.vision_backbone(pixels, *context))

    def hidden(
        self, embeddings: Tensor, mask: Tensor, positions: Tensor, cache: "Cache | None" = None
    ) -> Tensor:
        """Outputs of the language model's last norm, float[B, L, d].

        Args:
            embeddings: float[B, L, d].
            mask: float[B, 1, L, keys], see ``bomb.models.masks``.
            positions: int64[B, L].
            cache: keys and values of what came before, added to; None: nothing came before.
        """
        return self.language_model.model(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        """float32[..., vocabulary]."""
        return self.language_model.lm_head(hidden).float()
