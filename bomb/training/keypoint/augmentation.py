"""What is done to pictures while an eye learns: turned and bent, other table tops, other light.

A homography of the picture moves every label of the plane exactly. Table tops are made of blobs, stripes,
tiles and clouds drawn here, on the plane as the camera sees it; BOMB's held-out textures play no part in it.
"""

import numpy as np
import torch
from torch.nn import functional

from bomb.models.keypoint.format import IMAGE_SIZE
from core.world.scene import SegmentationId

HEIGHT, WIDTH = IMAGE_SIZE
TURN, SCALE, SHIFT, BEND = 0.08, 0.06, 4.0, 2.0  # rad, share, pixels, pixels of a corner
COVERED = 0.45  # share of pictures whose table top is another one
PAINTED = 0.25  # share of pictures whose wall and floor are other ones
SURFACES = (int(SegmentationId.WALL), int(SegmentationId.FLOOR), int(SegmentationId.BACKGROUND))


def random_warp(rng: np.random.Generator) -> np.ndarray:
    """A homography from pixels to pixels, float64[3, 3]."""
    angle, scale = rng.uniform(-TURN, TURN), np.exp(rng.uniform(-SCALE, SCALE))
    shift = rng.uniform(-SHIFT, SHIFT, 2)
    corners = np.array([(0, 0), (WIDTH - 1, 0), (WIDTH - 1, HEIGHT - 1), (0, HEIGHT - 1)], dtype=np.float64)
    middle = corners.mean(0)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (corners - middle) @ turn.T + middle + shift + rng.uniform(-BEND, BEND, (4, 2))
    return homography_of_corners(corners, moved)


def homography_of_corners(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The homography that takes four points float64[4, 2] to four others, with a last entry of 1."""
    rows = []
    for (x, y), (u, v) in zip(before, after, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.append(np.linalg.solve(np.array(rows), after.reshape(-1)), 1.0).reshape(3, 3)


def pixel_grid() -> np.ndarray:
    """float64[H W, 3], every pixel as (u, v, 1)."""
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([u, v, np.ones_like(u)], -1).reshape(-1, 3).astype(np.float64)


def warped(pictures: torch.Tensor, warps: np.ndarray) -> torch.Tensor:
    """Pictures float32[N, 3, H, W] after homographies float64[N, 3, 3] of their pixels."""
    back = np.linalg.inv(warps)
    seen = pixel_grid() @ back.transpose(0, 2, 1)
    where = (seen[..., :2] / seen[..., 2:] + 0.5) / (WIDTH / 2) - 1.0
    grid = torch.from_numpy(where.astype(np.float32)).view(len(warps), HEIGHT, WIDTH, 2)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def recovered(
    picture: np.ndarray, parts: np.ndarray, plane: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A picture float32[H, W, 3] (0 to 1), perhaps with another table top, wall and floor.

    Args:
        picture: as it was drawn.
        parts: uint8[H, W], ``SegmentationId``.
        plane: homography from x and y of R (m) to pixels.
        rng: what draws.
    """
    made = picture
    if rng.random() < COVERED:
        seen = pixel_grid() @ np.linalg.inv(plane).T
        depth = np.where(np.abs(seen[:, 2]) > 1e-9, seen[:, 2], 1e-9)
        where = np.clip(seen[:, :2] / depth[:, None], -5.0, 5.0).reshape(HEIGHT, WIDTH, 2)
        made = _covered(made, parts == int(SegmentationId.TABLE), where, rng)
    if rng.random() < PAINTED:
        flat = pixel_grid()[:, :2].reshape(HEIGHT, WIDTH, 2) * 0.003
        made = _covered(made, np.isin(parts, SURFACES), flat, rng)
    return made


def _covered(
    picture: np.ndarray, mask: np.ndarray, where: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The picture with a pattern where ``mask`` is, shaded as what it covers."""
    if not mask.any():
        return picture
    share = pattern(where[mask], rng)[:, None]
    colors = rng.uniform(0.08, 0.85, (2, 3))
    if rng.random() < 0.5:  # two shades of one colour
        colors[1] = np.clip(colors[0] * rng.uniform(0.35, 1.6), 0, 0.9)
    covered = share * colors[0] + (1 - share) * colors[1]
    light = picture[mask].mean(1, keepdims=True)
    keep = rng.uniform(0.3, 1.0)  # of the shading and the pattern below
    made = picture.copy()
    made[mask] = np.clip(covered * (light / max(float(light.mean()), 0.02)) ** keep, 0, 1)
    return made


def pattern(where: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random pattern float64[P], 0 to 1, at points float64[P, 2] (m): blobs, stripes, tiles or clouds."""
    kind = rng.choice(["blobs", "blobs", "stripes", "tiles", "clouds"])
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    x, y = ((where @ turn) + rng.uniform(0, 1, 2)).T
    if kind == "blobs":
        return _blobs(x, y, rng)
    if kind == "stripes":
        wave = np.sin(2 * np.pi * x / rng.uniform(0.01, 0.12) + rng.uniform(0, 2) * np.sin(y / 0.05))
        return np.asarray(1 / (1 + np.exp(-wave * rng.choice([1.5, 20.0]))))
    if kind == "tiles":
        side = rng.uniform(0.02, 0.12)
        row = np.floor(y / side)
        column = np.floor(x / (side * rng.uniform(1, 2.5)) + 0.5 * (row % 2))
        return _noise(row, column, int(rng.integers(1 << 30))) ** rng.uniform(0.5, 2)
    total, size = np.zeros_like(x), rng.uniform(0.01, 0.2)
    for octave in range(3):
        total += _cloud(x / size, y / size, int(rng.integers(1 << 30))) / 2**octave
        size /= 2
    return np.asarray(np.clip(total / 1.75, 0, 1))


def _blobs(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round spots, some as large as stones, on a lattice that is shaken."""
    side = rng.uniform(0.022, 0.09)
    least, most = np.sort(rng.uniform(0.12, 0.48, 2)) * side
    shaken, salt = rng.uniform(0, 1), int(rng.integers(1 << 30))
    row, column = np.floor(y / side), np.floor(x / side)
    dx = x / side - column - 0.5 - 0.5 * shaken * (_noise(row, column, salt) - 0.5)
    dy = y / side - row - 0.5 - 0.5 * shaken * (_noise(row, column, salt + 1) - 0.5)
    radius = least + (most - least) * _noise(row, column, salt + 2)
    inside = radius - np.hypot(dx, dy) * side
    spots: np.ndarray = np.clip(0.5 + inside / 0.002, 0, 1)
    return spots * (_noise(row, column, salt + 3) < rng.uniform(0.5, 1.1))


def _noise(row: np.ndarray, column: np.ndarray, salt: int) -> np.ndarray:
    """A number from 0 to 1 for each cell of a lattice."""
    mixed = np.sin(row * 12.9898 + column * 78.233 + (salt % 9973) * 0.37) * 43758.5453
    return mixed - np.floor(mixed)


def _cloud(x: np.ndarray, y: np.ndarray, salt: int) -> np.ndarray:
    row, column = np.floor(y), np.floor(x)
    s, t = x - column, y - row
    s, t = s * s * (3 - 2 * s), t * t * (3 - 2 * t)
    top = _noise(row, column, salt) * (1 - s) + _noise(row, column + 1, salt) * s
    low = _noise(row + 1, column, salt) * (1 - s) + _noise(row + 1, column + 1, salt) * s
    mixed: np.ndarray = top * (1 - t) + low * t
    return mixed


def relit(pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Pictures float32[N, 3, H, W] in another light: exposure, colours, contrast, noise, some blur."""
    count = len(pictures)

    def drawn(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, (count, *shape, 1, 1)).astype(np.float32))

    gains = torch.exp2(drawn(-0.7, 0.7, 1) + drawn(-0.35, 0.35, 3))
    made = (pictures * gains).clamp(0, 1) ** torch.exp2(drawn(-0.35, 0.35, 1))
    grey = made.mean(1, keepdim=True)
    made = grey + (made - grey) * drawn(0.4, 1.4, 1)
    blurred = functional.avg_pool2d(functional.pad(made, (1, 1, 1, 1), mode="replicate"), 3, 1)
    made = torch.lerp(made, blurred, drawn(0.0, 1.0, 1) * (drawn(0, 1, 1) < 0.3))
    noise = torch.from_numpy(rng.standard_normal(tuple(made.shape), dtype=np.float32))
    return (made + noise * drawn(0.0, 0.05, 1) * (drawn(0, 1, 1) < 0.5)).clamp(0, 1)
