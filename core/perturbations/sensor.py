"""What the camera does to the finished colour picture; depth and segmentation stay.

Sizes are in percent of the picture's height, so that they mean the same at every resolution. Noise is drawn
anew for every picture, from a stream of (split, seed, knob, camera, time): both engines add the same.
"""

import io
from math import ceil
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.perturbations.base import Perturbation, Touches, plain, sign, spread
from core.world.textures import srgb_decode, srgb_encode

_LINEAR = srgb_decode(np.arange(256) / 255)


class _Sensor(Perturbation):
    family: ClassVar[str] = "sensor"
    touches: ClassVar[Touches] = Touches.SENSOR
    statistic: ClassVar[str] = "mean absolute difference of the picture from the clean one"
    per_camera: ClassVar[bool] = True


class Brightness(_Sensor):
    """The exposure is longer or shorter."""

    name: ClassVar[str] = "brightness"
    family: ClassVar[str] = "image"
    unit: ClassVar[str] = "photographic stops"
    levels: ClassVar[tuple[str, ...]] = tuple(f"+-{0.25 * k:g}" for k in range(1, 6))

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"factor": float(2 ** (0.25 * level * sign(rng) * spread(rng)))}

    def develop(
        self, picture: npt.NDArray[np.uint8], draw: dict[str, Any], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        return _gained(picture, [draw["factor"]] * 3)


class ColorBalance(_Sensor):
    """The three channels have other gains; the luminance of grey stays."""

    name: ClassVar[str] = "color_balance"
    family: ClassVar[str] = "image"
    unit: ClassVar[str] = "photographic stops between channels"
    levels: ClassVar[tuple[str, ...]] = tuple(f"up to {0.15 * k:g}" for k in range(1, 6))

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        angle, far = rng.uniform(0, 2 * np.pi), spread(rng)
        stops = 0.15 * level * far * np.cos(angle + np.array([0.0, 2.0, 4.0]) * np.pi / 3)
        return {"gains": plain(2.0**stops)}

    def develop(
        self, picture: npt.NDArray[np.uint8], draw: dict[str, Any], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        return _gained(picture, draw["gains"])


class GaussianNoise(_Sensor):
    """Every pixel and channel gets noise of its own."""

    name: ClassVar[str] = "gaussian_noise"
    unit: ClassVar[str] = "standard deviation, in 1/255"
    levels: ClassVar[tuple[str, ...]] = ("4", "8", "12", "16", "20")

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"sigma": 4.0 * level}

    def develop(
        self, picture: npt.NDArray[np.uint8], draw: dict[str, Any], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(draw["sigma"])
        noisy: npt.NDArray[np.uint8] = np.clip(picture + noise + 0.5, 0, 255).astype(np.uint8)
        return noisy


class MotionBlur(_Sensor):
    """The picture is smeared along a drawn direction."""

    name: ClassVar[str] = "motion_blur"
    unit: ClassVar[str] = "percent of the picture's height"
    levels: ClassVar[tuple[str, ...]] = ("1", "2", "3", "4", "5")

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"angle_rad": float(rng.uniform(0, np.pi)), "length": 0.01 * level}

    def develop(
        self, picture: npt.NDArray[np.uint8], draw: dict[str, Any], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        length = draw["length"] * len(picture)
        t = np.linspace(-length / 2, length / 2, 4 * ceil(length) + 1)
        return _blurred(
            picture, np.stack([t * np.sin(draw["angle_rad"]), t * np.cos(draw["angle_rad"])], axis=1)
        )


class Defocus(_Sensor):
    """Every point becomes a disc."""

    name: ClassVar[str] = "defocus"
    unit: ClassVar[str] = "radius of the disc, in percent of the picture's height"
    levels: ClassVar[tuple[str, ...]] = ("0.3", "0.6", "0.9", "1.2", "1.5")

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"radius": 0.003 * level}

    def develop(
        self, picture: npt.NDArray[np.uint8], draw: dict[str, Any], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        radius = draw["radius"] * len(picture)
        t = np.linspace(-radius, radius, 4 * ceil(radius) + 1)
        points = np.stack(np.meshgrid(t, t, indexing="ij"), axis=-1).reshape(-1, 2)
        return _blurred(picture, points[np.hypot(*points.T) <= radius * (1 + 1e-9)])


class Jpeg(_Sensor):
    """The picture was stored as a JPEG."""

    name: ClassVar[str] = "jpeg"
    unit: ClassVar[str] = "quality"
    levels: ClassVar[tuple[str, ...]] = ("70", "50", "30", "18", "10")

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"quality": (70, 50, 30, 18, 10)[level - 1]}

    def develop(
        self, picture: npt.NDArray[np.uint8], draw: dict[str, Any], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=draw["quality"], subsampling=2)
        return np.asarray(Image.open(buffer)).copy()


def _gained(picture: npt.NDArray[np.uint8], gains: list[float]) -> npt.NDArray[np.uint8]:
    """Gains in linear light, clipped where a sensor would be."""
    tables = [(srgb_encode(_LINEAR * gain) * 255 + 0.5).astype(np.uint8) for gain in gains]
    return np.stack([table[picture[..., k]] for k, table in enumerate(tables)], axis=-1)


def _blurred(picture: npt.NDArray[np.uint8], offsets: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """The mean of the picture, in linear light, moved by offsets float64[N, 2] (rows, columns; pixels)."""
    reach = ceil(abs(offsets).max()) + 1
    height, width = picture.shape[:2]
    light = np.pad(_LINEAR.astype(np.float32)[picture], ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    # Offsets lie between pixels: their bilinear weights make one small kernel.
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    whole = np.floor(offsets).astype(int)
    part = offsets - whole
    for dr in (0, 1):
        for dc in (0, 1):
            weight = np.where(dr, part[:, 0], 1 - part[:, 0]) * np.where(dc, part[:, 1], 1 - part[:, 1])
            np.add.at(kernel, (whole[:, 0] + dr + reach, whole[:, 1] + dc + reach), weight)
    kernel /= kernel.sum()
    total = np.zeros((height, width, 3), dtype=np.float32)
    for row, column in np.argwhere(kernel > 0):
        total += np.float32(kernel[row, column]) * light[row : row + height, column : column + width]
    return (srgb_encode(total) * 255 + 0.5).astype(np.uint8)
