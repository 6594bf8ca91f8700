"""Pictures changed while learning: cropped, turned a little, and in other light. Never flipped."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bomb.models.requests import Request
from bomb.training.recipe import AugmentationRecipe

ON_HAND = ("wrist",)  # cameras whose pictures are cropped and turned only where the recipe says so


def augmented(request: Request, how: AugmentationRecipe, *, seed: Sequence[int]) -> Request:
    """The same question with other pictures; the same for the same seed.

    The colours of all cameras change alike. Earlier moments are changed as the present one.

    Args:
        request: what is asked.
        how: much.
        seed: what it is drawn from.
    """
    if how == AugmentationRecipe():
        return request
    pictures = {}
    for number, (camera, picture) in enumerate(request.pictures.items()):
        draw = np.random.default_rng([*seed, 1 + number])
        if how.wrist or camera not in ON_HAND:
            picture = _moved(picture, how, draw)
        pictures[camera] = _coloured(picture, how, np.random.default_rng([*seed, 0]))
    earlier, later = (
        tuple(augmented(one, how, seed=seed) for one in moments)
        for moments in (request.history, request.future)
    )
    return replace(request, pictures=pictures, history=earlier, future=later)


def moved_points(
    points: np.ndarray,
    cameras: Sequence[str],
    size: tuple[int, int],
    how: AugmentationRecipe,
    *,
    seed: Sequence[int],
) -> np.ndarray:
    """Where points of the pictures are after ``augmented`` with the same seed.

    Args:
        points: float32[cameras, 3]: u, v in pixels, and 1 where it is in view.
        cameras: in the order of the request's pictures.
        size: (height, width) of the pictures.
        how: much.
        seed: what it is drawn from.

    Returns:
        The same; what the crop cuts off is out of view.
    """
    made = points.copy()
    for number, camera in enumerate(cameras):
        if not (how.wrist or camera not in ON_HAND):
            continue
        motion = _motion(size, how, np.random.default_rng([*seed, 1 + number]))
        if motion is None:
            continue
        turn, offset = np.array(motion).reshape(2, 3)[:, :2], np.array(motion).reshape(2, 3)[:, 2]
        u, v = np.linalg.solve(turn, points[number, :2] - offset)
        inside = 0 <= u < size[1] and 0 <= v < size[0]
        made[number] = u, v, points[number, 2] * inside
    return made


def _moved(picture: np.ndarray, how: AugmentationRecipe, draw: np.random.Generator) -> np.ndarray:
    """A crop of a random share at a random place, turned about its middle, as large as the picture."""
    from PIL import Image

    height, width = picture.shape[:2]
    matrix = _motion((height, width), how, draw)
    if matrix is None:
        return picture
    moved = Image.fromarray(picture).transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return np.asarray(moved)


def _motion(
    size: tuple[int, int], how: AugmentationRecipe, draw: np.random.Generator
) -> tuple[float, float, float, float, float, float] | None:
    """From pixels of the new picture to those of the old one, u = a u' + b v' + c and v alike.

    None: they stay where they are.
    """
    if how.crop is None and not how.rotate:
        return None
    height, width = size
    side = np.sqrt(draw.uniform(how.crop or 1.0, 1.0))
    top, left = draw.uniform(0, 1 - side), draw.uniform(0, 1 - side)
    angle = np.deg2rad(draw.uniform(-how.rotate, how.rotate))
    # Scale by ``side``, turn about the crop's middle.
    cos, sin = side * np.cos(angle), side * np.sin(angle)
    middle = np.array([(left + side / 2) * width, (top + side / 2) * height])
    offset = middle - np.array([[cos, -sin], [sin, cos]]) @ (np.array([width, height]) / 2)
    return (cos, -sin, offset[0], sin, cos, offset[1])


def _coloured(picture: np.ndarray, how: AugmentationRecipe, draw: np.random.Generator) -> np.ndarray:
    """Brightness, contrast, saturation, hue, in this order."""
    from PIL import Image, ImageEnhance

    factors = {name: 1 + getattr(how, name) * draw.uniform(-1, 1) for name in _KINDS}
    turn = how.hue * draw.uniform(-1, 1)
    if not (how.hue or any(getattr(how, name) for name in _KINDS)):
        return picture
    image = Image.fromarray(picture)
    for name, kind in _KINDS.items():
        if getattr(how, name):
            image = getattr(ImageEnhance, kind)(image).enhance(float(factors[name]))
    if how.hue:
        hsv = np.array(image.convert("HSV"))
        hsv[..., 0] += np.uint8(round(turn * 256) % 256)
        image = Image.fromarray(hsv, "HSV").convert("RGB")
    return np.asarray(image)


_KINDS = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color"}
