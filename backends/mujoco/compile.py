"""A ``SceneSpec`` as MuJoCo's model: bodies, shapes and drives, nothing drawn."""

from dataclasses import dataclass
from functools import lru_cache

import mujoco as mj
import numpy as np
import numpy.typing as npt

from backends.mujoco.options import (
    OPTIONS,
    ROBOT_AFFINITY,
    ROBOT_TYPE,
    STATIC_AFFINITY,
    STATIC_TYPE,
    STONE_AFFINITY,
    STONE_TYPE,
)
from core.errors import BombError
from core.world.bodies import MassProperties, parked_pose, static_bodies, stone_mass
from core.world.meshes import stone_collision_vertices
from core.world.robot import (
    ARM_JOINT_NAMES,
    FINGER_JOINT_NAMES,
    FINGER_LINKS,
    JOINT_NAMES,
    CollisionShape,
    Joint,
    RobotDescription,
    panda,
)
from core.world.rotations import Pose
from core.world.scene import PhysicsSpec, RobotSpec, SceneSpec
from core.world.state import JOINTS


@dataclass(frozen=True, kw_only=True, eq=False)
class Compiled:
    """What environments with an equal scene share; none of them writes to it.

    Attributes:
        model: the compiled model.
        pristine: the world before anything happened, every stone parked and asleep. Copying it over a
            world's data forgets everything, the solver's memory included.
        bodies: ids by name.
    """

    model: mj.MjModel
    pristine: mj.MjData
    bodies: dict[str, int]


@lru_cache(maxsize=4)
def compiled(scene: SceneSpec) -> Compiled:
    """The compiled physics of ``scene``; equal scenes get the same object.

    Callers pass the scene without cameras and lights, which physics does not depend on.
    """
    return with_pristine(_spec(scene).compile())


def with_pristine(model: mj.MjModel) -> Compiled:
    """Pairs a model, which is this call's from now on, with its world before anything happened."""
    bodies = {model.body(k).name: k for k in range(model.nbody)}
    own = Compiled(model=model, pristine=mj.MjData(model), bodies=bodies)
    make_pristine(own)
    return own


def make_pristine(own: Compiled) -> None:
    """Puts the world back to before anything happened; where static bodies are is found out here alone."""
    # While the world is made, zero lets trees that do not move at all sleep: the parked stones.
    own.model.opt.sleep_tolerance = 0.0
    mj.mj_resetData(own.model, own.pristine)
    own.model.opt.sleep_tolerance = OPTIONS.sleep_tolerance


def stone_bodies(model: mj.MjModel, stones: int) -> npt.NDArray[np.integer]:
    """Body ids, int[stones], of the pool."""
    first = model.body("stone_0").id
    return np.arange(first, first + stones)


def _spec(scene: SceneSpec) -> mj.MjSpec:
    """The scene before compilation: static bodies, the robot (joints 0-8), then the stones."""
    spec = mj.MjSpec()
    spec.modelname = "bomb"
    spec.compiler.degree = False  # limits come in radians
    spec.memory = OPTIONS.arena
    option = spec.option
    option.timestep = scene.physics.timestep
    option.gravity = [0.0, 0.0, -scene.physics.gravity]
    option.integrator, option.cone, option.impratio = OPTIONS.integrator, OPTIONS.cone, OPTIONS.impratio
    option.enableflags |= mj.mjtEnableBit.mjENBL_SLEEP
    # A world that blows up must be seen, not silently put back to its start.
    option.disableflags |= mj.mjtDisableBit.mjDSBL_AUTORESET
    _add_static_bodies(spec, scene)
    _add_robot(spec, scene.robot, scene.physics)
    _add_stones(spec, scene)
    return spec


def _add_static_bodies(spec: mj.MjSpec, scene: SceneSpec) -> None:
    for static in static_bodies(scene):
        if not static.collisions:
            continue
        body = spec.worldbody.add_body(name=static.name, pos=static.X_WB.p, quat=static.X_WB.q)
        for shape in static.collisions:
            geom = body.add_geom(
                type=mj.mjtGeom.mjGEOM_BOX, size=shape.half_size, pos=shape.X_BS.p, quat=shape.X_BS.q
            )
            _set_contact(geom, STATIC_TYPE, STATIC_AFFINITY, scene.physics.surface_stone)


def _add_robot(spec: mj.MjSpec, robot: RobotSpec, physics: PhysicsSpec) -> None:
    """Every link of the description as a body; those that a fixed joint carries stay bodies of their own."""
    description = panda()
    bodies: dict[str, mj.MjsBody] = {}
    for link in description.links:
        joint = description.joint_to(link.name)
        if joint is None:
            body = spec.worldbody.add_body(name=link.name, pos=robot.X_WR.p, quat=robot.X_WR.q)
        else:
            body = bodies[joint.parent].add_body(name=link.name, pos=joint.X_PJ.p, quat=joint.X_PJ.q)
            if joint.kind != "fixed":
                _add_joint(spec, body, joint, robot)
        bodies[link.name] = body
        if link.mass > 0:
            i = link.inertia
            body.explicitinertial = True
            body.mass, body.ipos = link.mass, link.p_LC
            body.fullinertia = [i[0, 0], i[1, 1], i[2, 2], i[0, 1], i[0, 2], i[1, 2]]
        body.gravcomp = 1.0
        finger = link.name in FINGER_LINKS
        friction = physics.pad_stone if finger else physics.surface_stone
        for k, shape in enumerate(link.collisions):
            geom = _add_shape(spec, body, f"{link.name}_{k}", shape)
            _set_contact(geom, ROBOT_TYPE, ROBOT_AFFINITY, friction)
            # The shape of higher priority decides alone, so pad_stone holds whichever of the two is larger.
            geom.priority = int(finger)
    for name in JOINT_NAMES:
        _add_drive(spec, name, description, robot, physics.timestep)


def _add_joint(spec: mj.MjSpec, body: mj.MjsBody, joint: Joint, robot: RobotSpec) -> None:
    arm = joint.name in ARM_JOINT_NAMES
    body.add_joint(
        name=joint.name,
        type=mj.mjtJoint.mjJNT_HINGE if joint.kind == "revolute" else mj.mjtJoint.mjJNT_SLIDE,
        axis=joint.axis,
        limited=mj.mjtLimited.mjLIMITED_TRUE,
        range=joint.limits,
        armature=robot.arm_armature if arm else robot.finger_armature,
    )


def _add_drive(
    spec: mj.MjSpec, name: str, description: RobotDescription, robot: RobotSpec, timestep: float
) -> None:
    """A position drive: force = stiffness (target - position) - damping velocity, limited.

    MuJoCo takes the spring's force at the start of a time step and only the damping implicitly, so that its
    arm runs half a step ahead of the continuous drive, which PhysX follows with its small sub-steps: 0.5 mm
    at 0.5 m/s. Half a step of the spring, given to the implicit damping, takes that back (docs/parity.md).
    """
    joint = next(joint for joint in description.joints if joint.name == name)
    if name in FINGER_JOINT_NAMES:
        stiffness, damping, limit = robot.finger_stiffness, robot.finger_damping, robot.finger_force
    else:
        stiffness, damping, limit = robot.arm_stiffness, robot.arm_damping, joint.effort
    drive = spec.add_actuator(name=name, target=name, trntype=mj.mjtTrn.mjTRN_JOINT)
    drive.gaintype, drive.biastype = mj.mjtGain.mjGAIN_FIXED, mj.mjtBias.mjBIAS_AFFINE
    drive.gainprm[0] = stiffness
    drive.biasprm[:3] = [0.0, -stiffness, -(damping + 0.5 * timestep * stiffness)]
    drive.forcelimited, drive.forcerange = mj.mjtLimited.mjLIMITED_TRUE, [-limit, limit]


def _add_shape(spec: mj.MjSpec, body: mj.MjsBody, name: str, shape: CollisionShape) -> mj.MjsGeom:
    if shape.half_size is not None:
        return body.add_geom(
            type=mj.mjtGeom.mjGEOM_BOX, size=shape.half_size, pos=shape.X_LS.p, quat=shape.X_LS.q
        )
    if shape.vertices is None:
        raise BombError(f"the shape {name} has neither a box nor a hull")
    _add_hull(spec, name, shape.vertices)
    return body.add_geom(type=mj.mjtGeom.mjGEOM_MESH, meshname=name, pos=shape.X_LS.p, quat=shape.X_LS.q)


def _add_stones(spec: mj.MjSpec, scene: SceneSpec) -> None:
    shapes: dict[bytes, str] = {}
    for k, stone in enumerate(scene.stones):
        vertices = stone_collision_vertices(stone)
        hull = shapes.setdefault(vertices.tobytes(), f"stone_shape_{len(shapes)}")
        if spec.mesh(hull) is None:
            _add_hull(spec, hull, vertices)
        pose: Pose = parked_pose(k)
        body = spec.worldbody.add_body(name=f"stone_{k}", pos=pose.p, quat=pose.q)
        body.sleep = mj.mjtSleepPolicy.mjSLEEP_INIT
        body.add_freejoint(name=f"stone_{k}")
        _set_mass(body, stone_mass(stone))
        geom = body.add_geom(type=mj.mjtGeom.mjGEOM_MESH, meshname=hull)
        _set_contact(geom, STONE_TYPE, STONE_AFFINITY, scene.physics.surface_stone)


def _set_mass(body: mj.MjsBody, mass: MassProperties) -> None:
    """Mass, inertia and centre of mass as they are declared, not as the shapes would have them."""
    body.explicitinertial = True
    body.mass, body.inertia = mass.mass, mass.moments
    body.ipos, body.iquat = mass.X_BC.p, mass.X_BC.q


def _add_hull(spec: mj.MjSpec, name: str, vertices: np.ndarray) -> None:
    """A mesh without faces: MuJoCo collides with its convex hull."""
    spec.add_mesh(name=name, uservert=vertices.ravel())


def _set_contact(geom: mj.MjsGeom, kind: int, affinity: int, friction: float) -> None:
    """MuJoCo takes the larger friction of a pair: surfaces carry ``surface_stone``, fingers ``pad_stone``.

    A finger on table or board therefore has ``pad_stone`` too, as it has where frictions are averaged.
    """
    geom.contype, geom.conaffinity, geom.condim = kind, affinity, OPTIONS.condim
    geom.friction[:2] = friction, OPTIONS.torsion
    geom.solref, geom.solimp = OPTIONS.solref, OPTIONS.solimp
    geom.margin = 0.0


def check_layout(model: mj.MjModel, stones: int) -> None:
    """Positions 0-8 are the robot's joints, then come seven per stone; velocities likewise with six.

    Raises:
        RuntimeError: if a change of the code above broke that order.
    """
    names = [model.joint(k).name for k in range(model.njnt)]
    expected = [*JOINT_NAMES, *(f"stone_{k}" for k in range(stones))]
    if names != expected or model.nq != JOINTS + 7 * stones or model.nv != JOINTS + 6 * stones:
        raise RuntimeError(f"joints were compiled in the order {names}, must be {expected}")
