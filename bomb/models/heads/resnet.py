"""OpenVLA-OFT's small networks: the head on a chunk's hidden states, and what puts numbers into the sequence.

Parameters have the names of the public files ``action_head--*.pt``, ``proprio_projector--*.pt`` and
``noisy_action_projector--*.pt``.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """x + ReLU(W LayerNorm(x))."""

    def __init__(self, width: int):
        super().__init__()
        self.ffn = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.ffn(x)


class MLPResNet(nn.Module):
    """float[..., inputs] to float[..., outputs]."""

    def __init__(self, inputs: int, width: int, outputs: int, blocks: int = 2):
        super().__init__()
        self.layer_norm1, self.fc1 = nn.LayerNorm(inputs), nn.Linear(inputs, width)
        self.mlp_resnet_blocks = nn.ModuleList(ResidualBlock(width) for _ in range(blocks))
        self.layer_norm2, self.fc2 = nn.LayerNorm(width), nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.fc1(self.layer_norm1(x)))
        for block in self.mlp_resnet_blocks:
            x = block(x)
        return self.fc2(self.layer_norm2(x))


class L1Head(nn.Module):
    """Chunks of actions, float[B, chunk, dims], of hidden states float[B, chunk * dims, d]."""

    def __init__(self, width: int, dims: int):
        super().__init__()
        self.dims = dims
        self.model = MLPResNet(width * dims, width, dims)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.model(side_by_side(hidden, self.dims))


class NoisePredictor(nn.Module):
    """What gives the noise head's network its public name."""

    def __init__(self, width: int, dims: int):
        super().__init__()
        self.mlp_resnet = MLPResNet(width * dims, width, dims)


class NoiseHead(nn.Module):
    """The noise in a chunk, float[B, chunk, dims], of hidden states float[B, chunk * dims, d]."""

    def __init__(self, width: int, dims: int):
        super().__init__()
        self.dims = dims
        self.noise_predictor = NoisePredictor(width, dims)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.noise_predictor.mlp_resnet(side_by_side(hidden, self.dims))


class NumberProjector(nn.Module):
    """Numbers as a token: float[..., inputs] to float[..., width]."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(inputs, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


def side_by_side(hidden: Tensor, dims: int) -> Tensor:
    """float[B, chunk, dims * d] of float[B, chunk * dims, d]."""
    return hidden.unflatten(1, (-1, dims)).flatten(2)


def time_embedding(times: Tensor, width: int) -> Tensor:
    """Sines, then cosines, of falling frequencies: float32[B, width] of int64[B]."""
    half = width // 2
    frequencies = torch.exp(
        torch.arange(half, device=times.device, dtype=torch.float32) * -(math.log(10_000) / (half - 1))
    )
    angles = times.float()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
