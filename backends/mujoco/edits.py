"""How the physics of a built scene changes in place; ``core.world.changes`` says what may."""

from typing import Any

import mujoco as mj
import numpy as np

from backends.mujoco.compile import Compiled, make_pristine, stone_bodies
from core.world.bodies import movable_poses, stone_mass
from core.world.meshes import stone_shape
from core.world.scene import SceneSpec


def physical_part(scene: SceneSpec) -> tuple[Any, ...]:
    """What physics depends on, of the fields that may change: equal for scenes with the same physics."""
    parts = {id(stone): (stone.mass, stone.inertia, stone_shape(stone)) for stone in scene.stones}
    stones = [parts[id(stone)] for stone in scene.stones]
    places = [thing.X_WO for thing in scene.objects]
    return scene.physics, scene.table.height, scene.board.X_WB, places, stones


def refit(own: Compiled, scene: SceneSpec) -> None:
    """Gives physics ``scene``'s constants, poses of static bodies, friction and stone masses.

    ``own`` belongs to one environment: what ``compiled`` returns is shared, and stays as it is.
    """
    model, physics = own.model, scene.physics
    model.opt.gravity[:] = 0.0, 0.0, -physics.gravity
    # Only fingers have a priority (see compile).
    model.geom_friction[:, 0] = np.where(model.geom_priority > 0, physics.pad_stone, physics.surface_stone)
    # Marks are only drawn: no body of the model is one.
    poses = {own.bodies[name]: X_WB for name, X_WB in movable_poses(scene).items() if name in own.bodies}
    model.body_pos[list(poses)] = [X_WB.p for X_WB in poses.values()]
    model.body_quat[list(poses)] = [X_WB.q for X_WB in poses.values()]
    stones = stone_bodies(model, len(scene.stones))
    declared = [stone_mass(stone) for stone in scene.stones]
    masses, inertias = np.array([one.mass for one in declared]), np.array([one.moments for one in declared])
    if (model.body_mass[stones] != masses).any() or (model.body_inertia[stones] != inertias).any():
        model.body_mass[stones], model.body_inertia[stones] = masses, inertias
        mj.mj_setConst(model, own.pristine)
    make_pristine(own)
