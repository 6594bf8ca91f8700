"""The robot's links as plain closed-in shapes, for what needs no detail: shadows."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.world.meshes import Mesh, make_mesh
from core.world.robot_visuals import robot_visuals
from core.world.rotations import matrix_from_quaternion

_Triangles = tuple[npt.NDArray[np.floating], npt.NDArray[np.integer]]  # vertices and faces


@lru_cache(maxsize=4)
def robot_outlines(most: int, depth: float) -> tuple[tuple[str, Mesh], ...]:
    """(link name, mesh in the link's frame) of every drawn link, its parts of all materials joined.

    Args:
        most: triangles of one link.
        depth: how far the thinned surface is moved inwards (m); thinning itself moves it by up to 4 mm.
    """
    parts: dict[str, list[_Triangles]] = {}
    for link, visual in robot_visuals():
        rotation = matrix_from_quaternion(visual.X_BV.q)
        vertices = visual.mesh.vertices @ rotation.T + np.array(visual.X_BV.p)
        parts.setdefault(link, []).append((vertices, visual.mesh.faces))
    return tuple((link, _plain(joined, most, depth)) for link, joined in parts.items())


def _plain(parts: list[_Triangles], most: int, depth: float) -> Mesh:
    """One mesh of all the parts: joined where they touch, thinned, and moved inwards along its normals."""
    import fast_simplification

    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    faces = np.concatenate([faces + start for (_, faces), start in zip(parts, starts, strict=False)])
    vertices, index = np.unique(
        np.concatenate([vertices for vertices, _ in parts]).round(5), axis=0, return_inverse=True
    )
    faces = index.reshape(-1)[faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]  # what shrank to a line
    vertices, faces = fast_simplification.simplify(
        vertices.astype(np.float32), faces.astype(np.int32), target_count=min(most, len(faces)), agg=4.0
    )
    corners = vertices[faces]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], areas)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return make_mesh(vertices - depth * normals, faces, normals)
