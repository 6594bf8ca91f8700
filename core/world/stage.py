"""The clean stage: RoboTwin2's table, robot, cameras and lights, with what a 22 mm stone needs.

docs/stage.md lists every number here beside RoboTwin2's value, and why ours differs.
"""

from core.errors import check_choice
from core.world.scene import (
    BoardSpec,
    CameraSpec,
    FloorSpec,
    LightSpec,
    MarkSpec,
    MaterialSpec,
    PhysicsSpec,
    RobotSpec,
    SceneSpec,
    StoneSpec,
    TableSpec,
    WallSpec,
)

# Where stones go that are taken off the board: at its right in the head picture.
TRAY = MarkSpec(name="tray", center=(-0.25, -0.17), half_size=(0.045, 0.11))

BLACK_STONES = 12
WHITE_STONES = 12
# Of any pool: `stone_amount` adds one of each colour, `stone_layout` three.
MOST_STONES = BLACK_STONES + WHITE_STONES + 8

CAMERAS: dict[str, CameraSpec] = {
    camera.name: camera
    for camera in (
        CameraSpec(name="head", eye=(0.0, 0.45, 1.62), forward=(0.0, -0.655, -0.80)),
        CameraSpec(name="front", eye=(0.20, -0.45, 0.85), forward=(0.0, 1.0, -0.1)),
        # On the hand's side, looking along its fingers at the tool centre point.
        CameraSpec(
            name="wrist",
            eye=(0.075, 0.0, 0.01),
            forward=(-0.45, 0.0, 1.0),
            up=(1.0, 0.0, 0.45),
            parent="panda_hand",
        ),
    )
}

_BLACK = StoneSpec(color="black", material=MaterialSpec(color=(0.012, 0.012, 0.014), roughness=0.35))
_WHITE = StoneSpec(color="white", material=MaterialSpec(color=(0.80, 0.79, 0.76), roughness=0.30))

LIGHTS = (
    LightSpec(name="ambient", kind="ambient", color=(0.35, 0.35, 0.35)),
    LightSpec(
        name="sun", kind="directional", color=(1.1, 1.1, 1.08), direction=(0.2, -0.5, -1.0), cast_shadow=True
    ),
    LightSpec(name="left", kind="point", color=(0.9, 0.9, 0.9), position=(1.0, 0.0, 1.8)),
    LightSpec(name="right", kind="point", color=(0.9, 0.9, 0.9), position=(-1.0, 0.0, 1.8)),
)


def clean_scene(cameras: tuple[str, ...] = ()) -> SceneSpec:
    """The stage without perturbations, with the named cameras.

    Stones 0-11 of the pool are black, 12-23 white.

    Raises:
        UnknownNameError: if a camera does not exist.
    """
    for name in cameras:
        check_choice("camera", name, CAMERAS)
    return SceneSpec(
        table=TableSpec(),
        wall=WallSpec(),
        floor=FloorSpec(),
        board=BoardSpec(),
        stones=(_BLACK,) * BLACK_STONES + (_WHITE,) * WHITE_STONES,
        robot=RobotSpec(),
        physics=PhysicsSpec(),
        cameras=tuple(CAMERAS[name] for name in cameras),
        lights=LIGHTS,
    )
