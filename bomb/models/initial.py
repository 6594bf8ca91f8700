"""Random weights for small models: large enough that pictures and words change the answer."""

import math

import torch
from torch import nn


def lively(module: nn.Module, gain: float = 1.0) -> None:
    """Draws every weight of linear layers, convolutions and embeddings anew, from torch's generator.

    The customary deviation of 0.02 makes a network of width 32 answer every question alike.

    Args:
        module: any; its norms and biases are left alone.
        gain: of a linear layer's outputs over its inputs, about.
    """
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Embedding):
                part.weight.normal_(std=1.0)
            elif isinstance(part, nn.Linear | nn.Conv2d | nn.Conv3d):
                part.weight.normal_(std=gain / math.sqrt(part.weight[0].numel()))
