"""Triangle meshes and convex hulls, made once and used by both engines and the checker."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.world.scene import StoneSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """A drawn surface.

    Attributes:
        vertices: float32[V, 3] (m).
        faces: int32[F, 3], counter-clockwise seen from outside.
        normals: float32[V, 3], unit.
        uvs: float32[V, 2]; (0, 0) is the lower left corner of the texture.
    """

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]
    normals: npt.NDArray[np.float32]
    uvs: npt.NDArray[np.float32]


def make_mesh(
    vertices: npt.ArrayLike, faces: npt.ArrayLike, normals: npt.ArrayLike, uvs: npt.ArrayLike | None = None
) -> Mesh:
    """A ``Mesh`` with the promised types; without ``uvs`` they are zero."""
    points = np.ascontiguousarray(vertices, dtype=np.float32)
    if uvs is None:
        uvs = np.zeros((len(points), 2))
    return Mesh(
        vertices=points,
        faces=np.ascontiguousarray(faces, dtype=np.int32),
        normals=np.ascontiguousarray(normals, dtype=np.float32),
        uvs=np.ascontiguousarray(uvs, dtype=np.float32),
    )


def box_mesh(half_size: tuple[float, float, float], facing: int = 2) -> Mesh:
    """A box around the origin with sharp edges.

    The faces across axis ``facing`` (z: the top) map to the whole texture, u along the first and v along the
    second of the other axes. The rest maps to a strip of it, so that it shows the same surface.
    """
    across = [axis for axis in range(3) if axis != facing]
    h = np.asarray(half_size, dtype=np.float64)
    vertices: list[npt.NDArray[np.float64]] = []
    faces: list[list[int]] = []
    normals: list[npt.NDArray[np.float64]] = []
    uvs: list[npt.NDArray[np.float64]] = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            corners = np.zeros((4, 3))
            corners[:, axis] = sign * h[axis]
            corners[:, u] = np.array([-1, 1, 1, -1]) * h[u]
            corners[:, v] = np.array([-1, -1, 1, 1]) * h[v]
            normal = np.zeros(3)
            normal[axis] = sign
            base = len(vertices) * 4
            order = [[0, 1, 2], [0, 2, 3]] if sign > 0 else [[0, 2, 1], [0, 3, 2]]
            vertices.append(corners)
            normals.append(np.tile(normal, (4, 1)))
            faces.extend([[base + i for i in face] for face in order])
            if axis == facing:
                uvs.append(corners[:, across] / (2 * h[across]) + 0.5)
            else:
                horizontal = next(other for other in across if other != axis)
                along = corners[:, horizontal] / (2 * h[horizontal]) + 0.5
                uvs.append(np.stack([along, np.full(4, 0.01)], axis=1))
    return make_mesh(np.concatenate(vertices), faces, np.concatenate(normals), np.concatenate(uvs))


@lru_cache
def stone_hull(
    radius: float, height: float, flat_radius: float, rim_height: float, facets: int
) -> npt.NDArray[np.float64]:
    """Vertices of a bevelled puck, float64[4 * facets, 3], in the stone's frame (axis z, centre 0).

    Two flat faces of ``flat_radius``, a vertical rim band of ``rim_height`` at ``radius``, and a bevel
    between them. The same hull is the collision shape in both engines and the checker's shape.
    """
    angle = np.arange(facets) * (2 * np.pi / facets)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    levels = [
        (flat_radius, -height / 2),
        (radius, -rim_height / 2),
        (radius, rim_height / 2),
        (flat_radius, height / 2),
    ]
    return np.concatenate([np.column_stack([r * ring, np.full(facets, z)]) for r, z in levels])


def stone_shape(stone: StoneSpec) -> tuple[Any, ...]:
    """What a stone's hull and drawn mesh depend on."""
    return (stone.kind, stone.radius, stone.height, stone.flat_radius, stone.rim_height, stone.facets)


def stone_collision_vertices(stone: StoneSpec) -> npt.NDArray[np.float64]:
    """The convex hull of a stone: float64[V, 3], metres, in the stone's frame."""
    return stone_hull(stone.radius, stone.height, stone.flat_radius, stone.rim_height, stone.facets)


def stone_mesh(stone: StoneSpec) -> Mesh:
    """The drawn stone: its profile revolved.

    Go stones and buttons are rounded between the flat face and the rim, everything else has edges.
    """
    return _stone_mesh(*stone_shape(stone))


@lru_cache
def _stone_mesh(
    kind: str,
    radius: float,
    height: float,
    flat_radius: float,
    rim_height: float,
    facets: int,
    segments: int = 2,
) -> Mesh:
    h, rim = height / 2, rim_height / 2
    rounded = kind in ("go", "button")
    t = np.linspace(0.0, np.pi / 2, (segments if rounded else 1) + 1)
    # A quarter ellipse from the rim band to the flat face, inside the hull's bevel by construction
    # would hide the edge; outside it by at most 0.6 mm it looks like a ground
    bevel_r = flat_radius + (radius - flat_radius) * np.cos(t)
    bevel_z = rim + (h - rim) * np.sin(t)
    normal_r = np.cos(t) / (radius - flat_radius)
    normal_z = np.sin(t) / (h - rim)
    if rounded:
        r = np.concatenate([[0.0], bevel_r[::-1], bevel_r, [0.0]])
        z = np.concatenate([[h], bevel_z[::-1], -bevel_z, [-h]])
        n_r = np.concatenate([[0.0], normal_r[::-1], normal_r, [0.0]])
        n_z = np.concatenate([[1.0], normal_z[::-1], -normal_z, [-1.0]])
    else:
        # Each band of the profile has its own two rings and one normal: face, bevel, rim, bevel, face.
        bevel = np.array([h - rim, radius - flat_radius])
        bands = [
            ((0.0, h), (flat_radius, h), (0.0, 1.0)),
            ((flat_radius, h), (radius, rim), bevel),
            ((radius, rim), (radius, -rim), (1.0, 0.0)),
            ((radius, -rim), (flat_radius, -h), bevel * (1, -1)),
            ((flat_radius, -h), (0.0, -h), (0.0, -1.0)),
        ]
        r, z = np.array([end for band in bands for end in band[:2]]).T
        n_r, n_z = np.array([band[2] for band in bands for _ in range(2)]).T
    return _revolved(r, z, n_r, n_z, facets, 2 * radius)


def tapered_mesh(half_size: tuple[float, float, float], top: float, facets: int = 24) -> Mesh:
    """An upright elliptic cylinder (``top`` 1) or cone (0) in the box of ``half_size``, with edges."""
    hx, hy, hz = half_size
    slope = np.array([2 * hz, max(hx, hy) * (1 - top)])
    mesh = _revolved(
        np.array([0.0, top, top, 1.0, 1.0, 0.0]),
        np.array([hz, hz, hz, -hz, -hz, -hz]),
        np.array([0.0, 0.0, slope[0], slope[0], 0.0, 0.0]),
        np.array([1.0, 1.0, slope[1], slope[1], -1.0, -1.0]),
        facets,
        2.0,
    )
    normals = mesh.normals * (1 / hx, 1 / hy, 1 / max(hx, hy))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return make_mesh(mesh.vertices * (hx, hy, 1.0), mesh.faces, normals, mesh.uvs)


def _revolved(
    profile_r: np.ndarray, profile_z: np.ndarray, normal_r: np.ndarray, normal_z: np.ndarray,
    facets: int, width: float,
) -> Mesh:  # fmt: skip
    """A profile turned about z, from its top; textures of ``width`` (m) are laid on from above."""
    angle = np.arange(facets + 1) * (2 * np.pi / facets)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate(
        [
            np.column_stack([r * ring, np.full(len(ring), z)])
            for r, z in zip(profile_r, profile_z, strict=True)
        ]
    )
    normals = np.concatenate(
        [np.column_stack([r * ring, np.full(len(ring), z)]) for r, z in zip(normal_r, normal_z, strict=True)]
    )
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    n, faces = len(ring), []
    for level in range(len(profile_r) - 1):
        for k in range(facets):
            a, b = level * n + k, level * n + k + 1
            c, d = a + n, b + n
            if profile_r[level] > 0:
                faces.append([a, d, b])
            if profile_r[level + 1] > 0:
                faces.append([a, c, d])
    return make_mesh(vertices, faces, normals, vertices[:, :2] / width + 0.5)
