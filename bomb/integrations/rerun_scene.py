"""The shapes of a scene as Rerun has them. ``rr`` is the module ``rerun``; poses are in W."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.pictures.views import RING, outlines
from core.board.goals import Goal
from core.world.bodies import table_top_pose
from core.world.kinematics import Kinematics
from core.world.meshes import stone_mesh
from core.world.robot_visuals import robot_visuals
from core.world.rotations import Pose, matrix_from_quaternion
from core.world.scene import CameraSpec, SceneSpec, StoneSpec
from core.world.textures import srgb_encode

Log = Callable[..., None]


def log_scene(rr: Any, log: Log, scene: SceneSpec) -> None:
    """What does not move: table, board and its lines, the meshes of the robot in their links."""
    log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    top = table_top_pose(scene.table)
    half = (scene.table.size[0] / 2, scene.table.size[1] / 2, scene.table.thickness / 2)
    log("world/table", _box(rr, top, half, (196, 170, 138)), static=True)
    board = scene.board
    slab = (board.width / 2, board.width / 2, board.thickness / 2)
    R_WB, p_WB = matrix_from_quaternion(board.X_WB.q), np.asarray(board.X_WB.p)
    below = Pose(tuple(p_WB - R_WB @ (0, 0, board.thickness / 2)), board.X_WB.q)
    log("world/board", _box(rr, below, slab, (214, 170, 110)), static=True)
    lines = []
    for k in range(board.size):
        for ends in (((k, 0), (k, board.size - 1)), ((0, k), (board.size - 1, k))):
            lines.append([p_WB + R_WB @ (*board.point(*cell), 0.0003) for cell in ends])
    log("world/board/lines", rr.LineStrips3D(lines, colors=[(40, 32, 24)], radii=[0.0006]), static=True)
    for link, visual in robot_visuals():
        mesh, place = visual.mesh, visual.X_BV
        vertices = mesh.vertices @ matrix_from_quaternion(place.q).T + np.asarray(place.p)
        normals = mesh.normals @ matrix_from_quaternion(place.q).T
        log(f"world/robot/{link}/{visual.name}",
            rr.Mesh3D(vertex_positions=vertices, triangle_indices=mesh.faces, vertex_normals=normals,
                      albedo_factor=_color(visual.material.color)), static=True)  # fmt: skip


def log_robot(rr: Any, log: Log, kinematics: Kinematics, joints: npt.NDArray[np.floating]) -> None:
    """Where the robot's links are, for nine joint positions (rad, m)."""
    links = list(dict.fromkeys(link for link, _ in robot_visuals()))
    for link, pose in zip(links, kinematics.link_poses(joints, links), strict=True):
        log(f"world/robot/{link}", transform(rr, pose[:3], pose[3:]))


def stone(rr: Any, spec: StoneSpec) -> Any:
    """The mesh of a stone, in its own frame."""
    mesh = stone_mesh(spec)
    return rr.Mesh3D(
        vertex_positions=mesh.vertices,
        triangle_indices=mesh.faces,
        vertex_normals=mesh.normals,
        albedo_factor=_color(spec.material.color),
    )


def transform(rr: Any, p: npt.NDArray[np.floating], q: npt.NDArray[np.floating]) -> Any:
    """A pose, q as wxyz."""
    w, x, y, z = (float(value) for value in q)
    return rr.Transform3D(translation=p, quaternion=rr.Quaternion(xyzw=[x, y, z, w]))


def target(rr: Any, scene: SceneSpec, goal: Goal, radius: float) -> Any:
    """Rings around what is asked for, a millimetre above the board."""
    lines = [line + (0, 0, 0.001) for line in outlines(scene, goal, radius)]
    return rr.LineStrips3D(lines, colors=[RING], radii=[0.0008])


def in_world(X_WB: Pose, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Points float[N, 3] of the board frame as float64[N, 3] in W."""
    turned: npt.NDArray[np.float64] = points.astype(np.float64) @ matrix_from_quaternion(X_WB.q).T
    return turned + np.asarray(X_WB.p, dtype=np.float64)


def log_camera(rr: Any, log: Log, spec: CameraSpec, size: tuple[int, int]) -> None:
    """Where a camera stands; one that rides on the hand is shown by its pictures alone."""
    if spec.parent != "world":
        return
    height, width = size
    forward = np.asarray(spec.forward) / np.linalg.norm(spec.forward)
    right = np.cross(forward, spec.up)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward], axis=1)  # right, down, forward
    log(f"world/{spec.name}", rr.Transform3D(translation=spec.eye, mat3x3=rotation), static=True)
    focal = height / 2 / np.tan(spec.fovy / 2)
    log(f"world/{spec.name}", rr.Pinhole(width=width, height=height, focal_length=float(focal),
        camera_xyz=rr.ViewCoordinates.RDF, image_plane_distance=0.15), static=True)  # fmt: skip


def _box(rr: Any, pose: Pose, half_size: tuple[float, float, float], color: tuple[int, int, int]) -> Any:
    w, x, y, z = pose.q
    return rr.Boxes3D(
        centers=[pose.p],
        half_sizes=[half_size],
        quaternions=[rr.Quaternion(xyzw=[x, y, z, w])],
        colors=[color],
        fill_mode="solid",
    )


def _color(linear: tuple[float, float, float]) -> list[int]:
    return [*np.round(255 * srgb_encode(np.asarray(linear))).astype(int).tolist(), 255]
