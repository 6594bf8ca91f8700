"""From cells of a picture to metres on the table, and boards from points: all of it has a gradient.

Planes and cameras come from least squares on reference points (Hartley and Zisserman, "Multiple View
Geometry", 2nd edition, section 4.1.2, inhomogeneous), in double precision.
"""

import torch
from torch import Tensor

from bomb.models.keypoint.format import GRID, REFERENCES

RIDGE = 1e-7


def plane_of(places: Tensor, camera: str, tool: Tensor) -> Tensor:
    """The homographies float64[N, 3, 3] from pictures (u, v from -1 to 1) to x and y of R (m) at z = 0.

    Args:
        places: float[N, P, 2], where reference points are seen.
        camera: out of ``bomb.models.keypoint.format.CAMERAS``.
        tool: float[N, 3], in R (m).
    """
    points = torch.as_tensor(REFERENCES[camera], device=places.device)
    seen, tool = places.double(), tool.double()
    middle = points.mean(0)
    size = (points - middle).abs().amax(0).clamp(min=1e-9)
    p = (points - middle) / size
    if camera == "head":
        made = _solved(_with_one(seen), p[None, :, :2].expand(len(seen), -1, -1))
        return _scaling(size[:2].expand(len(seen), 2), middle[:2].expand(len(seen), 2)) @ made
    projection = _solved(_with_one(p).expand(len(seen), -1, -1), seen)
    height = (-tool[:, 2] - middle[2]) / size[2]
    plane = torch.stack(
        [projection[..., 0], projection[..., 1], projection[..., 2] * height[:, None] + projection[..., 3]], 2
    )
    eye = torch.eye(3, dtype=plane.dtype, device=plane.device)
    scale = _scaling(size[:2].expand(len(seen), 2), middle[:2] + tool[:, :2])
    return scale @ torch.linalg.solve(plane + RIDGE * eye, eye.expand(len(seen), 3, 3))


def _with_one(points: Tensor) -> Tensor:
    return torch.cat([points, torch.ones_like(points[..., :1])], -1)


def _solved(before: Tensor, after: Tensor) -> Tensor:
    """float64[N, 3, d] that takes homogeneous points [N, P, d] to points [N, P, 2]; its last entry is 1."""
    d = before.shape[-1]
    zero = torch.zeros_like(before)
    rows = torch.cat(
        [
            torch.cat([before, zero, -after[..., :1] * before[..., : d - 1]], -1),
            torch.cat([zero, before, -after[..., 1:] * before[..., : d - 1]], -1),
        ],
        1,
    )
    wanted = torch.cat([after[..., 0], after[..., 1]], 1)[..., None]
    square = rows.mT @ rows
    square = square + RIDGE * torch.eye(square.shape[-1], dtype=rows.dtype, device=rows.device)
    entries = torch.linalg.solve(square, rows.mT @ wanted)[..., 0]
    return torch.cat([entries, torch.ones_like(entries[:, :1])], 1).unflatten(1, (3, d))


def _scaling(size: Tensor, shift: Tensor) -> Tensor:
    made = torch.zeros(len(size), 3, 3, dtype=size.dtype, device=size.device)
    made[:, 0, 0], made[:, 1, 1], made[:, 2, 2] = size[:, 0], size[:, 1], 1.0
    made[:, :2, 2] = shift
    return made


def cells_on_table(plane: Tensor, offsets: Tensor) -> Tensor:
    """Where every cell of every map points to, float[N, maps, GRID^2, 2], x and y of R (m).

    Args:
        plane: as ``plane_of`` makes it.
        offsets: float[N, 2 maps, GRID, GRID], from the middles of cells (cells; all u, then all v).
    """
    count = offsets.shape[1] // 2
    along = torch.arange(GRID, dtype=offsets.dtype, device=offsets.device)
    u = (along + 0.5 + offsets[:, :count]) * (2 / GRID) - 1
    v = (along[:, None] + 0.5 + offsets[:, count:]) * (2 / GRID) - 1
    H = plane.to(offsets.dtype)[:, :, :, None, None, None]
    x, y, depth = (H[:, k, 0] * u + H[:, k, 1] * v + H[:, k, 2] for k in range(3))
    depth = torch.where(depth.abs() < 1e-3, torch.full_like(depth, 1e-3), depth)
    return torch.stack([x / depth, y / depth], -1).clamp(-3, 3).flatten(2, 3)


def rigid(nodes: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """Boards that points lie on, float[N, 4]: cosine and sine of the turn, x and y of the middle (m).

    Weighted least squares in closed form (Umeyama 1991, in the plane, without scale).

    Args:
        nodes: float[N, P, 2], where the points are on the board (m).
        places: float[N, P, 2], where they are in R (m).
        weights: float[N, P], not negative.
    """
    w = (weights / weights.sum(1, keepdim=True).clamp(min=1e-9))[..., None]
    b, r = (w * nodes).sum(1), (w * places).sum(1)
    p, q = nodes - b[:, None], places - r[:, None]
    along = (w[..., 0] * (p * q).sum(2)).sum(1)
    across = (w[..., 0] * (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0])).sum(1)
    length = torch.sqrt(along**2 + across**2 + 1e-16)
    cos, sin = along / length, across / length
    x = r[:, 0] - cos * b[:, 0] + sin * b[:, 1]
    y = r[:, 1] - sin * b[:, 0] - cos * b[:, 1]
    return torch.stack([cos, sin, x, y], 1)


def on_board(pose: Tensor, nodes: Tensor) -> Tensor:
    """Points float[N, P, 2] of boards (m) in R, for poses float[N, 4] as ``rigid`` makes them."""
    cos, sin, x, y = (pose[:, k, None] for k in range(4))
    return torch.stack(
        [cos * nodes[..., 0] - sin * nodes[..., 1] + x, sin * nodes[..., 0] + cos * nodes[..., 1] + y], 2
    )


def in_board(pose: Tensor, places: Tensor) -> Tensor:
    """Points float[N, P, 2] of R (m) on boards; the reverse of ``on_board``."""
    cos, sin = pose[:, 0, None], pose[:, 1, None]
    x, y = places[..., 0] - pose[:, 2, None], places[..., 1] - pose[:, 3, None]
    return torch.stack([cos * x + sin * y, -sin * x + cos * y], 2)
