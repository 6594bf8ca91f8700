"""Plain shapes that cast the robot's shadow in place of what is seen of it.

The renderer draws the robot four more times for the sun's shadow. Nobody sees small triangles there: one mesh
for each link, with a fifth of them, takes a fifth off a frame and moves colours by 0.2/255 on average. They
are inside the surface, so that the robot does not shade itself with them. The camera does not see them: their
material draws in a rectangle beyond every picture, and shadow maps do not ask for it.
"""

from functools import lru_cache

import numpy as np
from mujoco import mjrf

from backends.mujoco.filament import Uploads, make_mesh
from core.world.meshes import Mesh
from core.world.meshes import make_mesh as finished
from core.world.robot_visuals import robot_visuals
from core.world.rotations import Pose, matrix_from_quaternion

_MOST = 300  # triangles of one link
_DEPTH = 0.002  # m, below the surface
_BEYOND = (65535, 65535, 1, 1)  # pixels: left, bottom, width, height


def add_casters(
    context: mjrf.Context, scene: mjrf.Scene, uploads: Uploads
) -> list[tuple[str, mjrf.Renderable]]:
    """Adds what casts the robot's shadow: (link name, renderable), posed as the link is."""
    casters = []
    for link, mesh in _shapes():
        renderable = context.create_renderable(mjrf.RenderableParams(cast_shadow=True, receive_shadow=False))
        renderable.set_mesh(*make_mesh(context, mesh, Pose(), uploads))
        renderable.set_material(
            mjrf.Material(specular=0.0, glossiness=0.0, scissor=np.array(_BEYOND, dtype=np.float32))
        )
        scene.add_renderable(renderable)
        casters.append((link, renderable))
    return casters


@lru_cache(maxsize=1)
def _shapes() -> tuple[tuple[str, Mesh], ...]:
    """(link name, mesh in the link's frame) of every link that is drawn."""
    meshes: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for link, visual in robot_visuals():
        rotation = matrix_from_quaternion(visual.X_BV.q)
        vertices = visual.mesh.vertices @ rotation.T + np.array(visual.X_BV.p)
        meshes.setdefault(link, []).append((vertices, visual.mesh.faces))
    return tuple((link, _plain(parts)) for link, parts in meshes.items())


def _plain(parts: list[tuple[np.ndarray, np.ndarray]]) -> Mesh:
    """One mesh of all the parts, with few triangles, and smaller."""
    import fast_simplification

    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    faces = np.concatenate([faces + start for (_, faces), start in zip(parts, starts, strict=False)])
    vertices, index = np.unique(
        np.concatenate([vertices for vertices, _ in parts]).round(5), axis=0, return_inverse=True
    )
    faces = index.reshape(-1)[faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    vertices, faces = fast_simplification.simplify(
        vertices.astype(np.float32), faces.astype(np.int32), target_count=min(_MOST, len(faces)), agg=4.0
    )
    corners = vertices[faces]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], areas)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return finished(vertices - _DEPTH * normals, faces, normals)
