"""The eye in torch, for learning; ``bomb.models.keypoint.eye`` is the same in numpy, as a test holds."""

import torch
from torch import nn
from torch.nn import functional

from bomb.models.keypoint.format import GRID, LATENT, MAPS, SHARP, UNSHUFFLE

NARROW, MIDDLE, WIDE, LAID, HIDDEN = 40, 64, 80, 8, 128  # channels
ANCHORS = 8


class Convolution(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inside: int, outside: int, size: int = 3, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, stride, size // 2, bias=False)
        self.norm = nn.BatchNorm2d(outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(self.conv(x)))

    def fused(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias of one convolution that does the same, in evaluation."""
        norm = self.norm
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return self.conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


class EyeNetwork(nn.Module):
    """One camera's eye: a pyramid that ends in maps, and reference points told from where its latents are.

    Args:
        references: how many reference points the camera has.
    """

    def __init__(self, references: int) -> None:
        super().__init__()
        self.stem = Convolution(3 * UNSHUFFLE**2 + 2, NARROW)
        self.fine = Convolution(NARROW, NARROW)
        self.down1 = Convolution(NARROW, MIDDLE, stride=2)
        self.middle1 = Convolution(MIDDLE, MIDDLE)
        self.middle2 = Convolution(MIDDLE, MIDDLE)
        self.down2 = Convolution(MIDDLE, WIDE, stride=2)
        self.wide = Convolution(WIDE, WIDE)
        self.up1 = Convolution(WIDE, MIDDLE, 1)
        self.merge1 = Convolution(MIDDLE, MIDDLE)
        self.up2 = Convolution(MIDDLE, NARROW, 1)
        self.merge2 = Convolution(NARROW, NARROW)
        self.maps = nn.Conv2d(NARROW, 3 * len(MAPS) + LATENT, 1)
        self.laid = Convolution(WIDE, LAID, 1)
        self.hidden = nn.Linear(2 * LATENT + 4 + LAID * (GRID // 4) ** 2, HIDDEN)
        self.places = nn.Linear(HIDDEN, 2 * references)
        with torch.no_grad():
            self.maps.bias[: len(MAPS)] = -4.0  # hardly any cell has a point

    def forward(self, pictures: torch.Tensor, states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What is seen.

        Args:
            pictures: float32[N, 3, H, W], normalised, see ``normalised``.
            states: float32[N, 4], proprioception, see ``bomb.models.keypoint.format.scaled``.

        Returns:
            Logits of the heat float32[N, maps, GRID, GRID], offsets from the middles of cells
            float32[N, 2 maps, GRID, GRID] (cells; all u, then all v), and reference points float32[N, P, 2]
            (u, v from -1 to 1 across the picture); and where its first latents are, float32[N, ANCHORS, 2],
            which are to be at the robot's anchors.
        """
        x = functional.pixel_unshuffle(pictures, UNSHUFFLE)
        along = torch.linspace(-1.0, 1.0, GRID)
        place = torch.stack([along.expand(GRID, GRID), along[:, None].expand(GRID, GRID)])
        x = self.stem(torch.cat([x, place.expand(len(x), 2, GRID, GRID)], 1))
        fine = x + self.fine(x)
        x = self.down1(fine)
        x = x + self.middle1(x)
        middle = x + self.middle2(x)
        x = self.down2(middle)
        wide = x + self.wide(x)
        x = middle + functional.interpolate(self.up1(wide), scale_factor=2.0)
        x = x + self.merge1(x)
        x = fine + functional.interpolate(self.up2(x), scale_factor=2.0)
        x = x + self.merge2(x)
        maps = self.maps(x)
        count = len(MAPS)
        shares = (SHARP * maps[:, 3 * count :]).flatten(2).softmax(2).unflatten(2, (GRID, GRID))
        u, v = (shares.sum(2) * along).sum(2), (shares.sum(3) * along).sum(2)
        told = torch.cat([u, v, states, self.laid(wide).flatten(1)], 1)
        places = self.places(functional.relu(self.hidden(told)))
        latent = torch.stack([u[:, :ANCHORS], v[:, :ANCHORS]], 2)
        return maps[:, :count], maps[:, count : 3 * count], places.unflatten(1, (-1, 2)), latent

    def tensors(self) -> dict[str, torch.Tensor]:
        """What the eye in numpy needs, by name."""
        made = {}
        for name, part in self.named_children():
            weight, bias = part.fused() if isinstance(part, Convolution) else (part.weight, part.bias)
            made[f"{name}.weight"], made[f"{name}.bias"] = weight.detach(), bias.detach()
        return made


def normalised(pictures: torch.Tensor) -> torch.Tensor:
    """float32[N, 3, H, W] of pictures from 0 to 1: each channel with mean 0 and deviation 1."""
    mean = pictures.mean((2, 3), keepdim=True)
    deviation = pictures.std((2, 3), keepdim=True, correction=0)
    return (pictures - mean) / (deviation + 0.02)
