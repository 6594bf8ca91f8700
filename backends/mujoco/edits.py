"""What may differ between the scene that was built and the one an episode is dressed as."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import mujoco as mj
import numpy as np

from backends.mujoco.compile import Compiled, make_pristine, stone_bodies
from core.bodies import movable_poses
from core.errors import CapabilityError
from core.scene import MaterialSpec, SceneSpec

# Everything else needs another model or other meshes, or would change what the task means.
_EDITABLE = re.compile(
    r"(table|wall|floor|board)\.material"
    r"|table\.height"
    r"|board\.(X_WB|wood_color|line_color|labels)"
    r"|stones\.\d+\.(mass|inertia|kind|height|flat_radius|rim_height|facets|material)"
    r"|objects\.\d+\.(X_WO|material)"
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
    """(dotted path, before, after) of what differs; colours, vectors, poses and materials are leaves.

    What differs in the same two objects again, as in every stone, is not told again.
    """
    if is_dataclass(a) and type(a) is type(b) and not isinstance(a, MaterialSpec):
        parts = [(field.name, getattr(a, field.name), getattr(b, field.name)) for field in fields(a)]
    elif isinstance(a, tuple) and len(a) == len(b) and a and is_dataclass(a[0]):
        parts = [(str(k), x, y) for k, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        yield path, a, b
        return
    for name, x, y in parts:
        if x is not y and (id(x), id(y)) not in seen and x != y:
            seen.add((id(x), id(y)))
            yield from _differences(x, y, seen, f"{path}.{name}".lstrip("."))


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
        if name in own.bodies:  # marks are only drawn
            body = own.bodies[name]
            model.body_pos[body], model.body_quat[body] = X_WB.p, X_WB.q
    stones = stone_bodies(model, len(scene.stones))
    masses = np.array([stone.mass for stone in scene.stones])
    inertias = np.array([[stone.inertia] for stone in scene.stones])
    if (model.body_mass[stones] != masses).any() or (model.body_inertia[stones] != inertias).any():
        model.body_mass[stones], model.body_inertia[stones] = masses, inertias
        mj.mj_setConst(model, own.pristine)
    make_pristine(own)
