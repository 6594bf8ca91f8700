"""What is in the world, with no engine word in it.

A task builds a ``SceneSpec`` from a seed and the perturbation draws; both backends compile the same
object. Lengths in metres, angles in radians, masses in kilograms. Colours and light intensities are
linear (not sRGB-encoded). World frame W: z up, the robot stands at negative y and looks along +y.
Where the numbers come from: docs/stage.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from math import pi, radians
from typing import Literal

from core.errors import OptionError
from core.world.rotations import Pose, quaternion_about_z

METAL_SPECULAR = 0.5  # of every surface that Filament's first shading model draws

Color = tuple[float, float, float]
Vector = tuple[float, float, float]


class SegmentationId(IntEnum):
    """Values of segmentation pictures. Stone ``k`` of the pool has the value ``STONE + k``."""

    BACKGROUND = 0
    FLOOR = 1
    TABLE = 2
    WALL = 3
    BOARD = 4
    ROBOT = 5
    GRIPPER = 6
    OBJECT = 7
    MARK = 8
    STONE = 16


@dataclass(frozen=True, kw_only=True)
class TextureSpec:
    """A picture made by code. ``name`` is a key of ``core.world.textures.TEXTURES``."""

    name: str
    size: tuple[int, int] = (512, 512)
    params: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, kw_only=True)
class MaterialSpec:
    """A physically based surface.

    Attributes:
        color: linear base colour; multiplied with the texture where there is one.
        roughness: perceptual roughness, 0 (mirror) to 1.
        metallic: 0 (dielectric) or 1 (metal), or between.
        specular: dielectric reflectance on the usual 0-1 scale; 0.5 is 4 percent at normal incidence. Of
            metals 0.5 alone: Filament has no others, and both engines draw the same.
        texture: picture of the base colour, or None.

    Raises:
        OptionError: for a metal of another ``specular``.
    """

    color: Color = (0.5, 0.5, 0.5)
    roughness: float = 0.6
    metallic: float = 0.0
    specular: float = 0.5
    texture: TextureSpec | None = None

    def __post_init__(self) -> None:
        if self.metallic and self.specular != METAL_SPECULAR:
            raise OptionError(
                f"specular of a material with metallic {self.metallic!r} must be {METAL_SPECULAR}, "
                f"got {self.specular!r}"
            )


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """RoboTwin2's table: a top and four legs. ``height`` is the z of its upper face."""

    size: tuple[float, float] = (1.2, 0.7)
    thickness: float = 0.05
    height: float = 0.74
    leg_width: float = 0.05
    leg_inset: float = 0.05
    material: MaterialSpec = field(
        default_factory=lambda: MaterialSpec(
            color=(1.0, 1.0, 1.0), roughness=0.6, texture=TextureSpec(name="wood")
        )
    )


@dataclass(frozen=True, kw_only=True)
class WallSpec:
    """A box behind the robot, where the head camera sees it. ``center`` and ``half_size`` in W."""

    center: Vector = (0.0, -1.6, 1.5)
    half_size: Vector = (3.0, 0.1, 1.5)
    material: MaterialSpec = field(
        default_factory=lambda: MaterialSpec(color=(0.62, 0.60, 0.58), roughness=0.9)
    )


@dataclass(frozen=True, kw_only=True)
class FloorSpec:
    """A drawn plane at z = 0."""

    half_size: float = 3.0
    material: MaterialSpec = field(
        default_factory=lambda: MaterialSpec(color=(0.32, 0.32, 0.34), roughness=0.9)
    )


@dataclass(frozen=True, kw_only=True)
class BoardSpec:
    """The Go board. Frame B: origin on the middle intersection, on the top surface.

    x_B points to the right of the head picture and y_B up the picture, so
    p_B(row, column) = ((column - (n-1)/2) pitch, ((n-1)/2 - row) pitch, 0).

    Attributes:
        X_WB: pose of B in W.
        size: number of lines n along each side.
        pitch: distance between neighbouring lines (m).
        width: side of the square slab (m).
        thickness: of the slab (m).
        labels: whether A-E and 1-5 are printed along the edges.
    """

    X_WB: Pose = Pose((0.0, -0.15, 0.75), quaternion_about_z(pi))
    size: int = 5
    pitch: float = 0.055
    width: float = 0.27
    thickness: float = 0.010
    labels: bool = False
    material: MaterialSpec = field(
        default_factory=lambda: MaterialSpec(color=(1.0, 1.0, 1.0), roughness=0.55)
    )
    wood_color: Color = (0.55, 0.36, 0.15)
    line_color: Color = (0.02, 0.016, 0.012)

    def point(self, row: int, column: int) -> tuple[float, float]:
        """x and y of an intersection in B (m)."""
        middle = (self.size - 1) / 2
        return ((column - middle) * self.pitch, (middle - row) * self.pitch)


@dataclass(frozen=True, kw_only=True)
class StoneSpec:
    """One stone of the pool: a bevelled puck with flat faces (docs/stage.md says why not a lens)."""

    color: Literal["black", "white"]
    kind: str = "go"
    radius: float = 0.011
    height: float = 0.008
    flat_radius: float = 0.008
    rim_height: float = 0.004
    facets: int = 32
    mass: float = 0.005
    inertia: float = 1e-6
    material: MaterialSpec = field(default_factory=MaterialSpec)


def each_stone(
    stones: tuple[StoneSpec, ...], change: Callable[[StoneSpec], StoneSpec]
) -> tuple[StoneSpec, ...]:
    """Every stone changed; stones that are one object stay one, which makes comparing scenes quick."""
    made: dict[int, StoneSpec] = {}
    for stone in stones:
        if id(stone) not in made:
            made[id(stone)] = change(stone)
    return tuple(made[id(stone)] for stone in stones)


@dataclass(frozen=True, kw_only=True)
class ObjectSpec:
    """A thing that stands on the table and never moves; it collides as the box around it.

    Attributes:
        name: of the body, unique in the scene.
        shape: as drawn.
        half_size: of the box around it (m).
        X_WO: pose of the box's middle in W; None while it is put away.
    """

    name: str
    shape: Literal["box", "cylinder", "cone"]
    half_size: Vector
    X_WO: Pose | None = None
    material: MaterialSpec = field(default_factory=MaterialSpec)


@dataclass(frozen=True, kw_only=True)
class MarkSpec:
    """A rectangle drawn on the table, without a collision shape: stones lie on the table itself.

    Attributes:
        name: unique in the scene.
        center: in W (m).
        half_size: half its edges, along the axes of W (m).
        height: of its upper face above the table, so that the two are told apart when drawn (m).
    """

    name: str
    center: tuple[float, float]
    half_size: tuple[float, float]
    height: float = 0.0005
    material: MaterialSpec = field(
        default_factory=lambda: MaterialSpec(color=(0.04, 0.18, 0.42), roughness=0.8)
    )


@dataclass(frozen=True, kw_only=True)
class RobotSpec:
    """The Franka Panda with its hand, from the one URDF of ``example-robot-data``.

    Attributes:
        X_WR: pose of the robot's base frame R in W (x forward, y left, z up).
        home: arm joint positions at reset (7, rad).
        arm_stiffness, arm_damping: joint drives (N m/rad, N m s/rad).
        finger_stiffness, finger_damping, finger_force: finger drives (N/m, N s/m, N).
        finger_armature: reflected inertia of the gripper's drive (kg).
        arm_armature: reflected inertia of the arm's motors (kg m^2).
        max_finger_position: joint position of a fully open finger (m); the pads are twice that apart.
    """

    X_WR: Pose = Pose((0.0, -0.65, 0.75), quaternion_about_z(pi / 2))
    # The tool 0.26 m above the table's middle line, 0.44 m in front of the base, pointing down.
    home: tuple[float, ...] = (0.0, -0.21453, 0.0, -2.528031, 0.0, 2.313501, pi / 4)
    arm_stiffness: float = 1000.0
    arm_damping: float = 100.0
    finger_stiffness: float = 1000.0
    finger_damping: float = 60.0
    finger_force: float = 20.0
    finger_armature: float = 0.1
    arm_armature: float = 0.1
    max_finger_position: float = 0.024


@dataclass(frozen=True, kw_only=True)
class PhysicsSpec:
    """Time step and the *effective* friction of each pair; backends convert to their combine rule.

    Attributes:
        timestep: of both engines (s).
        gravity: along -z (m/s^2).
        pad_stone: friction coefficient between finger and stone.
        surface_stone: between stone and table, board or another stone, and between hand and stone.
    """

    timestep: float = 0.002
    gravity: float = 9.81
    pad_stone: float = 1.0
    surface_stone: float = 0.4


@dataclass(frozen=True, kw_only=True)
class CameraSpec:
    """A pinhole camera with square pixels.

    Attributes:
        name: key of the pictures in observations.
        eye, forward, up: in the frame of ``parent`` (m; directions need not be unit or orthogonal).
        fovy: vertical field of view (rad).
        near, far: clipping distances (m).
        parent: ``"world"`` or ``"panda_hand"``.
    """

    name: str
    eye: Vector
    forward: Vector
    up: Vector = (0.0, 0.0, 1.0)
    fovy: float = radians(37.0)
    near: float = 0.02
    far: float = 20.0
    parent: Literal["world", "panda_hand"] = "world"


@dataclass(frozen=True, kw_only=True)
class LightSpec:
    """A light, in units where a white diffuse plane facing it has radiance color/pi (at 1 m if point).

    ``ambient`` lights have radiance ``color`` from everywhere. ``direction`` is where a directional
    light shines to, ``position`` where a point light stands; both in W.
    """

    name: str
    kind: Literal["ambient", "directional", "point"]
    color: Color
    direction: Vector = (0.0, 0.0, -1.0)
    position: Vector = (0.0, 0.0, 2.0)
    cast_shadow: bool = False


@dataclass(frozen=True, kw_only=True)
class SceneSpec:
    """Everything both backends need to build the same world.

    Raises:
        OptionError: if ambient lights together are brighter than 1: SAPIEN's environment has eight bits.
    """

    table: TableSpec
    wall: WallSpec
    floor: FloorSpec
    board: BoardSpec
    stones: tuple[StoneSpec, ...]
    robot: RobotSpec
    physics: PhysicsSpec
    cameras: tuple[CameraSpec, ...]
    lights: tuple[LightSpec, ...]
    objects: tuple[ObjectSpec, ...] = ()
    marks: tuple[MarkSpec, ...] = ()

    def __post_init__(self) -> None:
        ambient = [light.color for light in self.lights if light.kind == "ambient"]
        total = tuple(sum(channel) for channel in zip(*ambient, strict=True))
        if any(value > 1 for value in total):
            raise OptionError(f"ambient lights together must not exceed 1 in any channel, got {total}")
