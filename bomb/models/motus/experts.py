"""The experts of action and understanding, under the public names."""

import torch
from torch import Tensor, nn

from bomb.models.motus.config import MotusConfig
from bomb.models.motus.video import EPSILON, RMSNorm, TimedExpert, feed_forward, plain

FREQUENCIES = 256  # of the action expert's times
UND_EPSILON = 1e-5


def three(inputs: int, width: int) -> nn.Sequential:
    """Three linear layers with SiLU between."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
    )


class ExpertBlock(nn.Module):
    """A layer: projections into the video expert's heads and back, and an MLP.

    Args:
        config: of the experts.
        kind: ``action`` or ``und``, which is in the names.
        width, inside: of the expert and its MLP.
        epsilon: of its norms.
        timed: whether times move, scale and gate it.
    """

    def __init__(self, config: MotusConfig, kind: str, width: int, inside: int, epsilon: float, timed: bool):
        super().__init__()
        self.kind, self.epsilon = kind, epsilon
        scale = (width * config.head_dim) ** -0.5
        own = nn.Parameter(torch.randn(3, config.heads, width, config.head_dim) * scale)
        setattr(self, f"wan_{kind}_qkv", own)
        setattr(self, f"wan_{kind}_o", nn.Linear(config.dim, width, bias=False))
        for name in "qk":
            setattr(self, f"wan_{kind}_norm_{name}", RMSNorm(config.dim, epsilon))
        self.ffn = feed_forward(width, inside)
        if timed:
            self.modulation = nn.Parameter(torch.randn(1, 6, width) / width**0.5)

    @property
    def back(self) -> nn.Linear:
        """From the heads to the expert."""
        return getattr(self, f"wan_{self.kind}_o")

    def six(self, time: Tensor | None) -> list[Tensor]:
        """As the video expert's; without a time what shifts and scales nothing."""
        if time is None:
            like = next(self.ffn.parameters())
            zero, one = like.new_zeros(1), like.new_ones(1)
            return [zero, zero, one, zero, zero, one]
        return list((self.modulation + time).split(1, dim=1))

    def project(self, x: Tensor, time: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, float[B, L, heads, head_dim] each."""
        shift, scale, *_ = self.six(time)
        normed = plain(x, self.epsilon) * (1 + scale) + shift
        every = torch.einsum("btd,knde->kbtne", normed, getattr(self, f"wan_{self.kind}_qkv"))
        queries, keys = (
            getattr(self, f"wan_{self.kind}_norm_{name}")(part.flatten(-2)).view_as(part)
            for name, part in zip("qk", every, strict=False)
        )
        return queries, keys, every[2]

    def forward(self, x: Tensor, attended: Tensor, time: Tensor | None = None) -> Tensor:
        """The layer's output, float[B, L, width]."""
        *_, gate, shift, scale, second = self.six(time)
        x = x + self.back(attended.flatten(2)) * gate
        return x + self.ffn(plain(x, self.epsilon) * (1 + scale) + shift) * second


class InputEncoder(nn.Module):
    """A state and actions as tokens, and where these stand."""

    pos_embedding: Tensor

    def __init__(self, config: MotusConfig):
        super().__init__()
        self.state_encoder = three(config.states, config.action_dim)
        self.action_encoder = three(config.numbers, config.action_dim)
        table = _positions(config.chunk + 2 + config.registers, config.action_dim)
        self.register_buffer("pos_embedding", table)


class ActionDecoder(nn.Module):
    """Tokens to velocities of actions, moved and scaled by the time."""

    def __init__(self, config: MotusConfig):
        super().__init__()
        width = config.action_dim
        self.action_head = nn.Sequential(nn.Linear(width, config.numbers))
        self.modulation = nn.Parameter(torch.randn(1, 2, width) / width**0.5)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """float[B, n, numbers] of tokens and ``time`` float[B, 1, width]."""
        shift, scale = (self.modulation + time).split(1, dim=1)
        return self.action_head(plain(x) * (1 + scale) + shift)


class ActionExpert(TimedExpert):
    """A state and noisy actions in, the actions' velocity out; registers take part and are left out."""

    def __init__(self, config: MotusConfig):
        width = config.action_dim
        super().__init__(width, FREQUENCIES)
        self.input_encoder = InputEncoder(config)
        self.registers = nn.Parameter(torch.randn(1, config.registers, width) * 0.02)
        self.blocks = nn.ModuleList(
            ExpertBlock(config, "action", width, config.action_ffn, EPSILON, timed=True)
            for _ in range(config.layers)
        )
        self.decoder = ActionDecoder(config)

    def tokens(self, states: Tensor, actions: Tensor) -> Tensor:
        """float[B, 1 + chunk + registers, width] of float[B, states] and float[B, chunk, numbers]."""
        inside = self.input_encoder
        every = [
            inside.state_encoder(states[:, None]),
            inside.action_encoder(actions),
            self.registers.expand(len(states), -1, -1),
        ]
        found = torch.cat(every, dim=1)
        return found + inside.pos_embedding[:, : found.shape[1]].to(found.dtype)

    def decode(self, x: Tensor, time: Tensor) -> Tensor:
        """float[B, 1 + chunk + registers, numbers] of tokens and ``time`` float[B, 1, width]."""
        return self.decoder(x, time)


class UnderstandingExpert(nn.Module):
    """The last hidden states of a VLM, made narrow."""

    def __init__(self, config: MotusConfig):
        super().__init__()
        self.vlm_adapter = three(config.vlm, config.und_dim)
        self.blocks = nn.ModuleList(
            ExpertBlock(config, "und", config.und_dim, config.und_ffn, UND_EPSILON, timed=False)
            for _ in range(config.layers)
        )


def _positions(count: int, width: int) -> Tensor:
    """Sines, then cosines, float32[1, count, width]."""
    falling = 10_000.0 ** (-torch.arange(width // 2, dtype=torch.float64) / (width / 2))
    angles = torch.arange(count, dtype=torch.float64)[:, None] * falling
    return torch.cat([angles.sin(), angles.cos()], dim=-1).float()[None]
