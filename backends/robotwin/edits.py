"""How a built scene changes in place; ``core.world.changes`` says what may."""

from backends.robotwin import options
from backends.robotwin.compile import World, sapien_pose, set_mass, take_stones
from backends.robotwin.render import Pictures
from core.world.bodies import movable_poses, static_bodies, stone_mass, stone_visual
from core.world.scene import MaterialSpec, SceneSpec


def apply(world: World, pictures: Pictures | None, before: SceneSpec, after: SceneSpec) -> None:
    """Makes a world that is dressed as ``before`` look and behave like ``after``.

    Friction and masses count from the next ``write_state``, pictures from the next frame.
    """
    if before == after:
        return
    if after.physics != before.physics:
        surface, pads = options.surface_friction(after.physics), options.pad_friction(after.physics)
        for material, friction in ((world.surface, surface), (world.pads, pads)):
            material.static_friction = material.dynamic_friction = friction
    others = take_stones(world, after)
    for body, old, new in zip(world.stone_bodies, before.stones, after.stones, strict=True):
        if others or (old.mass, old.inertia) != (new.mass, new.inertia):
            set_mass(body, stone_mass(new))
    poses = movable_poses(before)
    moved = {name: pose for name, pose in movable_poses(after).items() if pose != poses[name]}
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
