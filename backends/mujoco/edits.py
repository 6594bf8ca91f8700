"""What may differ between the scene that was built and the one an episode is dressed as."""

from dataclasses import fields
from functools import lru_cache

import mujoco as mj
import numpy as np

from backends.mujoco.compile import Compiled, make_pristine, stone_bodies
from core.errors import CapabilityError
from core.world.bodies import movable_poses
from core.world.meshes import stone_shape
from core.world.scene import SceneSpec

# Fields that may differ from the built scene; everything else needs another model or other meshes, or would
# change what the task means.
_EDITABLE = {
    "table": {"material", "height"},
    "wall": {"material"},
    "floor": {"material"},
    "board": {"material", "X_WB", "wood_color", "line_color", "labels"},
    "stones": {"mass", "inertia", "kind", "height", "flat_radius", "rim_height", "facets", "material"},
    "objects": {"X_WO", "material"},
    "robot": set(),
    "physics": {"timestep", "gravity", "pad_stone", "surface_stone"},
    "cameras": {"eye", "forward", "up", "fovy", "near", "far", "parent"},
    "lights": {"color", "direction", "position", "cast_shadow"},
    "marks": set(),
}


def check_changes(built: SceneSpec, scene: SceneSpec) -> None:
    """Returns if a world built as ``built`` can be dressed as ``scene``.

    Raises:
        CapabilityError: naming the first field that cannot be changed in place.
    """
    for name, editable in _EDITABLE.items():
        before, after = getattr(built, name), getattr(scene, name)
        if before is after:
            continue
        if not isinstance(before, tuple):
            before, after = (before,), (after,)
        if len(before) != len(after):
            raise _refusal(f"the number of {name}", len(before), len(after))
        seen: set[tuple[int, int]] = set()  # stones are few objects, many times
        for a, b in zip(before, after, strict=True):
            if a is not b and (id(a), id(b)) not in seen:
                seen.add((id(a), id(b)))
                _check_part(name, editable, a, b)


def _check_part(where: str, editable: set[str], before: object, after: object) -> None:
    for name in _fixed(type(before), frozenset(editable)):
        a, b = getattr(before, name), getattr(after, name)
        if a is not b and a != b:
            raise _refusal(f"{where}.{name}", a, b)


@lru_cache
def _fixed(kind: type, editable: frozenset[str]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in editable)


def _refusal(what: str, before: object, after: object) -> CapabilityError:
    return CapabilityError(
        f"mujoco cannot change {what} of a built scene from {before!r} to {after!r}; build a new one"
    )


def physical_part(scene: SceneSpec) -> tuple:
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
    model.opt.timestep = physics.timestep
    model.opt.gravity[:] = 0.0, 0.0, -physics.gravity
    # Only fingers have a priority (see compile).
    model.geom_friction[:, 0] = np.where(model.geom_priority > 0, physics.pad_stone, physics.surface_stone)
    # Marks are only drawn: no body of the model is one.
    poses = {own.bodies[name]: X_WB for name, X_WB in movable_poses(scene).items() if name in own.bodies}
    model.body_pos[list(poses)] = [X_WB.p for X_WB in poses.values()]
    model.body_quat[list(poses)] = [X_WB.q for X_WB in poses.values()]
    stones = stone_bodies(model, len(scene.stones))
    masses = np.array([stone.mass for stone in scene.stones])
    inertias = np.array([[stone.inertia] for stone in scene.stones])
    if (model.body_mass[stones] != masses).any() or (model.body_inertia[stones] != inertias).any():
        model.body_mass[stones], model.body_inertia[stones] = masses, inertias
        mj.mj_setConst(model, own.pristine)
    make_pristine(own)
