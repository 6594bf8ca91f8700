"""From a ``SceneSpec`` to PhysX bodies: the same boxes, hulls, masses and drives as in MuJoCo."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import sapien
from sapien import physx

from backends.robotwin import options
from core.errors import BombError
from core.world.bodies import BoxShape, MassProperties, StaticBody, static_bodies, stone_mass
from core.world.meshes import stone_collision_vertices, stone_shape
from core.world.robot import FINGER_LINKS, JOINT_NAMES, CollisionShape, Joint, Link, panda
from core.world.rotations import (
    Pose,
    compose,
    matrix_from_quaternion,
    pose_from,
    quaternion_from_matrix,
    triple,
)
from core.world.scene import RobotSpec, SceneSpec

Body: TypeAlias = physx.PhysxRigidBaseComponent


@dataclass(kw_only=True, eq=False)
class World:
    """The bodies of one environment, in no PhysX scene yet.

    Attributes:
        statics: entities that never move, by name.
        links: entities of the articulation, root first.
        articulation: the robot.
        frames: per URDF link, the entity that carries it and the link's pose in it.
        stones: entities of the pool.
        stone_bodies: their PhysX bodies.
        shape_names: body name of every collision shape, as contacts report it.
        surface, pads: the two friction materials.
        pools: the stones by their shapes, those not in use too.
    """

    statics: dict[str, sapien.Entity]
    links: list[sapien.Entity]
    articulation: physx.PhysxArticulation
    frames: dict[str, tuple[sapien.Entity, Pose]]
    stones: list[sapien.Entity]
    stone_bodies: list[physx.PhysxRigidDynamicComponent]
    shape_names: dict[physx.PhysxCollisionShape, str]
    surface: physx.PhysxMaterial
    pads: physx.PhysxMaterial
    pools: dict[tuple[Any, ...], list[sapien.Entity]]


def compile_world(scene: SceneSpec) -> World:
    """Makes every body of ``scene``; nothing is drawn here.

    Raises:
        BombError: if PhysX changed a stone's hull while cooking it, or orders the joints otherwise.
    """
    physics = scene.physics
    surface, pads = (
        physx.PhysxMaterial(friction, friction, options.RESTITUTION)
        for friction in (options.surface_friction(physics), options.pad_friction(physics))
    )
    names: dict[physx.PhysxCollisionShape, str] = {}
    statics = {body.name: _static(body, surface, names) for body in static_bodies(scene)}
    links, frames = _robot(scene.robot, surface, pads, names)
    root = links[0].find_component_by_type(physx.PhysxArticulationLinkComponent)
    world = World(
        statics=statics,
        links=links,
        articulation=root.articulation,
        frames=frames,
        stones=[],
        stone_bodies=[],
        shape_names=names,
        surface=surface,
        pads=pads,
        pools={},
    )
    take_stones(world, scene)
    return world


def take_stones(world: World, scene: SceneSpec) -> bool:
    """Makes the pool have the shapes of ``scene``'s stones; a pool of each kind is made once.

    Returns:
        Whether these are other stones than before, with masses of their own.
    """
    shapes = tuple(stone_shape(stone) for stone in scene.stones)
    if shapes not in world.pools:
        count = len(scene.stones)
        world.pools[shapes] = [_stone(scene, k, world.surface, world.shape_names) for k in range(count)]
    if world.stones is world.pools[shapes]:
        return False
    world.stones = world.pools[shapes]
    kind = physx.PhysxRigidDynamicComponent
    world.stone_bodies = [stone.find_component_by_type(kind) for stone in world.stones]
    return True


def sapien_pose(pose: Pose) -> sapien.Pose:
    """The same pose in SAPIEN's type (also wxyz), float32."""
    return sapien.Pose(p=pose.p, q=pose.q)


def _box(shape: BoxShape, material: physx.PhysxMaterial) -> physx.PhysxCollisionShape:
    box = physx.PhysxCollisionShapeBox(half_size=shape.half_size, material=material)
    box.local_pose = sapien_pose(shape.X_BS)
    return box


def _hull(vertices: np.ndarray, material: physx.PhysxMaterial) -> physx.PhysxCollisionShapeConvexMesh:
    """Cooks a convex hull from float64[V, 3] in metres."""
    points = (vertices / options.COOKING_SCALE).astype(np.float32)
    return physx.PhysxCollisionShapeConvexMesh(
        vertices=points, scale=[options.COOKING_SCALE] * 3, material=material
    )


def _attach(
    body: Body,
    shape: physx.PhysxCollisionShape,
    group: options.CollisionGroup,
    name: str,
    names: dict[physx.PhysxCollisionShape, str],
) -> None:
    shape.contact_offset = options.CONTACT_OFFSET
    shape.rest_offset = options.REST_OFFSET
    shape.set_collision_groups(group.array())
    body.attach(shape)
    names[shape] = name


def _entity(name: str, component: sapien.Component, pose: Pose) -> sapien.Entity:
    entity = sapien.Entity()
    entity.name = name
    entity.add_component(component)
    entity.set_pose(sapien_pose(pose))
    return entity


def _static(body: StaticBody, material: physx.PhysxMaterial, names: dict[str, Any]) -> sapien.Entity:
    component = physx.PhysxRigidStaticComponent()
    for shape in body.collisions:
        _attach(component, _box(shape, material), options.STATIC_GROUP, body.name, names)
    return _entity(body.name, component, body.X_WB)


def _stone(
    scene: SceneSpec, index: int, material: physx.PhysxMaterial, names: dict[str, Any]
) -> sapien.Entity:
    spec = scene.stones[index]
    vertices = stone_collision_vertices(spec)
    shape = _hull(vertices, material)
    if not _same_points(np.asarray(shape.vertices) * options.COOKING_SCALE, vertices):
        raise BombError(
            f"PhysX cooked stone {index}'s hull of {len(vertices)} vertices into another one "
            f"of {len(shape.vertices)}: its radius, height or facets are out of range"
        )
    body = physx.PhysxRigidDynamicComponent()
    _attach(body, shape, options.STONE_GROUP, f"stone_{index}", names)
    set_mass(body, stone_mass(spec))
    body.linear_damping = body.angular_damping = 0.0
    body.solver_position_iterations = options.POSITION_ITERATIONS
    body.solver_velocity_iterations = options.VELOCITY_ITERATIONS
    body.sleep_threshold = options.STONE_SLEEP_THRESHOLD
    return _entity(f"stone_{index}", body, Pose())


def set_mass(body: physx.PhysxRigidBodyComponent, mass: MassProperties) -> None:
    """Mass, inertia and centre of mass as they are declared, not as the shapes would have them."""
    body.mass, body.inertia, body.cmass_local_pose = mass.mass, mass.moments, sapien_pose(mass.X_BC)


def _same_points(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-7) -> bool:
    """Whether two hulls have the same vertices (m), in whatever order."""
    if len(a) != len(b):
        return False
    distance = np.linalg.norm(a[:, None] - b[None], axis=2)
    return bool((distance.min(axis=0) < tolerance).all() and (distance.min(axis=1) < tolerance).all())


def _robot(
    spec: RobotSpec, surface: physx.PhysxMaterial, pads: physx.PhysxMaterial, names: dict[str, Any]
) -> tuple[list[sapien.Entity], dict[str, tuple[sapien.Entity, Pose]]]:
    """The articulation. Links behind fixed joints become part of the link they are fixed to.

    The motion is the same and PhysX has three links fewer to solve; names and frames live on in the second
    result.
    """
    description = panda()
    carrier: dict[str, tuple[str, Pose]] = {}  # per link: the link it is part of, and its pose there
    for link in description.links:
        joint = description.joint_to(link.name)
        if joint is None or joint.kind != "fixed":
            carrier[link.name] = (link.name, Pose())
        else:
            name, X_BP = carrier[joint.parent]
            carrier[link.name] = (name, compose(X_BP, joint.X_PJ))
    entities: dict[str, sapien.Entity] = {}
    bodies: dict[str, physx.PhysxArticulationLinkComponent] = {}
    for name in (link.name for link in description.links if carrier[link.name][0] == link.name):
        joint = description.joint_to(name)
        body = physx.PhysxArticulationLinkComponent(bodies[carrier[joint.parent][0]] if joint else None)
        parts = [(link, carrier[link.name][1]) for link in description.links if carrier[link.name][0] == name]
        for link, X_BL in parts:
            material = pads if link.name in FINGER_LINKS else surface
            for shape in link.collisions:
                _attach(body, _link_shape(shape, X_BL, material), options.ROBOT_GROUP, link.name, names)
        set_mass(body, _mass_together(parts))
        body.name, body.disable_gravity = name, True
        body.linear_damping = body.angular_damping = 0.0
        if joint:
            _set_joint(body.joint, joint, carrier[joint.parent][1])
        else:
            body.joint.type = "fixed"
        bodies[name] = body
        entities[name] = _entity(name, body, Pose())
    root = next(iter(bodies.values()))
    root.entity.set_pose(sapien_pose(spec.X_WR))
    root.articulation.solver_position_iterations = options.POSITION_ITERATIONS
    root.articulation.solver_velocity_iterations = options.VELOCITY_ITERATIONS
    root.articulation.sleep_threshold = options.ROBOT_SLEEP_THRESHOLD
    set_drives(root.articulation, spec)
    order = tuple(joint.name for joint in root.articulation.active_joints)
    if order != JOINT_NAMES:
        raise BombError(f"unexpected joint order {order}, expected {JOINT_NAMES}")
    return list(entities.values()), {name: (entities[body], X) for name, (body, X) in carrier.items()}


def _link_shape(
    shape: CollisionShape, X_BL: Pose, material: physx.PhysxMaterial
) -> physx.PhysxCollisionShape:
    X_BS = compose(X_BL, shape.X_LS)
    if shape.half_size is not None:
        return _box(BoxShape(half_size=shape.half_size, X_BS=X_BS), material)
    if shape.vertices is None:
        raise BombError("a shape of the robot has neither a box nor a hull")
    hull = _hull(shape.vertices, material)
    hull.local_pose = sapien_pose(X_BS)
    return hull


def _mass_together(parts: list[tuple[Link, Pose]]) -> MassProperties:
    """Of links that move as one (parallel-axis theorem), each with its pose in the body."""
    mass = sum(link.mass for link, _ in parts)
    centers = [np.asarray(compose(X_BL, Pose(link.p_LC)).p) for link, X_BL in parts]
    center = np.sum([link.mass * p for (link, _), p in zip(parts, centers, strict=True)], axis=0) / mass
    inertia = np.zeros((3, 3))
    for (link, X_BL), p in zip(parts, centers, strict=True):
        R, d = matrix_from_quaternion(X_BL.q), p - center
        inertia += R @ link.inertia @ R.T + link.mass * (d @ d * np.eye(3) - np.outer(d, d))
    # PhysX wants the moments about the principal axes, and those axes as the frame of the centre of mass.
    moments, axes = np.linalg.eigh(inertia)
    if np.linalg.det(axes) < 0:
        axes[:, 0] *= -1
    X_BC = pose_from(center, quaternion_from_matrix(axes))
    return MassProperties(mass=mass, moments=triple(moments), X_BC=X_BC)


def _set_joint(joint: physx.PhysxArticulationJoint, source: Joint, X_BP: Pose) -> None:
    """Type, frames and limits. ``X_BP``: the parent link in the body that carries it."""
    # PhysX moves along or about +x of the joint frame: turn +x onto the axis.
    X_JA = Pose(q=_rotation_from_x(source.axis))
    joint.name, joint.type = source.name, source.kind
    joint.pose_in_child = sapien_pose(X_JA)
    joint.pose_in_parent = sapien_pose(compose(compose(X_BP, source.X_PJ), X_JA))
    joint.set_limits([source.limits])
    joint.set_friction(0.0)


def set_drives(articulation: physx.PhysxArticulation, spec: RobotSpec) -> None:
    """Stiffness, damping, force limit and armature of every joint; both fingers are driven alike."""
    efforts = {joint.name: joint.effort for joint in panda().joints}
    for joint in articulation.active_joints:
        finger = joint.type == "prismatic"
        joint.set_armature([spec.finger_armature if finger else spec.arm_armature])
        joint.set_drive_property(
            spec.finger_stiffness if finger else spec.arm_stiffness,
            spec.finger_damping if finger else spec.arm_damping,
            force_limit=spec.finger_force if finger else efforts[joint.name],
            mode="force",
        )
        joint.set_drive_velocity_target(0.0)


def _rotation_from_x(axis: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """A unit quaternion (wxyz) that turns +x onto ``axis`` (unit)."""
    x, y, z = axis
    if x < -1 + 1e-9:
        return (0.0, 0.0, 0.0, 1.0)
    q = np.array([1 + x, 0.0, -z, y])
    return pose_from((0.0, 0.0, 0.0), q / np.linalg.norm(q)).q
