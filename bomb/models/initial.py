"""Random weights for small models: large enough that pictures and words change the answer."""

import math

import torch
from torch import nn

SCALES = ("lambda1", "gamma")  # of LayerScale, by the names that transformers and timm give them


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


def afresh(module: nn.Module) -> None:
    """Forgets what a network was trained to: parameters are drawn anew, or set to where they change nothing.

    Weights are drawn as ``lively`` draws them; torch's other layers begin as torch has them. Biases become 0;
    norms and scales of layers become neutral, whether a norm multiplies by its weight or, as Gemma's, by one
    more; tokens and positions are drawn with a deviation of 0.02, as is customary.

    Args:
        module: with its weights, on the device where it will learn.
    """
    lively(module)
    with torch.no_grad():
        for part in module.modules():
            drawn = isinstance(part, nn.Embedding | nn.Linear | nn.Conv2d | nn.Conv3d)
            reset = getattr(part, "reset_parameters", None)
            if not drawn and type(part).__module__.startswith("torch.nn") and callable(reset):
                reset()
                continue
            for name, weight in part.named_parameters(recurse=False):
                if name.endswith("bias"):
                    weight.zero_()
                elif name in SCALES:
                    weight.fill_(1.0)
                elif name == "weight" and weight.ndim == 1:
                    weight.fill_(_neutral(part, weight))
                elif not drawn:
                    weight.normal_(std=0.02)


def _neutral(norm: nn.Module, weight: torch.Tensor) -> float:
    """The weight that leaves a normed vector as it is: 1, or 0 where the norm multiplies by one more."""
    weight.zero_()
    alternating = torch.ones_like(weight)
    alternating[::2] = -1.0  # its mean is 0 and its square's 1: normed already
    return 0.0 if bool(norm(alternating[None]).abs().max() > 0.5) else 1.0
