"""Pictures as OpenVLA's towers take them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bomb.models.openvla.config import PrismaticConfig
from bomb.models.pictures import centre_crop, letterbox, normalise, resize


def prepare(
    picture: npt.NDArray[np.uint8], side: int, *, resizing: str, crop: float | None
) -> npt.NDArray[np.uint8]:
    """The square picture that OpenVLA's policies hand to its image processor, uint8[side, side, 3].

    Args:
        picture: uint8[H, W, 3].
        side: in pixels.
        resizing: out of ``bomb.models.pictures.RESIZING``.
        crop: share of the area that is kept, the middle; None keeps all. Models that were trained with
            random crops need it.
    """
    if resizing != "bicubic" or crop is not None:
        picture = resize(picture, side, side, resizing)
    return picture if crop is None else centre_crop(picture, crop)


def process(picture: npt.NDArray[np.uint8], config: PrismaticConfig) -> npt.NDArray[np.float32]:
    """OpenVLA's image processor: float32[3 * towers, side, side] of uint8[H, W, 3]."""
    parts = []
    for mean, std in zip(config.means, config.stds, strict=True):
        shown = picture
        if config.strategy == "letterbox":
            # In public code the last tower's grey wins.
            red, green, blue = (int(255 * value) for value in config.means[-1])
            shown = letterbox(picture, (red, green, blue))
        elif config.strategy == "resize-crop":
            shown = _middle(_shorter(picture, config.side), config.side)
        parts.append(normalise(resize(shown, config.side, config.side), mean, std))
    return np.concatenate(parts)


def pixels(
    samples: Sequence[Sequence[npt.NDArray[np.uint8]]],
    config: PrismaticConfig,
    *,
    resizing: str,
    crop: float | None,
) -> npt.NDArray[np.float32]:
    """float32[B, pictures * 3 * towers, side, side] of the pictures of each sample."""
    return np.stack(
        [
            np.concatenate(
                [process(prepare(p, config.side, resizing=resizing, crop=crop), config) for p in pictures]
            )
            for pictures in samples
        ]
    )


def _shorter(picture: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """Resized so that the shorter side is ``side``; torchvision rounds the longer one down."""
    height, width = picture.shape[:2]
    if height <= width:
        return resize(picture, side, int(side * width / height))
    return resize(picture, int(side * height / width), side)


def _middle(picture: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    top, left = (round((size - side) / 2) for size in picture.shape[:2])
    return picture[top : top + side, left : left + side]
