"""What may differ between the scene that was built and the one an episode is dressed as."""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import fields, is_dataclass

import mujoco as mj
import numpy as np

from backends.mujoco.compile import Compiled, with_pristine
from core.errors import CapabilityError
from core.scene import SceneSpec

# Everything else needs another model or other meshes, or would change what the task means.
_EDITABLE = re.compile(
    r"(table|wall|floor|board)\.material(\..+)?"
    r"|board\.(X_WB\..+|wood_color|line_color|labels)"
    r"|stones\.\d+\.(mass|inertia|material\..+)"
    r"|physics\..+"
    r"|cameras\.\d+\.(eye|forward|up|fovy|near|far|parent)"
    r"|lights\.\d+\.(color|direction|position)"
)


def check_changes(built: SceneSpec, scene: SceneSpec) -> None:
    """Returns if a world built as ``built`` can be dressed as ``scene``.

    Raises:
        CapabilityError: naming the first field that cannot be changed in place.
    """
    if scene == built:
        return
    for path, before, after in _differences(built, scene):
        if not _EDITABLE.fullmatch(path):
            raise CapabilityError(
                f"mujoco cannot change {path} of a built scene from {before!r} to {after!r}; build a new one"
            )


def _differences(a: object, b: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """(dotted path, before, after) of every leaf that differs; colours and vectors are leaves."""
    if a == b:
        return
    if is_dataclass(a) and type(a) is type(b):
        names = [field.name for field in fields(a)]
    elif hasattr(a, "_fields"):
        names = list(a._fields)
    elif isinstance(a, tuple) and len(a) == len(b) and is_dataclass(a[0]):
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differences(x, y, f"{path}.{k}")
        return
    else:
        yield path, a, b
        return
    for name in names:
        yield from _differences(getattr(a, name), getattr(b, name), f"{path}.{name}".lstrip("."))


def edited(base: Compiled, scene: SceneSpec) -> Compiled:
    """The compiled physics with ``scene``'s constants, board pose, friction and stone masses.

    ``base`` is shared between environments and stays as it is: this is a copy of it.
    """
    model, physics = copy(base.model), scene.physics
    model.opt.timestep = physics.timestep
    model.opt.gravity[:] = 0.0, 0.0, -physics.gravity
    # Only fingers have a priority (see compile).
    model.geom_friction[:, 0] = np.where(model.geom_priority > 0, physics.pad_stone, physics.surface_stone)
    board = model.body("board").id
    model.body_pos[board], model.body_quat[board] = scene.board.X_WB.p, scene.board.X_WB.q
    for k, stone in enumerate(scene.stones):
        body = model.body(f"stone_{k}").id
        model.body_mass[body], model.body_inertia[body] = stone.mass, stone.inertia
    mj.mj_setConst(model, with_pristine(model).pristine)
    return with_pristine(model)
