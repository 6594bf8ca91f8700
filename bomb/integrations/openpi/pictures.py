"""Pictures in the size that a model takes."""

import numpy as np
import numpy.typing as npt


def resize_with_pad(picture: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.uint8]:
    """As large as fits without distortion, bilinear, in the middle of black: as openpi's clients do it.

    Args:
        picture: uint8[H, W, 3].
        height, width: of the result (pixels).

    Returns:
        uint8[height, width, 3]; the same array if it has the size already.
    """
    if picture.shape[:2] == (height, width):
        return picture
    from PIL import Image

    shrink = max(picture.shape[1] / width, picture.shape[0] / height)
    inner_height, inner_width = int(picture.shape[0] / shrink), int(picture.shape[1] / shrink)
    inner = Image.fromarray(picture).resize((inner_width, inner_height), resample=Image.Resampling.BILINEAR)
    top, left = (height - inner_height) // 2, (width - inner_width) // 2
    padded = np.zeros((height, width, 3), dtype=np.uint8)
    padded[top : top + inner_height, left : left + inner_width] = np.asarray(inner)
    return padded
