"""An eye of ``small``: the layers of ``keypoint``'s, without batch norm, so that it learns on as it plays."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from bomb.models.keypoint.format import GRID, LATENT, MAPS, REFERENCES, SHARP, UNSHUFFLE

SIDE = 16  # patches along each side of a picture, each of 2 x 2 cells
HIDDEN_HEAT = -20.0  # logit of a cell that is hidden


class SmallEye(nn.Module):
    """One camera's.

    Args:
        camera: out of ``bomb.models.keypoint.format.CAMERAS``.
        widths: channels of the fine, the middle and the wide layers, of what the wide one hands on, and of
            the layer before the reference points.
    """

    def __init__(self, camera: str, widths: tuple[int, int, int, int, int]):
        super().__init__()
        fine, middle, wide, laid, hidden = widths

        def conv(inside: int, outside: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
            return nn.Conv2d(inside, outside, size, stride, size // 2)

        self.stem = conv(3 * UNSHUFFLE**2 + 2, fine)
        self.fine = conv(fine, fine)
        self.down1 = conv(fine, middle, stride=2)
        self.middle1, self.middle2 = conv(middle, middle), conv(middle, middle)
        self.down2 = conv(middle, wide, stride=2)
        self.wide = conv(wide, wide)
        self.up1, self.merge1 = conv(wide, middle, 1), conv(middle, middle)
        self.up2, self.merge2 = conv(middle, fine, 1), conv(fine, fine)
        self.maps = conv(fine, 3 * len(MAPS) + LATENT, 1)
        self.laid = conv(wide, laid, 1)
        self.hidden = nn.Linear(2 * LATENT + 4 + laid * (GRID // 4) ** 2, hidden)
        self.places = nn.Linear(hidden, 2 * len(REFERENCES[camera]))
        with torch.no_grad():
            self.maps.bias[: len(MAPS)] = -4.0  # hardly any cell has a point
            points = torch.from_numpy(REFERENCES[camera]).float()
            # Before anything is learned the reference points lie as on a picture from above.
            spread = (points - points.mean(0)) / (points.amax(0) - points.amin(0)).clamp(min=1e-6)
            away = 1.0 + 0.3 * spread[:, 2:] if spread.shape[1] > 2 else 1.0
            self.places.bias.copy_((torch.stack([-spread[:, 1], -spread[:, 0]], 1) * away).flatten())

    @classmethod
    def widths_of(cls, tensors: Mapping[str, Tensor]) -> tuple[int, int, int, int, int]:
        """The widths of an eye of ``keypoint``, out of its weights by name."""
        names = ("stem", "middle1", "wide", "laid", "hidden")
        fine, middle, wide, laid, hidden = (int(tensors[f"{name}.weight"].shape[0]) for name in names)
        return fine, middle, wide, laid, hidden

    def forward(self, pictures: Tensor, states: Tensor, shown: Tensor) -> tuple[Tensor, ...]:
        """What is seen.

        Args:
            pictures: float[N, 3, H, W], see ``normalised``.
            states: float[N, 4], proprioception, see ``bomb.models.keypoint.format.scaled``.
            shown: float[N, SIDE, SIDE], 1, or 0 for a patch that is hidden.

        Returns:
            As ``bomb.training.keypoint.network.EyeNetwork``: logits of the heat [N, maps, GRID,
            GRID], offsets [N, 2 maps, GRID, GRID], reference points [N, P, 2], latent points
            [N, 8, 2].
        """
        cells = functional.interpolate(shown[:, None], scale_factor=GRID / SIDE)
        x = functional.pixel_unshuffle(pictures, UNSHUFFLE) * cells
        along = torch.linspace(-1.0, 1.0, GRID, dtype=x.dtype, device=x.device)
        place = torch.stack([along.expand(GRID, GRID), along[:, None].expand(GRID, GRID)])
        relu = functional.relu
        x = relu(self.stem(torch.cat([x, place.expand(len(x), 2, GRID, GRID)], 1)))
        fine = x + relu(self.fine(x))
        x = relu(self.down1(fine))
        x = x + relu(self.middle1(x))
        middle = x + relu(self.middle2(x))
        x = relu(self.down2(middle))
        wide = x + relu(self.wide(x))
        x = middle + functional.interpolate(relu(self.up1(wide)), scale_factor=2.0)
        x = x + relu(self.merge1(x))
        x = fine + functional.interpolate(relu(self.up2(x)), scale_factor=2.0)
        x = x + relu(self.merge2(x))
        maps = self.maps(x)
        count = len(MAPS)
        latent = maps[:, 3 * count :].masked_fill(cells == 0, HIDDEN_HEAT)
        shares = (SHARP * latent).flatten(2).softmax(2).unflatten(2, (GRID, GRID))
        u, v = (shares.sum(2) * along).sum(2), (shares.sum(3) * along).sum(2)
        told = torch.cat([u, v, states, relu(self.laid(wide)).flatten(1)], 1)
        places = self.places(relu(self.hidden(told))).unflatten(1, (-1, 2))
        heat = maps[:, :count].masked_fill(cells == 0, HIDDEN_HEAT)
        anchors = torch.stack([u[:, :8], v[:, :8]], 2)
        return heat, maps[:, count : 3 * count], places, anchors


def normalised(pictures: Tensor) -> Tensor:
    """float[N, 3, H, W] of pictures from 0 to 1: each channel with mean 0 and deviation 1."""
    mean = pictures.mean((2, 3), keepdim=True)
    deviation = pictures.std((2, 3), keepdim=True, correction=0)
    return (pictures - mean) / (deviation + 0.02)
