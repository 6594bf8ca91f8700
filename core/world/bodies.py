"""The scene as bodies with shapes: what a backend loops over to build its world.

Everything about *what* the shapes are is decided here, once, so that both engines get the same boxes,
hulls, triangles and materials. A backend only decides *how* to hand them to its engine.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.world.meshes import Mesh, box_mesh, make_mesh, stone_mesh, tapered_mesh
from core.world.rotations import Pose, compose, triple
from core.world.scene import MarkSpec, MaterialSpec, SceneSpec, SegmentationId, StoneSpec, TableSpec
from core.world.textures import board_texture


@dataclass(frozen=True, kw_only=True)
class BoxShape:
    """A collision box. ``X_BS``: its pose in the body; ``half_size`` in metres."""

    half_size: tuple[float, float, float]
    X_BS: Pose = Pose()


@dataclass(frozen=True, kw_only=True, eq=False)
class Visual:
    """A drawn mesh on a body.

    Attributes:
        name: unique in the scene.
        mesh: in the frame of the visual.
        X_BV: pose of that frame in the body.
        material: the surface; ``material_name`` is the handle for live edits.
        segmentation: value in segmentation pictures.
    """

    name: str
    mesh: Mesh
    material: MaterialSpec
    material_name: str
    segmentation: int
    X_BV: Pose = Pose()


@dataclass(frozen=True, kw_only=True, eq=False)
class StaticBody:
    """A body that never moves during an episode. ``X_WB``: its pose in the world."""

    name: str
    X_WB: Pose
    collisions: tuple[BoxShape, ...]
    visuals: tuple[Visual, ...]


@dataclass(frozen=True, kw_only=True)
class MassProperties:
    """What a body weighs and how it turns, as engines take it instead of what they make of its shapes.

    Attributes:
        mass: kg.
        moments: of inertia about the principal axes (kg m^2).
        X_BC: pose in the body of its centre of mass, along the principal axes.
    """

    mass: float
    moments: tuple[float, float, float]
    X_BC: Pose = Pose()


def stone_mass(stone: StoneSpec) -> MassProperties:
    """A stone's: about its middle, and alike about all axes."""
    return MassProperties(mass=stone.mass, moments=(stone.inertia,) * 3)


def static_bodies(scene: SceneSpec) -> tuple[StaticBody, ...]:
    """Floor, wall, table, board and the robot's pedestal, in a fixed order, then marks and objects."""
    fixed = (_floor(scene), _wall(scene), _table(scene), _board(scene), _pedestal(scene))
    objects = (_object(scene, k) for k in range(len(scene.objects)))
    return (*fixed, *(_mark(scene, mark) for mark in scene.marks), *objects)


def movable_poses(scene: SceneSpec) -> dict[str, Pose]:
    """Poses in W of the static bodies that may stand elsewhere in the next episode, by name."""
    poses = {"table": Pose((0.0, 0.0, scene.table.height)), "board": scene.board.X_WB}
    for mark in scene.marks:
        poses[mark.name] = Pose((*mark.center, scene.table.height + mark.height))
    for k, thing in enumerate(scene.objects):
        poses[thing.name] = thing.X_WO or parked_pose(k, depth=-6.0)
    return poses


def stone_visual(scene: SceneSpec, index: int) -> Visual:
    """How stone ``index`` of the pool is drawn."""
    stone = scene.stones[index]
    return Visual(
        name=f"stone_{index}",
        mesh=stone_mesh(stone),
        material=stone.material,
        material_name=f"{stone.color}_stone",
        segmentation=SegmentationId.STONE + index,
    )


def _floor(scene: SceneSpec) -> StaticBody:
    half = scene.floor.half_size
    corners = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    mesh = make_mesh(
        corners, [[0, 1, 2], [0, 2, 3]], np.tile([0, 0, 1], (4, 1)), corners[:, :2] / (2 * half) + 0.5
    )
    visual = Visual(
        name="floor",
        mesh=mesh,
        material=scene.floor.material,
        material_name="floor",
        segmentation=SegmentationId.FLOOR,
    )
    shape = BoxShape(half_size=(half, half, 0.05), X_BS=Pose((0.0, 0.0, -0.05)))
    return StaticBody(name="floor", X_WB=Pose(), collisions=(shape,), visuals=(visual,))


def _box(
    name: str,
    size: Iterable[float],
    X_BS: Pose,
    material: MaterialSpec,
    material_name: str,
    segmentation: int,
    facing: int = 2,
) -> tuple[BoxShape, Visual]:
    half_size = triple(size)
    return BoxShape(half_size=half_size, X_BS=X_BS), Visual(
        name=name,
        mesh=box_mesh(half_size, facing),
        material=material,
        material_name=material_name,
        segmentation=segmentation,
        X_BV=X_BS,
    )


def _wall(scene: SceneSpec) -> StaticBody:
    wall = scene.wall
    shape, visual = _box("wall", wall.half_size, Pose(), wall.material, "wall", SegmentationId.WALL, facing=1)
    return StaticBody(name="wall", X_WB=Pose(wall.center), collisions=(shape,), visuals=(visual,))


def _table(scene: SceneSpec) -> StaticBody:
    """Body frame: the centre of the upper face."""
    table = scene.table
    (x, y), t, w = table.size, table.thickness, table.leg_width / 2
    parts = [("table", (x / 2, y / 2, t / 2), (0.0, 0.0, -t / 2))]
    leg = (table.height - t) / 2
    for i, (sx, sy) in enumerate([(-1, -1), (1, -1), (1, 1), (-1, 1)]):
        p = (sx * (x / 2 - table.leg_inset - w), sy * (y / 2 - table.leg_inset - w), -t - leg)
        parts.append((f"table_leg_{i}", (w, w, leg), p))
    boxes = [
        _box(name, half, Pose(p), table.material, "table", SegmentationId.TABLE) for name, half, p in parts
    ]
    return StaticBody(
        name="table",
        X_WB=Pose((0.0, 0.0, table.height)),
        collisions=tuple(shape for shape, _ in boxes),
        visuals=tuple(visual for _, visual in boxes),
    )


def _board(scene: SceneSpec) -> StaticBody:
    """Body frame: the board frame B (the middle intersection, on the top surface)."""
    board = scene.board
    material = board.material
    if material.texture is None:
        material = MaterialSpec(
            color=material.color,
            roughness=material.roughness,
            metallic=material.metallic,
            specular=material.specular,
            texture=board_texture(board),
        )
    half = (board.width / 2, board.width / 2, board.thickness / 2)
    shape, visual = _box(
        "board", half, Pose((0.0, 0.0, -board.thickness / 2)), material, "board", SegmentationId.BOARD
    )
    return StaticBody(name="board", X_WB=board.X_WB, collisions=(shape,), visuals=(visual,))


def _pedestal(scene: SceneSpec) -> StaticBody:
    """RoboTwin2's robot floats beside the table; ours stands on a drawn column without collision shape."""
    x, y, z = scene.robot.X_WR.p
    material = MaterialSpec(color=(0.12, 0.12, 0.13), roughness=0.7)
    _, visual = _box(
        "pedestal", (0.11, 0.11, z / 2), Pose((0.0, 0.0, -z / 2)), material, "pedestal", SegmentationId.OBJECT
    )
    return StaticBody(name="pedestal", X_WB=Pose((x, y, z)), collisions=(), visuals=(visual,))


def _mark(scene: SceneSpec, mark: MarkSpec) -> StaticBody:
    """Body frame: the centre of the upper face. Nothing collides with it."""
    half = (*mark.half_size, mark.height)
    _, visual = _box(
        mark.name, half, Pose((0.0, 0.0, -mark.height)), mark.material, mark.name, SegmentationId.MARK
    )
    X_WB = Pose((*mark.center, scene.table.height + mark.height))
    return StaticBody(name=mark.name, X_WB=X_WB, collisions=(), visuals=(visual,))


def _object(scene: SceneSpec, index: int) -> StaticBody:
    """Body frame: the middle of the box around it."""
    thing = scene.objects[index]
    half = triple(thing.half_size)
    visual = Visual(
        name=thing.name,
        mesh=box_mesh(half)
        if thing.shape == "box"
        else tapered_mesh(half, 1.0 if thing.shape == "cylinder" else 0.0),
        material=thing.material,
        material_name=thing.name,
        segmentation=SegmentationId.OBJECT,
    )
    X_WO = movable_poses(scene)[thing.name]
    return StaticBody(name=thing.name, X_WB=X_WO, collisions=(BoxShape(half_size=half),), visuals=(visual,))


def parked_pose(index: int, depth: float = -5.0) -> Pose:
    """Where stone ``index`` of the pool waits while it is not in play: far below the floor."""
    return Pose((0.1 * (index % 6), 0.1 * (index // 6), depth))


def table_top_pose(table: TableSpec) -> Pose:
    """Pose in W of the centre of the box that is the table top."""
    return compose(Pose((0.0, 0.0, table.height)), Pose((0.0, 0.0, -table.thickness / 2)))
