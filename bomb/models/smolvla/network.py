"""SmolVLA's network (Shukor et al. 2025, arXiv:2506.01844), under lerobot's names.

The VLM is cut to its first layers. The expert is narrower; its layers alternate between attention to the
VLM's keys and values beside its own, and attention to them alone, projected once more.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.memory import Memory
from bomb.models.smolvla.config import SmolVLAConfig

BASE = 10_000.0  # of the rotary embedding, whatever the VLM was trained with


class CrossAttention(nn.Module):
    """Attention to the VLM's keys and values of one layer; they are not turned again."""

    def __init__(self, text: Any, width: int, layer_idx: int):
        super().__init__()
        self.layer_idx, self.head_dim, self.heads = layer_idx, text.head_dim, text.num_attention_heads
        inside = text.num_key_value_heads * text.head_dim
        self.q_proj = nn.Linear(width, self.heads * self.head_dim, bias=False)
        self.k_proj, self.v_proj = (nn.Linear(inside, inside, bias=False) for _ in range(2))
        self.o_proj = nn.Linear(self.heads * self.head_dim, width, bias=False)

    def forward(self, x: Tensor, mask: Tensor, turned: tuple[Tensor, Tensor], memory: Memory) -> Tensor:
        queries = turn(self._heads(self.q_proj(x)), *turned)
        keys, values = (
            self._heads(project(seen.transpose(1, 2).flatten(2)))
            for project, seen in zip((self.k_proj, self.v_proj), memory.kept[self.layer_idx], strict=True)
        )
        groups = queries.shape[1] // keys.shape[1]
        keys, values = (part.repeat_interleave(groups, dim=1) for part in (keys, values))
        found = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.o_proj(found.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)


class CrossLayer(nn.Module):
    """A layer of the expert that attends to the VLM alone."""

    def __init__(self, config: Any, text: Any, layer_idx: int):
        from transformers.models.llama.modeling_llama import LlamaMLP, LlamaRMSNorm

        super().__init__()
        self.self_attn = CrossAttention(text, config.hidden_size, layer_idx)
        self.mlp = LlamaMLP(config)
        self.input_layernorm, self.post_attention_layernorm = (
            LlamaRMSNorm(config.hidden_size, eps=config.rms_norm_eps) for _ in range(2)
        )

    def forward(self, x: Tensor, mask: Tensor, turned: tuple[Tensor, Tensor], memory: Memory) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), mask, turned, memory)
        return x + self.mlp(self.post_attention_layernorm(x))


class Expert(nn.Module):
    """The layers and the last norm."""

    def __init__(self, config: Any, text: Any, about: SmolVLAConfig):
        from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRMSNorm

        super().__init__()
        self.head_dim = int(text.head_dim)  # of every head
        self.layers = nn.ModuleList()
        for k in about.read_layers:
            crosses = about.crosses(k)
            self.layers.append(
                CrossLayer(config, text, k) if crosses else LlamaDecoderLayer(config, layer_idx=k)
            )
        self.norm = LlamaRMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(self, x: Tensor, allowed: Tensor, places: Tensor, size: int, memory: Memory) -> Tensor:
        """float[B, n, width] of the same.

        Args:
            x: actions, embedded.
            allowed: float[B, 1, n, size + n], see ``bomb.models.masks``.
            places: int64[B, n].
            size: positions of the question.
            memory: of the question.
        """
        turned = rotary(places, self.head_dim, x.dtype)
        fresh = rotary(places - places[:, :1], self.head_dim, x.dtype)
        for layer in self.layers:
            if isinstance(layer.self_attn, CrossAttention):
                x = layer(x, allowed[..., :size], fresh, memory)
            else:
                x = layer(
                    x, attention_mask=allowed, position_embeddings=turned, past_key_values=memory.beside()
                )
        return self.norm(x)


class VLMWithExpert(nn.Module):
    """What gives both their public names."""

    def __init__(self, vlm: Any, expert: Expert):
        super().__init__()
        self.vlm: Any = vlm
        self.lm_expert = expert


class SmolVLANetwork(nn.Module):
    """The VLM, the expert, and what makes states, actions and times of it.

    Args:
        config: of lerobot's file, with that of the VLM.
    """

    def __init__(self, config: SmolVLAConfig):
        from transformers import SmolVLMForConditionalGeneration

        super().__init__()
        self.config = config
        vlm, expert = config.vlm(), config.expert()
        text = vlm.text_config
        self.vlm_with_expert = VLMWithExpert(
            SmolVLMForConditionalGeneration(vlm), Expert(expert, text, config)
        )
        width = expert.hidden_size
        self.state_proj = nn.Linear(config.state_room, text.hidden_size)
        self.action_in_proj = nn.Linear(config.action_room, width)
        self.action_out_proj = nn.Linear(width, config.action_room)
        self.action_time_mlp_in, self.action_time_mlp_out = (
            nn.Linear(2 * width, width),
            nn.Linear(width, width),
        )

    @property
    def vlm(self) -> Any:
        """What reads."""
        return self.vlm_with_expert.vlm

    def read(self, x: Tensor, mask: Tensor, places: Tensor, memory: Memory) -> None:
        """Fills a memory with a question.

        Args:
            x: embedded, float[B, L, d].
            mask: float[B, 1, L, L].
            places: int64[B, L].
            memory: an empty one.
        """
        layers = self.vlm.model.text_model.layers
        turned = rotary(places, layers[0].self_attn.head_dim, x.dtype)
        for layer in layers:
            x = layer(x, attention_mask=mask, position_embeddings=turned, past_key_values=memory)

    def embed_actions(self, noisy: Tensor, times: Tensor) -> Tensor:
        """float[B, chunk, width] of noisy actions float[B, chunk, room] at times float[B]."""
        actions = self.action_in_proj(noisy)
        at = sines(times, actions.shape[-1], self.config.periods).to(actions.dtype)
        both = torch.cat([actions, at[:, None].expand_as(actions)], dim=-1)
        return self.action_time_mlp_out(functional.silu(self.action_time_mlp_in(both)))


def sines(times: Tensor, width: int, periods: tuple[float, float]) -> Tensor:
    """Sines, then cosines, of periods from the least to the greatest: float32[B, width] of times float[B]."""
    share = torch.linspace(0.0, 1.0, width // 2, dtype=torch.float64, device=times.device)
    period = periods[0] * (periods[1] / periods[0]) ** share
    angles = times.double()[:, None] * (2 * torch.pi / period)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).float()


def rotary(places: Tensor, head_dim: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, float[B, L, head_dim] each, of int64[B, L]."""
    at = torch.arange(0, head_dim, 2, dtype=torch.float32, device=places.device) / head_dim
    angles = places[..., None].float() / BASE**at
    both = torch.cat([angles, angles], dim=-1)
    return both.cos().to(dtype), both.sin().to(dtype)


def turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """float[B, heads, L, head_dim], turned by its place."""
    first, second = x.chunk(2, dim=-1)
    return x * cosine[:, None] + torch.cat([-second, first], dim=-1) * sine[:, None]
