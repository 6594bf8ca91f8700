"""The robot's drawn meshes, simplified once and cached.

The URDF's visuals have 134,000 triangles, which cost three quarters of a frame in software. About an
eighth of them looks the same at table distance (docs/stage.md shows both). Triangles are merged by
material and simplified with quadric error metrics (Garland and Heckbert 1997, ``fast-simplification``).
"""

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.world.bodies import Visual
from core.world.cache import cache_folder
from core.world.meshes import Mesh, make_mesh
from core.world.robot import FINGER_LINKS, HAND_LINK, panda
from core.world.rotations import triple
from core.world.scene import MaterialSpec, SegmentationId
from core.world.textures import srgb_decode

KEEP = 0.12  # share of the triangles that is kept
FEWEST = 200  # parts with fewer triangles stay as they are
CREASE = np.cos(np.radians(40.0))  # edges sharper than this stay sharp when shaded
VERSION = 2  # raise it when the code below makes other meshes


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Triangles of one link that share a colour (linear)."""

    mesh: Mesh
    color: tuple[float, float, float]


@lru_cache
def robot_visuals(keep: float = KEEP) -> tuple[tuple[str, Visual], ...]:
    """(link name, visual) of every drawn part of the robot; the visual's pose is in its link."""
    visuals = []
    for link in panda().links:
        if link.visual is None:
            continue
        gripper = link.name == HAND_LINK or link.name in FINGER_LINKS
        for k, part in enumerate(_parts(link.visual, keep)):
            visual = Visual(
                name=f"{link.name}_visual_{k}",
                mesh=part.mesh,
                material=MaterialSpec(color=part.color, roughness=0.5),
                material_name=f"robot_{k}_{link.name}",
                segmentation=SegmentationId.GRIPPER if gripper else SegmentationId.ROBOT,
                X_BV=link.X_LV,
            )
            visuals.append((link.name, visual))
    return tuple(visuals)


def _parts(file: Path, keep: float) -> list[_Part]:
    """The simplified parts of one mesh file, from the cache where possible."""
    key = hashlib.sha256(file.read_bytes() + f"{VERSION}/{keep}/{FEWEST}/{CREASE}".encode()).hexdigest()[:16]
    cached = cache_folder() / f"panda_{file.stem}_{key}.npz"
    if not cached.is_file():
        arrays = {}
        for k, part in enumerate(_simplified(file, keep)):
            for name in ("vertices", "faces", "normals", "uvs"):
                arrays[f"{name}_{k}"] = getattr(part.mesh, name)
            arrays[f"color_{k}"] = np.array(part.color)
        # Written beside and moved into place: two processes may get here at once.
        fresh = cached.with_name(f"{cached.stem}.{os.getpid()}.npz")
        np.savez_compressed(fresh, **arrays)
        fresh.replace(cached)
    with np.load(cached) as data:
        return [
            _Part(
                mesh=make_mesh(*(data[f"{name}_{k}"] for name in ("vertices", "faces", "normals", "uvs"))),
                color=triple(data[f"color_{k}"]),
            )
            for k in range(sum(name.startswith("color_") for name in data.files))
        ]


def _simplified(file: Path, keep: float) -> list[_Part]:
    """Loads a Collada file and thins its triangles, one part per colour."""
    import fast_simplification
    import trimesh

    scene = trimesh.load_scene(file)
    groups: dict[tuple[float, float, float], list[Any]] = {}
    for node in scene.graph.nodes_geometry:
        transform, geometry = scene.graph[node]
        mesh = scene.geometry[geometry].copy()
        mesh.apply_transform(transform)
        shown = np.asarray(mesh.visual.material.main_color[:3], dtype=np.float64) / 255
        linear = triple(srgb_decode(shown).round(4))
        groups.setdefault(linear, []).append(mesh)
    parts = []
    for color, meshes in sorted(groups.items()):
        joined: Any = trimesh.util.concatenate(meshes)
        mesh = trimesh.Trimesh(joined.vertices, joined.faces)
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)
        wanted = max(FEWEST, int(len(faces) * keep))
        if wanted < len(faces):
            vertices, faces = fast_simplification.simplify(
                vertices.astype(np.float32), faces.astype(np.int32), target_count=wanted, agg=4.0
            )
        parts.append(_Part(mesh=_shaded(vertices, faces), color=color))
    return parts


def _shaded(vertices: np.ndarray, faces: np.ndarray) -> Mesh:
    """Vertex normals that are smooth over gentle edges and split at creases.

    Each corner of a triangle averages, weighted by area, the normals of the triangles around its vertex
    that are within the crease angle of its own; equal corners are merged again.
    """
    corners = vertices[faces].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    faces, normals, lengths = faces[lengths > 1e-12], normals[lengths > 1e-12], lengths[lengths > 1e-12]
    unit = normals / lengths[:, None]
    around: list[list[int]] = [[] for _ in range(len(vertices))]
    for triangle, corner in enumerate(faces):
        for vertex in corner:
            around[vertex].append(triangle)
    index: dict[tuple[Any, ...], int] = {}
    points: list[npt.NDArray[np.float32]] = []
    shading: list[npt.NDArray[np.float64]] = []
    new_faces = np.empty_like(faces)
    for triangle, corner in enumerate(faces):
        for slot, vertex in enumerate(corner):
            near = np.array(around[vertex])
            near = near[unit[near] @ unit[triangle] >= CREASE]
            normal = normals[near].sum(axis=0)
            normal = normal / max(np.linalg.norm(normal), 1e-12)
            key = (int(vertex), *np.round(normal, 3))
            if key not in index:
                index[key] = len(points)
                points.append(vertices[vertex])
                shading.append(normal)
            new_faces[triangle, slot] = index[key]
    return make_mesh(np.array(points), new_faces, np.array(shading))
