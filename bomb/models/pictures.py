"""Pictures as models are shown them: resized, cropped, normalised. numpy and Pillow, no torch.

Libraries differ by many grey levels in what they call bicubic or Lanczos; here are the two that public
checkpoints were trained with. Pillow rounds to 8 bit between its two passes; TensorFlow does not.
"""

import io
import math

import numpy as np
import numpy.typing as npt

from core.errors import OptionError, check_choice

RESIZING = ("bicubic", "lanczos_tf", "lanczos_tf_jpeg")


def resize(
    picture: npt.NDArray[np.uint8], height: int, width: int, how: str = "bicubic"
) -> npt.NDArray[np.uint8]:
    """A picture of another size, uint8[height, width, 3].

    Args:
        picture: uint8[H, W, 3].
        height, width: in pixels.
        how: ``bicubic``: Pillow's, as image processors of transformers. ``lanczos_tf``: TensorFlow's
            ``resize(..., "lanczos3", antialias=True)``, rounded, as the RLDS loaders of OpenVLA.
            ``lanczos_tf_jpeg``: the same after a round trip through JPEG, as OpenVLA's evaluation.

    Raises:
        UnknownNameError: for another way.
    """
    from PIL import Image

    check_choice("resizing", how, RESIZING)
    if how == "bicubic":
        if picture.shape[:2] == (height, width):
            return picture
        resized = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
        return np.asarray(resized, dtype=np.uint8)
    if how == "lanczos_tf_jpeg":
        picture = jpeg(picture)
    return lanczos_tf(picture, height, width)


def jpeg(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture after JPEG of quality 95 with halved colour, TensorFlow's default: uint8[H, W, 3].

    On noise Pillow's and TensorFlow's differ by 2 levels on average, by 19 at most.
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=95, subsampling="4:2:0")
    return np.asarray(Image.open(file), dtype=np.uint8)


def lanczos_tf(picture: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    """TensorFlow's antialiased Lanczos of radius 3, rounded: uint8[height, width, 3]."""
    rows, cols = (_lanczos(*sides) for sides in ((picture.shape[0], height), (picture.shape[1], width)))
    values: npt.NDArray[np.float32] = np.einsum("ij,jkc->ikc", rows, picture.astype(np.float32))
    values = np.einsum("kj,ijc->ikc", cols, values)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _lanczos(old: int, new: int) -> npt.NDArray[np.float32]:
    """Weights, float32[new, old], of one axis."""
    step = old / new
    wide = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step
    away = (np.arange(old)[None] + 0.5 - centres[:, None]) / wide
    weights = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0.0)
    return np.asarray(weights / weights.sum(1, keepdims=True), dtype=np.float32)


def centre_crop(
    picture: npt.NDArray[np.uint8], share: float = 0.9, size: tuple[int, int] | None = None
) -> npt.NDArray[np.uint8]:
    """The middle of a picture, uint8[*size, 3].

    Bilinear between the corners' pixels, as TensorFlow's ``crop_and_resize``.

    Args:
        picture: uint8[H, W, 3].
        share: of its area.
        size: (height, width) in pixels; None: as large as the picture.

    Raises:
        OptionError: if the share is not in (0, 1].
    """
    low, high = crop_box(share)
    values: npt.NDArray[np.float32] = picture.astype(np.float32) / np.float32(255)
    for axis in (0, 1):
        last, made = picture.shape[axis] - 1, (size or picture.shape)[axis]
        at = low * last + np.arange(made) * (high - low) * last / max(made - 1, 1)
        first = np.clip(np.floor(at).astype(int), 0, last)
        after = np.minimum(first + 1, last)
        weight = (at - first).astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
        values = values.take(first, axis) * (1 - weight) + values.take(after, axis) * weight
    levels: npt.NDArray[np.float32] = np.floor(values * np.float32(255.5))
    return np.clip(levels, 0, 255).astype(np.uint8)


def crop_box(share: float) -> tuple[float, float]:
    """Where the middle of ``share`` of the area begins and ends, as shares of a side."""
    if not 0 < share <= 1:
        raise OptionError(f"the share of a picture must be in (0, 1], got {share!r}")
    side = math.sqrt(share)
    return (1 - side) / 2, (1 + side) / 2


def normalise(
    picture: npt.NDArray[np.uint8], mean: npt.ArrayLike, std: npt.ArrayLike
) -> npt.NDArray[np.float32]:
    """float32[3, H, W] of uint8[H, W, 3]: (picture / 255 - mean) / std, per channel."""
    values: npt.NDArray[np.float32] = picture.astype(np.float32) / np.float32(255)
    values = values - np.asarray(mean, dtype=np.float32)
    values /= np.asarray(std, dtype=np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def letterbox(picture: npt.NDArray[np.uint8], fill: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """The picture in the middle of a square of one colour: uint8[s, s, 3], s the longer side."""
    height, width = picture.shape[:2]
    side = max(height, width)
    square = np.empty((side, side, 3), dtype=np.uint8)
    square[:] = fill
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    return square


def resize_with_pad(
    picture: npt.NDArray[np.uint8], side: int, *, corner: bool = False
) -> npt.NDArray[np.uint8]:
    """The picture in a black square, its sides' ratio kept: uint8[side, side, 3].

    Bilinear between pixels' centres and not antialiased, as openpi's and lerobot's.

    Args:
        picture: uint8[H, W, 3].
        side: of the square (pixels).
        corner: at the bottom right, as lerobot's SmolVLA; else in the middle, as openpi.
    """
    height, width = picture.shape[:2]
    ratio = max(height, width) / side
    new = int(height / ratio), int(width / ratio)
    values = picture.astype(np.float32)
    for axis in (0, 1):
        last = picture.shape[axis] - 1
        centres = (np.arange(new[axis]) + 0.5) * picture.shape[axis] / new[axis] - 0.5
        at = np.clip(centres, 0, last).astype(np.float32)
        first = np.floor(at).astype(int)
        weight = (at - first).reshape([-1 if k == axis else 1 for k in range(3)])
        after = np.minimum(first + 1, last)
        values = values.take(first, axis) * (1 - weight) + values.take(after, axis) * weight
    square = np.zeros((side, side, 3), dtype=np.uint8)
    top, left = ((side - size) // (1 if corner else 2) for size in new)
    square[top : top + new[0], left : left + new[1]] = np.clip(np.rint(values), 0, 255)
    return square
