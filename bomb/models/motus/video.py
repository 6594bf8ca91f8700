"""The video expert: Wan's transformer (Wan et al. 2025, arXiv:2503.20314), under its public names.

Times move, scale and gate what attention and MLP add (six vectors a layer). Attention itself is done outside,
together with the other experts; here are what goes in and what comes out.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.motus.config import MotusConfig

EPSILON = 1e-6
THETA = 10_000.0


class RMSNorm(nn.Module):
    """Over all heads side by side."""

    def __init__(self, width: int, epsilon: float = EPSILON):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.epsilon)
        return wide.to(x.dtype) * self.weight


def plain(x: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Layer norm without weights."""
    return functional.layer_norm(x, x.shape[-1:], eps=epsilon)


def feed_forward(width: int, inside: int) -> nn.Sequential:
    """The MLP of all three experts."""
    return nn.Sequential(nn.Linear(width, inside), nn.GELU(approximate="tanh"), nn.Linear(inside, width))


def sinusoid(times: Tensor, width: int) -> Tensor:
    """Cosines, then sines, of falling frequencies: float32[B, width] of times float[B] from 0 to 1000."""
    half = width // 2
    falling = THETA ** (-torch.arange(half, dtype=torch.float64, device=times.device) / half)
    angles = times.double()[:, None] * falling
    return torch.cat([angles.cos(), angles.sin()], dim=-1).float()


class TimedExpert(nn.Module):
    """What the experts of video and action have in common: how they are told the time."""

    def __init__(self, width: int, frequencies: int):
        super().__init__()
        self.frequencies = frequencies
        self.time_embedding = nn.Sequential(nn.Linear(frequencies, width), nn.SiLU(), nn.Linear(width, width))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def time(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """For the head, float[B, 1, width], and for the layers, float[B, 6, width], of float[B]."""
        dtype = next(self.time_embedding.parameters()).dtype
        at = self.time_embedding(sinusoid(times, self.frequencies).to(dtype))
        return at[:, None], self.time_projection(at).unflatten(-1, (6, -1))


class VideoAttention(nn.Module):
    """Projections and norms of attention; ``forward`` is what it adds."""

    def __init__(self, config: MotusConfig):
        super().__init__()
        self.heads, self.head_dim = config.heads, config.head_dim
        self.q, self.k, self.v, self.o = (nn.Linear(config.dim, config.dim) for _ in range(4))
        self.norm_q, self.norm_k = RMSNorm(config.dim), RMSNorm(config.dim)

    def project(self, x: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries of ``x``, keys and values of ``context``, float[B, L, heads, head_dim] each."""
        seen = x if context is None else context
        each = self.norm_q(self.q(x)), self.norm_k(self.k(seen)), self.v(seen)
        queries, keys, values = (part.unflatten(-1, (self.heads, self.head_dim)) for part in each)
        return queries, keys, values

    def forward(self, attended: Tensor) -> Tensor:
        """float[B, L, dim] of what the heads found, float[B, L, heads, head_dim]."""
        return self.o(attended.flatten(2))


class VideoBlock(nn.Module):
    """A layer of the video expert."""

    def __init__(self, config: MotusConfig):
        super().__init__()
        self.self_attn, self.cross_attn = VideoAttention(config), VideoAttention(config)
        self.norm3 = nn.LayerNorm(config.dim, eps=EPSILON)
        self.ffn = feed_forward(config.dim, config.ffn)
        self.modulation = nn.Parameter(torch.randn(1, 6, config.dim) / config.dim**0.5)

    def six(self, time: Tensor) -> list[Tensor]:
        """Shift, scale and gate of attention, then of the MLP, float[B, 1, dim] each."""
        return list((self.modulation + time).split(1, dim=1))

    def project(self, x: Tensor, time: Tensor, turned: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values; ``turned`` is of ``rotary``."""
        shift, scale, *_ = self.six(time)
        queries, keys, values = self.self_attn.project(plain(x) * (1 + scale) + shift)
        return turn(queries, turned), turn(keys, turned), values

    def forward(self, x: Tensor, attended: Tensor, time: Tensor, words: Tensor, allowed: Tensor) -> Tensor:
        """The layer's output.

        Args:
            x: float[B, L, dim].
            attended: float[B, L, heads, head_dim].
            time: float[B, 6, dim].
            words: float[B, W, dim].
            allowed: bool[B, W], which of them are seen.
        """
        *_, gate, shift, scale, second = self.six(time)
        x = x + self.self_attn(attended) * gate
        queries, keys, values = self.cross_attn.project(self.norm3(x), words)
        x = x + self.cross_attn(attend(queries, keys, values, allowed))
        return x + self.ffn(plain(x) * (1 + scale) + shift) * second


class VideoHead(nn.Module):
    """Tokens to cells, moved and scaled by the time."""

    def __init__(self, config: MotusConfig):
        super().__init__()
        size = config.channels * config.patch[0] * config.patch[1] * config.patch[2]
        self.head = nn.Linear(config.dim, size)
        self.modulation = nn.Parameter(torch.randn(1, 2, config.dim) / config.dim**0.5)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """float[B, n, numbers of a cell] of tokens and ``time`` float[B, 1, dim]."""
        shift, scale = (self.modulation + time).split(1, dim=1)
        return self.head(plain(x) * (1 + scale) + shift)


class VideoExpert(TimedExpert):
    """Latent pictures in, their velocity out."""

    def __init__(self, config: MotusConfig):
        super().__init__(config.dim, config.frequencies)
        self.config = config
        self.patch_embedding = nn.Conv3d(config.channels, config.dim, config.patch, stride=config.patch)
        self.text_embedding = feed_forward(config.text, config.dim)
        self.text_embedding[2] = nn.Linear(config.dim, config.dim)
        self.blocks = nn.ModuleList(VideoBlock(config) for _ in range(config.layers))
        self.head = VideoHead(config)

    def tokens(self, latents: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        """float[B, n, dim] of float[B, channels, frames, rows, cols], and how many along each axis."""
        cut = self.patch_embedding(latents)
        frames, rows, cols = cut.shape[2:]
        return cut.flatten(2).transpose(1, 2), (frames, rows, cols)

    def decode(self, x: Tensor, time: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """float[B, channels, frames, rows, cols] of tokens and ``time`` float[B, 1, dim]."""
        cells = self.head(x, time)
        cells = cells.unflatten(-1, (*self.config.patch, -1)).unflatten(1, grid)
        whole = cells.permute(0, 7, 1, 4, 2, 5, 3, 6)  # channels, then each axis with its patch
        return whole.flatten(6, 7).flatten(4, 5).flatten(2, 3)


def attend(queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor) -> Tensor:
    """float[B, L, heads, head_dim]; ``allowed``, bool[B, K], are the keys that are seen."""
    queries, keys, values = (part.transpose(1, 2) for part in (queries, keys, values))
    found = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=allowed[:, None, None])
    return found.transpose(1, 2)


def rotary(grid: tuple[int, int, int], head_dim: int, device: torch.device) -> Tensor:
    """complex128[n, head_dim / 2]: how a token is turned by its frame, row and column."""
    third = head_dim // 6
    sizes = (head_dim - 4 * third, 2 * third, 2 * third)
    places = torch.stack(torch.meshgrid(*(torch.arange(n, device=device) for n in grid), indexing="ij"), -1)
    angles = [
        places.reshape(-1, 3)[:, axis, None].double()
        / THETA ** (torch.arange(0, size, 2, dtype=torch.float64, device=device) / size)
        for axis, size in enumerate(sizes)
    ]
    every = torch.cat(angles, dim=-1)
    return torch.polar(torch.ones_like(every), every)


def turn(x: Tensor, turned: Tensor) -> Tensor:
    """float[B, n, heads, head_dim]: neighbouring numbers are the real and the imaginary part."""
    pairs = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * turned[:, None]).flatten(-2).to(x.dtype)
