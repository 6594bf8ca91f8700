"""A perceiver resampler (Alayrac et al. 2022, arXiv:2204.14198): any number of patches to a few latents.

As RoboVLMs put it behind the pictures of LLaVA and Qwen-VL: 8 layers of 8 heads of 64, 64 latents.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

HEADS, HEAD_DIM, DEPTH = 8, 64, 8


class ResamplerLayer(nn.Module):
    """Latents look at the patches and at themselves, then an MLP."""

    def __init__(self, width: int, heads: int, head_dim: int):
        super().__init__()
        self.heads, inside = heads, heads * head_dim
        self.norm_patches, self.norm_latents = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q = nn.Linear(width, inside, bias=False)
        self.to_kv = nn.Linear(width, 2 * inside, bias=False)
        self.to_out = nn.Linear(inside, width, bias=False)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width, bias=False), nn.GELU(),
            nn.Linear(4 * width, width, bias=False),
        )  # fmt: skip

    def forward(self, latents: Tensor, patches: Tensor) -> Tensor:
        asked = self.norm_latents(latents)
        seen = torch.cat([self.norm_patches(patches), asked], dim=1)
        each = (self.to_q(asked), *self.to_kv(seen).chunk(2, dim=-1))
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in each)
        found = functional.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        latents = latents + self.to_out(found)
        return latents + self.mlp(latents)


class Resampler(nn.Module):
    """float[n, latents, width] of patches float[n, any, width]."""

    def __init__(
        self, width: int, latents: int, *, depth: int = DEPTH, heads: int = HEADS, head_dim: int = HEAD_DIM
    ):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, width))
        self.layers = nn.ModuleList(ResamplerLayer(width, heads, head_dim) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, patches: Tensor) -> Tensor:
        x = self.latents.to(patches.dtype).expand(len(patches), -1, -1)
        for layer in self.layers:
            x = layer(x, patches)
        return self.norm(x)
