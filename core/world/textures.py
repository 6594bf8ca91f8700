"""Pictures made by code: the board with its lines, the wood of the table, and what may take its place.

Every texture is a function of its ``TextureSpec`` alone, so both engines and every machine draw the
same one. Rows run from the top of the picture; u, v = (0, 0) is its lower left corner.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from core.errors import check_choice
from core.world.scene import BoardSpec, TextureSpec

Floats = npt.NDArray[np.float64]
Texture = TypeVar("Texture", bound=Callable[..., Floats])
TEXTURES: dict[str, Callable[..., Floats]] = {}

Rgb = tuple[float, float, float]

WOOD_LIGHT: Rgb = (0.36, 0.20, 0.10)  # linear, of the clean table
WOOD_DARK: Rgb = (0.20, 0.10, 0.05)


def srgb_encode(linear: npt.ArrayLike) -> np.ndarray:
    """Linear light in [0, 1] to sRGB in [0, 1] (IEC 61966-2-1)."""
    light = np.clip(np.asarray(linear), 0.0, 1.0)
    encoded: Floats = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return encoded


def srgb_decode(encoded: npt.ArrayLike) -> np.ndarray:
    """Inverse of ``srgb_encode``."""
    encoded = np.asarray(encoded, dtype=np.float64)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def texture(name: str) -> Callable[[Texture], Texture]:
    """Registers a function ``(size, **params) -> linear float[H, W, 3]`` as a texture."""

    def register(function: Texture) -> Texture:
        TEXTURES[name] = function
        return function

    return register


@lru_cache(maxsize=8)
def make_texture(spec: TextureSpec) -> npt.NDArray[np.uint8]:
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
    smooth: Floats = top * (1 - fy) + bottom * fy
    return smooth


@texture("wood")
def wood(
    size: tuple[int, int],
    light: Rgb = WOOD_LIGHT,
    dark: Rgb = WOOD_DARK,
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
    picture: Floats = mix * np.asarray(light) + (1 - mix) * np.asarray(dark)
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
    inked: Floats = picture * (1 - ink[..., None]) + ink[..., None] * np.asarray(line_color)
    return inked


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


def _two_tone(mix: np.ndarray, light: Rgb, dark: Rgb) -> npt.NDArray[np.floating]:
    """``light`` where float[H, W] ``mix`` is 1, ``dark`` where it is 0."""
    mix = np.clip(mix, 0.0, 1.0)[..., None]
    mixed: Floats = mix * np.asarray(light) + (1 - mix) * np.asarray(dark)
    return mixed


def _grid(size: tuple[int, int]) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Pixel middles in [0, 1): row coordinate float[H, 1] and column coordinate float[1, W]."""
    return (np.arange(size[0])[:, None] + 0.5) / size[0], (np.arange(size[1])[None, :] + 0.5) / size[1]


def _clouds(size: tuple[int, int], cells: int, seed: int) -> np.ndarray:
    """Three octaves of noise in [0, 1]."""
    parts = [_smooth_noise(size, (cells << k, cells << k), seed + k) / 2**k for k in range(3)]
    clouds: Floats = sum(parts) / 1.75
    return clouds


@texture("marble")
def marble(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Veins where warped waves cross zero."""
    y, x = _grid(size)
    wave = np.sin(2 * np.pi * (2 * x + 3 * y + 1.5 * _clouds(size, 4, seed)))
    return _two_tone(abs(wave) ** 0.4 * (0.75 + 0.25 * _clouds(size, 6, seed + 9)), light, dark)


@texture("felt")
def felt(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Fine, faint grain."""
    return _two_tone(0.55 + 0.9 * (_smooth_noise(size, (170, 170), seed) - 0.5), light, dark)


@texture("checker")
def checker(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Squares, 10 to 13 along the shorter side of a table."""
    count = 10 + seed % 4
    y, x = _grid(size)
    return _two_tone(((y * count).astype(int) + (x * count * 12 // 7).astype(int)) % 2, light, dark)


@texture("noise")
def noise(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Blotches."""
    return _two_tone(2.2 * (_clouds(size, 10, seed) - 0.5) + 0.5, light, dark)


@texture("stripes")
def stripes(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Straight stripes, in one of two slants."""
    y, x = _grid(size)
    slant = 1 if seed % 2 else -1
    return _two_tone(0.5 + 2.5 * np.sin(2 * np.pi * (9 * x + slant * 5 * y)), light, dark)


@texture("bricks")
def bricks(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Courses of bricks, each of its own tone, with dark joints."""
    y, x = _grid(size)
    row = (y * 14).astype(int)
    along = x * 12 + 0.5 * (row % 2)
    tones = np.random.Generator(np.random.PCG64(seed)).uniform(0.6, 1.0, (14, 14))
    joint = ((y * 14) % 1 < 0.12) | (along % 1 < 0.06)
    return _two_tone(np.where(joint, 0.0, tones[row, along.astype(int)]), light, dark)


@texture("terrazzo")
def terrazzo(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Chips in a ground."""
    chips = _smooth_noise(size, (56, 90), seed)
    return _two_tone(0.75 - 6 * (chips - 0.62).clip(0, 0.12), light, dark)


@texture("dots")
def dots(size: tuple[int, int], light: Rgb, dark: Rgb, seed: int) -> np.ndarray:
    """Discs in rows that are offset by half."""
    y, x = _grid(size)
    row = y * 12
    column = x * 20 + 0.5 * (row.astype(int) % 2)
    return _two_tone(8 * (np.hypot(row % 1 - 0.5, column % 1 - 0.5) - 0.28) + 0.5, light, dark)


@texture("button")
def button(size: tuple[int, int], light: Rgb, dark: Rgb) -> np.ndarray:
    """A disc seen from above, with a groove and four holes."""
    y, x = (2 * axis - 1 for axis in _grid(size))
    holes = np.hypot(abs(x) - 0.2, abs(y) - 0.2) < 0.12
    groove = abs(np.hypot(x, y) - 0.62) < 0.05
    return _two_tone(1.0 - (holes | groove), light, dark)


@texture("pips")
def pips(size: tuple[int, int], light: Rgb, dark: Rgb) -> np.ndarray:
    """The five of a die."""
    y, x = (2 * axis - 1 for axis in _grid(size))
    marks = (np.hypot(abs(x) - 0.38, abs(y) - 0.38) < 0.14) | (np.hypot(x, y) < 0.14)
    return _two_tone(1.0 - marks, light, dark)
