"""What of a built scene may differ in the next episode: one table, which every backend obeys.

``core.Backend.reset`` asks here before an engine is touched, so that all engines refuse the same change in
the same words, and nothing has moved when they do.
"""

from dataclasses import fields
from functools import lru_cache
from typing import Any

from core.errors import CapabilityError
from core.world.capability import Capability
from core.world.scene import SceneSpec

# By part of a scene and field of the part: what a backend needs to change it in place. A field that is itself
# a specification (a material with its texture) changes with all that is in it. What is not named here may not
# change: other shapes, counts and names need another model, and other drives, time steps or marks would be
# another robot, another engine or another task.
CHANGEABLE: dict[str, dict[str, Capability]] = {
    "table": {"height": Capability.LIVE_POSES, "material": Capability.LIVE_MATERIALS},
    "wall": {"material": Capability.LIVE_MATERIALS},
    "floor": {"material": Capability.LIVE_MATERIALS},
    "board": {
        "X_WB": Capability.LIVE_POSES,
        "labels": Capability.LIVE_MATERIALS,
        "material": Capability.LIVE_MATERIALS,
        "wood_color": Capability.LIVE_MATERIALS,
        "line_color": Capability.LIVE_MATERIALS,
    },
    "stones": {
        "kind": Capability.LIVE_SHAPES,
        "height": Capability.LIVE_SHAPES,
        "flat_radius": Capability.LIVE_SHAPES,
        "rim_height": Capability.LIVE_SHAPES,
        "facets": Capability.LIVE_SHAPES,
        "mass": Capability.LIVE_PHYSICS,
        "inertia": Capability.LIVE_PHYSICS,
        "material": Capability.LIVE_MATERIALS,
    },
    "robot": {},
    "physics": {
        "gravity": Capability.LIVE_PHYSICS,
        "pad_stone": Capability.LIVE_PHYSICS,
        "surface_stone": Capability.LIVE_PHYSICS,
    },
    "cameras": dict.fromkeys(
        ("eye", "forward", "up", "fovy", "near", "far", "parent"), Capability.LIVE_CAMERAS
    ),
    "lights": {
        "color": Capability.LIVE_LIGHTS,
        "direction": Capability.LIVE_LIGHTS,
        "position": Capability.LIVE_LIGHTS,
        "cast_shadow": Capability.LIVE_SHADOWS,
    },
    "objects": {"X_WO": Capability.LIVE_POSES, "material": Capability.LIVE_MATERIALS},
    "marks": {},
}

_PARTS = tuple(field.name for field in fields(SceneSpec))


def check_changes(
    built: SceneSpec, scene: SceneSpec, *, backend: str, capabilities: frozenset[Capability]
) -> None:
    """Returns if a world built as ``built`` may be dressed as ``scene``.

    Takes microseconds: parts that are the same object are not looked into.

    Args:
        built: the scene that the backend compiled.
        scene: of the next episode.
        backend: registered name, for the message.
        capabilities: what that backend can do.

    Raises:
        CapabilityError: naming the first field that may not change, with both values.
    """
    if scene is built:
        return
    for part in _PARTS:
        before, after = getattr(built, part), getattr(scene, part)
        if before is after:
            continue
        if not isinstance(before, tuple):
            _check_part(part, before, after, backend, capabilities)
            continue
        if len(before) != len(after):
            raise _refusal(f"the number of {part}", len(before), len(after))
        seen: set[tuple[int, int]] = set()  # stones are few objects, many times
        for k, (a, b) in enumerate(zip(before, after, strict=True)):
            if a is not b and (id(a), id(b)) not in seen:
                seen.add((id(a), id(b)))
                _check_part(f"{part}[{k}]", a, b, backend, capabilities)


def _check_part(
    where: str, before: object, after: object, backend: str, capabilities: frozenset[Capability]
) -> None:
    part = where.partition("[")[0]
    kind: Any = type(before)  # a frozen dataclass
    for name in _fixed(kind, part, capabilities):
        a, b = getattr(before, name), getattr(after, name)
        if a is b or a == b:
            continue
        needed = CHANGEABLE[part].get(name)
        if needed is None:
            raise _refusal(f"{where}.{name}", a, b)
        raise CapabilityError(
            f"backend {backend!r} cannot change {where}.{name} of a built scene from {a!r} to {b!r}: "
            f"it has no {needed.value}; make a new environment"
        )


@lru_cache
def _fixed(kind: type, part: str, capabilities: frozenset[Capability]) -> tuple[str, ...]:
    """The fields that may not change in a backend that can do ``capabilities``."""
    changeable = CHANGEABLE[part]
    return tuple(
        field.name
        for field in fields(kind)
        if field.name not in changeable or changeable[field.name] not in capabilities
    )


def _refusal(what: str, before: object, after: object) -> CapabilityError:
    return CapabilityError(
        f"{what} of a built scene cannot change from {before!r} to {after!r}; make a new environment"
    )
