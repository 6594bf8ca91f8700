"""Pictures made by code: the board with its lines, and the wood of the table.

Every texture is a function of its ``TextureSpec`` alone, so both engines and every machine draw the
same one. Rows run from the top of the picture; u, v = (0, 0) is its lower left corner.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.errors import check_choice
from core.scene import BoardSpec, TextureSpec

TEXTURES: dict[str, Callable[..., np.ndarray]] = {}


def srgb_encode(linear: np.ndarray) -> np.ndarray:
    """Linear light in [0, 1] to sRGB in [0, 1] (IEC 61966-2-1)."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_decode(encoded: np.ndarray) -> np.ndarray:
    """Inverse of ``srgb_encode``."""
    encoded = np.asarray(encoded, dtype=np.float64)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def texture(name: str):
    """Registers a function ``(size, **params) -> linear float[H, W, 3]`` as a texture."""

    def register(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        TEXTURES[name] = function
        return function

    return register


@lru_cache(maxsize=8)
def make_texture(spec: TextureSpec) -> np.ndarray:
    """Draws a texture.

    Returns:
        uint8[H, W, 3], sRGB-encoded, not writable.

    Raises:
        UnknownNameError: if no texture has that name.
    """
    check_choice("texture", spec.name, TEXTURES)
    linear = TEXTURES[spec.name](spec.size, **dict(spec.params))
    image = (srgb_encode(linear) * 255 + 0.5).astype(np.uint8)
    image.setflags(write=False)
    return image


def _smooth_noise(size: tuple[int, int], cells: tuple[int, int], seed: int) -> np.ndarray:
    """Value noise in [0, 1]: random values on a grid, interpolated with a cubic."""
    values = np.random.Generator(np.random.PCG64(seed)).random((cells[0] + 1, cells[1] + 1))
    y = np.linspace(0, cells[0], size[0], endpoint=False)
    x = np.linspace(0, cells[1], size[1], endpoint=False)
    iy, ix = y.astype(int), x.astype(int)
    fy, fx = (y - iy)[:, None], (x - ix)[None, :]
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    top = values[np.ix_(iy, ix)] * (1 - fx) + values[np.ix_(iy, ix + 1)] * fx
    bottom = values[np.ix_(iy + 1, ix)] * (1 - fx) + values[np.ix_(iy + 1, ix + 1)] * fx
    return top * (1 - fy) + bottom * fy


@texture("wood")
def wood(
    size: tuple[int, int],
    light: tuple[float, float, float] = (0.36, 0.20, 0.10),
    dark: tuple[float, float, float] = (0.20, 0.10, 0.05),
    seed: int = 1,
) -> np.ndarray:
    """Planks with grain along u."""
    grain = 0.6 * _smooth_noise(size, (48, 3), seed) + 0.25 * _smooth_noise(size, (160, 6), seed + 1)
    grain += 0.15 * _smooth_noise(size, (12, 2), seed + 2)
    planks = 6
    row = np.arange(size[0]) * planks // size[0]
    tone = np.random.Generator(np.random.PCG64(seed + 3)).uniform(-0.12, 0.12, planks)[row][:, None]
    mix = np.clip(grain + tone, 0, 1)[..., None]
    seams = (np.arange(size[0]) * planks % size[0]) < planks * 1.5
    picture = mix * np.asarray(light) + (1 - mix) * np.asarray(dark)
    picture[seams] *= 0.6
    return picture


@texture("board")
def board(
    size: tuple[int, int],
    lines: int = 5,
    pitch: float = 0.055,
    width: float = 0.27,
    wood_color: tuple[float, float, float] = (0.55, 0.36, 0.15),
    line_color: tuple[float, float, float] = (0.02, 0.016, 0.012),
    line_width: float = 0.002,
    labels: bool = False,
) -> np.ndarray:
    """The Go board seen with row 0 at the top and column 0 on the left."""
    grain = 0.8 + 0.25 * _smooth_noise(size, (3, 40), 11) + 0.15 * _smooth_noise(size, (6, 120), 12)
    picture = grain[..., None] * np.asarray(wood_color)
    scale = size[0] / width
    span = (lines - 1) * pitch
    coverage = Image.new("L", (size[1] * 2, size[0] * 2), 0)  # twice as large, for smooth edges
    draw = ImageDraw.Draw(coverage)
    half = line_width / 2
    for k in range(lines):
        at = (width - span) / 2 + k * pitch
        low, high = (width - span) / 2 - half, (width + span) / 2 + half
        for box in ((at - half, low, at + half, high), (low, at - half, high, at + half)):
            draw.rectangle([value * scale * 2 for value in box], fill=255)
    middle, dot = width / 2, 0.0035
    draw.ellipse([(middle + s * dot) * scale * 2 for s in (-1, -1, 1, 1)], fill=255)
    if labels:
        font = ImageFont.load_default(size=int(0.013 * scale * 2))
        for k in range(lines):
            at, edge = ((width - span) / 2 + k * pitch) * scale * 2, 0.012 * scale * 2
            draw.text((at, edge), "ABCDEFGHJ"[k], fill=255, font=font, anchor="mm")
            draw.text((edge, at), str(k + 1), fill=255, font=font, anchor="mm")
    ink = np.asarray(coverage.resize((size[1], size[0]), Image.Resampling.BOX), dtype=np.float64) / 255
    return picture * (1 - ink[..., None]) + ink[..., None] * np.asarray(line_color)


def board_texture(spec: BoardSpec) -> TextureSpec:
    """The texture that shows ``spec``'s lines where its intersections are."""
    return TextureSpec(
        name="board",
        size=(1024, 1024),
        params=(
            ("lines", spec.size),
            ("pitch", spec.pitch),
            ("width", spec.width),
            ("wood_color", spec.wood_color),
            ("line_color", spec.line_color),
            ("labels", spec.labels),
        ),
    )
