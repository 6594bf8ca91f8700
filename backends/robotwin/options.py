"""Constants of PhysX, each with its reason. Nothing else in this backend holds an engine number.

Values marked (calibrated) were chosen so that SAPIEN and MuJoCo hold and drop the same stones.
"""

from dataclasses import dataclass

from sapien import physx

from core.world.scene import PhysicsSpec

POSITION_ITERATIONS = 10  # of the solver, per body (calibrated: 4 lose stones, 25 hold no others)
# Of the solver, per body (calibrated: 4 and 8 agree with MuJoCo as often as 1 on grasps, and as often or more
# often where a finger presses on a stone; 16, more than position iterations, let held stones creep).
VELOCITY_ITERATIONS = 4
CONTACT_OFFSET = 0.002  # m; pairs this close get contacts (calibrated: 0.01 holds the same and is slower)
REST_OFFSET = 0.0  # m
RESTITUTION = 0.0

# Persistent manifolds find a box edge on a stone's hull up to 0.8 mm (20 ms) late and keep stale normals, so
# that a pad whose lower edge is above the rim still holds. Without them PhysX finds it at once, as MuJoCo
# does (calibrated).
ENABLE_PCM = False

# J/kg. A stone falls asleep (velocity zero, almost no cost) after 0.4 s in which the *sum* of its velocities
# over the last 0.2 s stayed below this energy. At 2 ms that is a drift of 0.2 mm/s or 0.015 rad/s: above
# the solver's jitter at rest, 0.003 rad/s, and far below what counts as moving. Touching the robot, which
# never sleeps, keeps a stone awake. Without sleep, 24 resting stones nearly double a control step's cost.
# Source: PhysX 5, ScBodySim.cpp, updateWakeCounter.
STONE_SLEEP_THRESHOLD = 1e-4
ROBOT_SLEEP_THRESHOLD = 0.0  # never: a sleeping arm would stop following its drives

# Hulls are cooked in millimetres and scaled back: PhysX merges vertices that are close in absolute
# terms, and at 22 mm it drops most of a stone's when it cooks in metres.
COOKING_SCALE = 0.001


@dataclass(frozen=True)
class CollisionGroup:
    """What a shape is and which kinds it meets.

    Two shapes meet if one's ``kind`` is among the other's ``meets``.
    """

    kind: int
    meets: int

    def array(self) -> list[int]:
        """SAPIEN's four words; the last two (ignore groups) are not used."""
        return [self.kind, self.meets, 0, 0]


_STATIC, _STONE, _ROBOT = 1, 2, 4
STATIC_GROUP = CollisionGroup(_STATIC, 0)
STONE_GROUP = CollisionGroup(_STONE, _STATIC | _STONE | _ROBOT)
ROBOT_GROUP = CollisionGroup(_ROBOT, _STATIC)


def surface_friction(physics: PhysicsSpec) -> float:
    """Friction of everything but the fingers."""
    return physics.surface_stone


def pad_friction(physics: PhysicsSpec) -> float:
    """Friction of the fingers: PhysX takes the mean of both surfaces.

    Fingers on table and board therefore have the friction of fingers on stones.
    """
    return 2 * physics.pad_stone - physics.surface_stone


def scene_config(physics: PhysicsSpec) -> physx.PhysxSceneConfig:
    """Settings of one PhysX scene; SAPIEN keeps them per process and copies them into new scenes."""
    config = physx.PhysxSceneConfig()
    config.gravity = [0.0, 0.0, -physics.gravity]
    config.enable_tgs = True
    config.enable_pcm = ENABLE_PCM
    config.enable_ccd = False
    config.enable_friction_every_iteration = True
    # Results must not depend on the order in which stones were added; costs less than a percent.
    config.enable_enhanced_determinism = True
    return config


# Pictures. The stock shaders: "default" draws in linear light and shades every pixel once; "trivial" gives
# exact positions and identities in a millisecond.
COLOR_SHADER = "default"
GEOMETRY_SHADER = "trivial"

# Shadow of a directional light: a box around the stage, seen along the light. Everything the head camera
# sees lies within; 2048 texels make 1.4 mm each.
SHADOW_MAP_SIZE = 2048
SHADOW_CENTER = (0.0, -0.3, 0.74)
SHADOW_HALF_SIZE = 1.4
SHADOW_RANGE = (-4.0, 4.0)
