"""pi0.5's action expert: a Gemma whose norms are moved and scaled by the time of the flow (adaRMSNorm).

Attention and MLP are those of transformers; parameters have openpi's names.
"""

from typing import Any

import torch
from torch import Tensor, nn

from bomb.models.memory import Memory


class AdaptiveNorm(nn.Module):
    """RMS norm whose scale, shift and gate, float[B, 1, width] each, are linear in a condition."""

    def __init__(self, width: int, epsilon: float):
        super().__init__()
        self.epsilon = epsilon
        self.dense = nn.Linear(width, 3 * width)
        nn.init.zeros_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """The normed input, and the gate that what is made of it is multiplied by."""
        scale, shift, gate = self.dense(condition)[:, None].chunk(3, dim=-1)
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.epsilon)
        return (wide * (1 + scale.float()) + shift.float()).to(x.dtype), gate.to(x.dtype)


class AdaptiveLayer(nn.Module):
    """A layer of the expert: what attention and MLP add is gated."""

    def __init__(self, config: Any, index: int):
        from transformers.models.gemma.modeling_gemma import GemmaAttention, GemmaMLP

        super().__init__()
        self.self_attn, self.mlp = GemmaAttention(config, index), GemmaMLP(config)
        self.input_layernorm = AdaptiveNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = AdaptiveNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, hidden_states: Tensor, *, condition: Tensor, **given: Any) -> Tensor:
        normed, gate = self.input_layernorm(hidden_states, condition)
        hidden_states = hidden_states + self.self_attn(hidden_states=normed, **given)[0] * gate
        normed, gate = self.post_attention_layernorm(hidden_states, condition)
        return hidden_states + self.mlp(normed) * gate


class AdaptiveExpert(nn.Module):
    """The layers and the last norm; its embeddings of words come with the public files and are not used."""

    def __init__(self, config: Any):
        from transformers.models.gemma.modeling_gemma import GemmaRotaryEmbedding

        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(AdaptiveLayer(config, k) for k in range(config.num_hidden_layers))
        self.norm = AdaptiveNorm(config.hidden_size, config.rms_norm_eps)
        self.rotary = GemmaRotaryEmbedding(config)

    def forward(
        self, x: Tensor, mask: Tensor, positions: Tensor, memory: Memory, condition: Tensor
    ) -> Tensor:
        """float[B, n, width] of the same, see ``bomb.models.masks`` for the mask."""
        turned = self.rotary(x, positions)
        for layer in self.layers:
            x = layer(
                x, condition=condition, attention_mask=mask, position_embeddings=turned,
                past_key_values=memory,
            )  # fmt: skip
        return self.norm(x, condition)[0]


class Pi05Model(nn.Module):
    """What gives both their public names."""

    def __init__(self, vlm: Any, expert: AdaptiveExpert):
        super().__init__()
        self.vlm: Any = vlm
        self.dit = expert


class Pi05Network(nn.Module):
    """PaliGemma, the expert, and what makes actions and times of it.

    Args:
        config: a ``PI0Config`` of transformers, for its sizes.
    """

    def __init__(self, config: Any):
        super().__init__()
        from transformers import AutoModel
        from transformers.models.pi0.modeling_pi0 import PI0TimestepEmbeddings

        width = config.dit_config.hidden_size
        self.config = config
        vlm = AutoModel.from_config(config.vlm_config)
        for part in (config.dit_config, config.vlm_config.text_config):
            part._attn_implementation = part._attn_implementation or "sdpa"
        self.model = Pi05Model(vlm, AdaptiveExpert(config.dit_config))
        self.sinusoid_embeds = PI0TimestepEmbeddings(config)
        self.action_in_proj = nn.Linear(config.max_action_dim, width)
        self.time_mlp_in, self.time_mlp_out = nn.Linear(width, width), nn.Linear(width, width)
        self.action_out_proj = nn.Linear(width, config.max_action_dim)

    def condition(self, times: Tensor) -> Tensor:
        """float[B, width] of times float[B]."""
        at = self.sinusoid_embeds(times).to(self.time_mlp_in.weight.dtype)
        return nn.functional.silu(self.time_mlp_out(nn.functional.silu(self.time_mlp_in(at))))
