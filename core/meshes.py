"""Triangle meshes and convex hulls, made once and used by both engines and the checker."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.scene import StoneSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """A drawn surface.

    Attributes:
        vertices: float32[V, 3] (m).
        faces: int32[F, 3], counter-clockwise seen from outside.
        normals: float32[V, 3], unit.
        uvs: float32[V, 2]; (0, 0) is the lower left corner of the texture.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uvs: np.ndarray


def make_mesh(vertices, faces, normals, uvs=None) -> Mesh:
    """A ``Mesh`` with the promised types; without ``uvs`` they are zero."""
    vertices = np.ascontiguousarray(vertices, dtype=np.float32)
    if uvs is None:
        uvs = np.zeros((len(vertices), 2))
    return Mesh(
        vertices=vertices,
        faces=np.ascontiguousarray(faces, dtype=np.int32),
        normals=np.ascontiguousarray(normals, dtype=np.float32),
        uvs=np.ascontiguousarray(uvs, dtype=np.float32),
    )


def box_mesh(half_size: tuple[float, float, float], uv_scale: float | None = None) -> Mesh:
    """A box around the origin with sharp edges.

    The top face (+z) maps to the whole texture, u along +x and v along +y. The other faces map to a
    strip of it, so that they show the same surface; with ``uv_scale`` (m per texture) every face is
    mapped to scale instead.
    """
    h = np.asarray(half_size, dtype=np.float64)
    vertices, faces, normals, uvs = [], [], [], []
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
            if uv_scale is not None:
                uvs.append(corners[:, [u, v]] / uv_scale)
            elif axis == 2:
                uvs.append(corners[:, :2] / (2 * h[:2]) + 0.5)
            else:
                horizontal = 1 - axis
                along = corners[:, horizontal] / (2 * h[horizontal]) + 0.5
                uvs.append(np.stack([along, np.full(4, 0.01)], axis=1))
    return make_mesh(np.concatenate(vertices), faces, np.concatenate(normals), np.concatenate(uvs))


@lru_cache
def stone_hull(radius: float, height: float, flat_radius: float, rim_height: float, facets: int) -> np.ndarray:
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


def stone_collision_vertices(stone: StoneSpec) -> np.ndarray:
    """The convex hull of a stone: float64[V, 3], metres, in the stone's frame."""
    return stone_hull(stone.radius, stone.height, stone.flat_radius, stone.rim_height, stone.facets)


def stone_mesh(stone: StoneSpec, segments: int = 2) -> Mesh:
    """The drawn stone: its profile revolved, rounded between the flat face and the rim."""
    hull_height, rim = stone.height / 2, stone.rim_height / 2
    t = np.linspace(0.0, np.pi / 2, segments + 1)
    # A quarter ellipse from the rim band to the flat face, inside the hull's bevel by construction
    # would hide the edge; outside it by at most 0.6 mm it looks like a ground stone.
    bevel_r = stone.flat_radius + (stone.radius - stone.flat_radius) * np.cos(t)
    bevel_z = rim + (hull_height - rim) * np.sin(t)
    profile_r = np.concatenate([[0.0], bevel_r[::-1], bevel_r, [0.0]])
    profile_z = np.concatenate([[hull_height], bevel_z[::-1], -bevel_z, [-hull_height]])
    normal_r = np.concatenate([[0.0], np.cos(t)[::-1] / (stone.radius - stone.flat_radius)])
    normal_z = np.concatenate([[1.0], np.sin(t)[::-1] / (hull_height - rim)])
    normal_r = np.concatenate([normal_r, normal_r[::-1]])
    normal_z = np.concatenate([normal_z, -normal_z[::-1]])
    angle = np.arange(stone.facets + 1) * (2 * np.pi / stone.facets)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate([np.column_stack([r * ring, np.full(len(ring), z)])
                               for r, z in zip(profile_r, profile_z, strict=True)])
    normals = np.concatenate([np.column_stack([r * ring, np.full(len(ring), z)])
                              for r, z in zip(normal_r, normal_z, strict=True)])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    n, faces = len(ring), []
    for level in range(len(profile_r) - 1):
        for k in range(stone.facets):
            a, b = level * n + k, level * n + k + 1
            c, d = a + n, b + n
            if profile_r[level] > 0:
                faces.append([a, d, b])
            if profile_r[level + 1] > 0:
                faces.append([a, c, d])
    uvs = vertices[:, :2] / (2 * stone.radius) + 0.5
    return make_mesh(vertices, faces, normals, uvs)
