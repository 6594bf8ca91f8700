"""What of a built scene can be changed in place, and how."""

from dataclasses import fields, is_dataclass, replace

from backends.robotwin import options
from backends.robotwin.compile import World, sapien_pose, set_drives, set_stone_mass, take_stones
from backends.robotwin.render import Pictures
from core.errors import CapabilityError
from core.world.bodies import movable_poses, static_bodies, stone_visual
from core.world.scene import MaterialSpec, SceneSpec

# Fields that may differ from the built scene; every other one is a shape, a count or a name.
_EDITABLE = {
    "table": ("material", "height"),
    "wall": ("material",),
    "floor": ("material",),
    "board": ("material", "X_WB", "size", "pitch", "labels", "wood_color", "line_color"),
    "stones": ("material", "mass", "inertia", "kind", "height", "flat_radius", "rim_height", "facets"),
    "objects": ("material", "X_WO"),
    "robot": (
        "home",
        "arm_stiffness",
        "arm_damping",
        "arm_armature",
        "finger_stiffness",
        "finger_damping",
        "finger_force",
        "finger_armature",
        "max_finger_position",
    ),
    "physics": ("timestep", "gravity", "pad_stone", "surface_stone"),
    "cameras": ("eye", "forward", "up", "fovy", "near", "far", "parent"),
    "lights": ("color", "direction", "position", "cast_shadow"),
}


def apply(world: World, pictures: Pictures | None, before: SceneSpec, after: SceneSpec) -> None:
    """Makes a world that is dressed as ``before`` look and behave like ``after``.

    Friction, masses and drives count from the next ``write_state``, pictures from the next frame.

    Raises:
        CapabilityError: naming the first field that differs and cannot be changed; nothing has changed.
    """
    if before == after:
        return
    check(before, after)
    if after.physics != before.physics:
        surface, pads = options.surface_friction(after.physics), options.pad_friction(after.physics)
        for material, friction in ((world.surface, surface), (world.pads, pads)):
            material.static_friction = material.dynamic_friction = friction
    if after.robot != before.robot:
        set_drives(world.articulation, after.robot)
    others = take_stones(world, after)
    for body, old, new in zip(world.stone_bodies, before.stones, after.stones, strict=True):
        if others or (old.mass, old.inertia) != (new.mass, new.inertia):
            set_stone_mass(body, new)
    old = movable_poses(before)
    moved = {name: pose for name, pose in movable_poses(after).items() if pose != old[name]}
    for name, pose in moved.items():
        world.statics[name].set_pose(sapien_pose(pose))
    if pictures is not None:
        for name, pose in moved.items():
            pictures.set_body_pose(name, pose)
        _dress(pictures, before, after)


def _dress(pictures: Pictures, before: SceneSpec, after: SceneSpec) -> None:
    pictures.take_stones(after)
    old = _materials(before)
    for name, material in _materials(after).items():
        if material != old[name]:
            pictures.set_material(name, material)
    if after.lights != before.lights:
        for light in after.lights:
            if light.kind != "ambient":
                pictures.set_light(light)
        pictures.set_ambient(after.lights)
    for camera in after.cameras:
        pictures.set_camera(camera)


def _materials(scene: SceneSpec) -> dict[str, MaterialSpec]:
    """Every material that the scene names, by its handle."""
    visuals = [visual for body in static_bodies(scene) for visual in body.visuals]
    by_color = {stone.color: k for k, stone in enumerate(scene.stones)}
    visuals.extend(stone_visual(scene, k) for k in by_color.values())
    return {visual.material_name: visual.material for visual in visuals}


def check(before: SceneSpec, after: SceneSpec) -> None:
    """Returns if ``after`` differs from ``before`` in editable fields only.

    Raises:
        CapabilityError: naming the first field that cannot be changed.
    """
    for field in fields(SceneSpec):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new:
            continue
        if not isinstance(old, tuple):
            old, new = (old,), (new,)
        if len(old) != len(new):
            raise CapabilityError(
                f"the number of {field.name} of a built scene cannot change from {len(old)} to {len(new)}"
            )
        seen = set()  # stones are few objects, many times
        for k, (a, b) in enumerate(zip(old, new, strict=True)):
            if (id(a), id(b)) in seen:
                continue
            seen.add((id(a), id(b)))
            where = field.name if len(old) == 1 else f"{field.name}[{k}]"
            _check_part(where, _EDITABLE.get(field.name, ()), a, b)


def _check_part(where: str, editable: tuple[str, ...], old: object, new: object) -> None:
    if is_dataclass(old) and type(old) is type(new):
        if replace(old, **{name: getattr(new, name) for name in editable}) == new:
            return
        names = [field.name for field in fields(old) if field.name not in editable]
        where += "." + next(name for name in names if getattr(old, name) != getattr(new, name))
    raise CapabilityError(f"{where} of a built scene cannot be changed in place; make a new environment")
