"""What may differ between the scene that was built and the one an episode is dressed as."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import mujoco as mj
import numpy as np

from backends.mujoco.compile import Compiled, make_pristine, stone_bodies
from core.bodies import movable_poses
from core.errors import CapabilityError
from core.scene import SceneSpec

# Everything else needs another model or other meshes, or would change what the task means.
_EDITABLE = re.compile(
    r"(table|wall|floor|board)\.material(\..+)?"
    r"|table\.height"
    r"|board\.(X_WB\..+|wood_color|line_color|labels)"
    r"|stones\.\d+\.(mass|inertia|kind|height|flat_radius|rim_height|facets|material\..+)"
    r"|objects\.\d+\.(X_WO(\..+)?|material\..+)"
    r"|physics\..+"
    r"|cameras\.\d+\.(eye|forward|up|fovy|near|far|parent)"
    r"|lights\.\d+\.(color|direction|position|cast_shadow)"
)


def check_changes(built: SceneSpec, scene: SceneSpec) -> None:
    """Returns if a world built as ``built`` can be dressed as ``scene``.

    Raises:
        CapabilityError: naming the first field that cannot be changed in place.
    """
    if scene == built:
        return
    for path, before, after in _differences(built, scene, set()):
        if not _EDITABLE.fullmatch(path):
            raise CapabilityError(
                f"mujoco cannot change {path} of a built scene from {before!r} to {after!r}; build a new one"
            )


def _differences(a: object, b: object, seen: set, path: str = "") -> Iterator[tuple[str, object, object]]:
    """(dotted path, before, after) of every leaf that differs; colours and vectors are leaves.

    What differs in the same two objects again, as in every stone, is not told again.
    """
    if a is b or (id(a), id(b)) in seen or a == b:
        return
    seen.add((id(a), id(b)))
    if is_dataclass(a) and type(a) is type(b):
        names = [field.name for field in fields(a)]
    elif hasattr(a, "_fields"):
        names = list(a._fields)
    elif isinstance(a, tuple) and len(a) == len(b) and is_dataclass(a[0]):
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differences(x, y, seen, f"{path}.{k}")
        return
    else:
        yield path, a, b
        return
    for name in names:
        yield from _differences(getattr(a, name), getattr(b, name), seen, f"{path}.{name}".lstrip("."))


def refit(own: Compiled, scene: SceneSpec) -> None:
    """Gives physics ``scene``'s constants, poses of static bodies, friction and stone masses.

    ``own`` belongs to one environment: what ``compiled`` returns is shared, and stays as it is.
    """
    model, physics = own.model, scene.physics
    model.opt.timestep = physics.timestep
    model.opt.gravity[:] = 0.0, 0.0, -physics.gravity
    # Only fingers have a priority (see compile).
    model.geom_friction[:, 0] = np.where(model.geom_priority > 0, physics.pad_stone, physics.surface_stone)
    for name, X_WB in movable_poses(scene).items():
        body = model.body(name).id
        model.body_pos[body], model.body_quat[body] = X_WB.p, X_WB.q
    stones = stone_bodies(model, len(scene.stones))
    masses = np.array([stone.mass for stone in scene.stones])
    inertias = np.array([[stone.inertia] for stone in scene.stones])
    if (model.body_mass[stones] != masses).any() or (model.body_inertia[stones] != inertias).any():
        model.body_mass[stones], model.body_inertia[stones] = masses, inertias
        mj.mj_setConst(model, own.pristine)
    make_pristine(own)
