"""Ego3D positions: where each patch is in the camera's frame, from a depth picture, as an embedding.

A patch is cut into ``reso`` by ``reso`` cells. The mean depth of a cell is projected back through its middle;
the points are moved and scaled, (p - (0, 0, 2)) / 2, and become sines and cosines of rising frequencies.
Pixels count from 0 at the picture's edge, so that the middle of the first one is at 0.5.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

CENTRE, SCALE = (0.0, 0.0, 2.0), 2.0  # metres
PAD, MODE = 31, "reflect"  # ZoeDepth's border, fixed in the public code for pictures of 224 pixels


class PositionEmbedding(nn.Module):
    """Embedded points, under the names of the public files.

    Args:
        width: of the vision tower.
        reso: cells along a side of a patch.
        frequencies: 1, 2, 4, ... so many.
    """

    def __init__(self, width: int, reso: int, frequencies: int):
        super().__init__()
        self.reso, self.frequencies = reso, frequencies
        inputs = 3 * reso**2 * (2 * frequencies + 1)
        self.position_embedding_head = nn.Sequential(
            nn.Linear(inputs, width), nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width)
        )

    def forward(self, points: Tensor) -> Tensor:
        """float[B, patches, width] of points float[B, patches, 3 * reso^2] in metres."""
        return self.position_embedding_head(encode(points, self.frequencies).to(self.dtype))

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return next(self.position_embedding_head.parameters()).dtype


def encode(points: Tensor, frequencies: int) -> Tensor:
    """Per coordinate itself, its sines, its cosines: float32[..., n * (2 * frequencies + 1)]."""
    points = points.float().unflatten(-1, (-1, 3))
    scaled = ((points - points.new_tensor(CENTRE)) / SCALE)[..., None]
    angles = scaled * 2.0 ** torch.arange(frequencies, device=points.device)
    return torch.cat([scaled, angles.sin(), angles.cos()], dim=-1).flatten(-3)


def back_project(depth: Tensor, intrinsics: Tensor, patches: int, reso: int) -> Tensor:
    """Points in metres, float32[B, patches^2, 3 * reso^2], of each patch's cells, row by row.

    Args:
        depth: float[B, H, W], metres along the optical axis.
        intrinsics: float[B, 3, 3], for pictures of H by W pixels.
        patches: along a side.
        reso: cells along a side of a patch.
    """
    height, width = depth.shape[-2:]
    cells = patches * reso
    mean = functional.interpolate(depth.float()[:, None], (cells, cells), mode="area")[:, 0]
    middles = (torch.arange(cells, device=depth.device, dtype=torch.float32) + 0.5) / cells
    v, u = torch.meshgrid(middles * height, middles * width, indexing="ij")
    pixels = torch.stack([u, v, torch.ones_like(u)], dim=-1)
    rays = torch.einsum("bij,hwj->bhwi", torch.linalg.inv(intrinsics.float()), pixels)
    points = (rays * mean[..., None]).unflatten(2, (patches, reso)).unflatten(1, (patches, reso))
    return points.permute(0, 1, 3, 2, 4, 5).reshape(len(depth), patches**2, 3 * reso**2)


def zoe_input(pictures: Tensor, size: int) -> Tensor:
    """Pictures from 0 to 1, float[B, 3, side, side], as ZoeDepth takes them: float[B, 3, size, size]."""
    bordered = functional.pad((pictures - 0.5) / 0.5, (PAD,) * 4, mode=MODE)
    return functional.interpolate(bordered, (size, size), mode="bicubic", align_corners=True)


def zoe_depth(predicted: Tensor, side: int) -> Tensor:
    """Depth of the picture without its border, float[B, side, side], of what ZoeDepth predicts."""
    whole = (side + 2 * PAD,) * 2
    found = functional.interpolate(predicted[:, None], whole, mode="bicubic", align_corners=True)[:, 0]
    return found[:, PAD:-PAD, PAD:-PAD]
