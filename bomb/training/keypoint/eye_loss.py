"""What an eye is told about its maps and reference points."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from bomb.training.keypoint.labels import Targets

OFFSETS, PLACES, ANCHORED = 1.0, 12.0, 6.0  # weights beside the heat


def eye_loss(
    heat: torch.Tensor,
    offsets: torch.Tensor,
    places: torch.Tensor,
    latent: torch.Tensor,
    *,
    targets: Sequence[Targets],
) -> tuple[torch.Tensor, dict[str, float]]:
    """The loss and its parts.

    The heat's is the focal loss with reduced penalty near points of CornerNet (Law and Deng 2018,
    arXiv:1808.01244, equation 1; alpha 2, beta 4), per point; that of offsets, of reference points and
    of the robot's anchors inside the picture the mean absolute error, in cells and in half widths.

    Args:
        heat, offsets, places, latent: as ``EyeNetwork`` returns them.
        targets: of each picture.
    """
    wanted = torch.from_numpy(np.stack([target.heat for target in targets]))
    centers = torch.from_numpy(np.stack([target.centers for target in targets]))
    near = torch.from_numpy(np.stack([target.near for target in targets]))
    moved = torch.from_numpy(np.stack([target.offsets for target in targets]))
    reference = torch.from_numpy(np.stack([target.references for target in targets]))
    anchor = torch.from_numpy(np.stack([target.anchors for target in targets]))
    share = heat.sigmoid()
    there = -functional.logsigmoid(heat) * (1 - share) ** 2 * centers
    elsewhere = -functional.logsigmoid(-heat) * share**2 * (1 - wanted) ** 4 * ~centers
    focal = (there.sum() + elsewhere.sum()) / max(1, int(centers.sum()))
    both = torch.stack(offsets.chunk(2, 1), 1)
    wrong = (both - moved).abs() * near[:, None]
    offset = wrong.sum() / max(1, 2 * int(near.sum()))
    # A reference point far outside of the picture says little, and must not outweigh the others.
    away = (reference.abs().amax(2, keepdim=True) - 1.2).clamp(min=0)
    place = ((places - reference).abs() / (1 + 4 * away)).mean()
    inside = anchor.abs().amax(2, keepdim=True) < 1.0
    anchored = ((latent - anchor).abs() * inside).sum() / max(1, 2 * int(inside.sum()))
    loss = focal + OFFSETS * offset + PLACES * place + ANCHORED * anchored
    parts = {"heat": focal.item(), "offset": offset.item(), "place": place.item()}
    parts["anchor"] = anchored.item()
    return loss, parts
