"""What stands where something is hidden in a picture: a colour, a blur, or noise.

Pictures are painted as uint8, before a model resizes or normalises anything: a model with two vision towers
would else see with one of them what was hidden from the other.
"""

import numpy as np
import numpy.typing as npt

from core.errors import check_choice

GREY = 127

# What a caption says that was painted.
OCCLUDERS = {
    "mean": "the mean colour of the whole picture",
    "grey": f"grey ({GREY} of 255)",
    "blur": "the picture itself, blurred by a Gaussian as wide as the patch",
    "noise": "uniform noise, the same in every picture",
}
SENSITIVITY = ("mean", "blur", "noise")  # a map is repeated under these


def occlude(
    picture: npt.NDArray[np.uint8], hidden: npt.NDArray[np.bool_], occluder: str, *, width: float = 16.0
) -> npt.NDArray[np.uint8]:
    """A copy of a picture with some pixels painted over, uint8[H, W, 3].

    Args:
        picture: uint8[H, W, 3].
        hidden: bool[H, W], the pixels that are painted.
        occluder: one of ``OCCLUDERS``.
        width: standard deviation of the blur (pixels).

    Raises:
        UnknownNameError: for another occluder.
    """
    painted = picture.copy()
    painted[hidden] = filling(picture, occluder, width=width)[hidden]
    return painted


def filling(picture: np.ndarray, occluder: str, *, width: float = 16.0) -> npt.NDArray[np.uint8]:
    """What shows through where a picture is painted over, uint8[H, W, 3]; see ``occlude``."""
    check_choice("occluder", occluder, OCCLUDERS)
    if occluder == "blur":
        from PIL import Image, ImageFilter

        return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(width)))
    if occluder == "noise":
        return np.random.default_rng(0).integers(0, 256, picture.shape, dtype=np.uint8)
    colour = picture.reshape(-1, 3).mean(0) if occluder == "mean" else np.full(3, GREY)
    return np.broadcast_to(np.rint(colour).astype(np.uint8), picture.shape)
