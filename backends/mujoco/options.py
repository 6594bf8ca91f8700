"""Engine constants of the MuJoCo backend, in one table, each with its reason.

How they were chosen, and what happens when one is changed: docs/parity.md.
"""

from dataclasses import dataclass

import mujoco as mj


@dataclass(frozen=True, kw_only=True)
class _Options:
    """What only MuJoCo knows; everything physical comes from the ``SceneSpec``."""

    # Other integrators and the pyramidal cone let a grasped stone creep and tilt.
    integrator: mj.mjtIntegrator = mj.mjtIntegrator.mjINT_IMPLICITFAST
    cone: mj.mjtCone = mj.mjtCone.mjCONE_ELLIPTIC
    # Stiffness of friction relative to the normal force: at 10 and a softer solimp a held stone slides out.
    impratio: float = 100.0
    # Normal and two tangential directions. What turns on a face touches in several points, whose friction
    # brakes it; torsional friction (4) on top of that brakes it twice, 0.07 s from 20 rad/s instead of 0.13.
    condim: int = 3
    # Time constant and damping ratio of stones on table, board and each other. The constant is the shortest
    # that two time steps of 2 ms allow: with MuJoCo's 0.02 a resting stone sinks by 0.35 mm. Two time steps
    # are coarse for a spring: with a ratio of 1 it throws back what has sunk in, and a stone dropped from
    # 11 cm hops 1.1 mm; with 2 none does. The same on every shape, so that no pair is averaged to another.
    solref: tuple[float, float] = (0.004, 2.0)
    # Soft where a stone only lies (it sinks 0.04 mm), hard from 0.2 mm on, where it is pressed or lands. A
    # contact in MuJoCo that begins to slip by v within a time step opens by friction x v, because its
    # friction cone is convex. Hard contacts did all of that: a stone that a finger met at 0.32 m/s left the
    # board at 0.4 of its speed, and so the finger at 1.0 of that; it hopped 2.6 mm and ran ahead at 0.52 m/s,
    # where now it hops 0.8 mm and runs at 0.37.
    solimp: tuple[float, float, float, float, float] = (0.8, 0.9995, 0.0002, 0.5, 2.0)
    # Contacts of fingers, whose priority makes them decide alone: a 5 g stone under the 11 N of the grip
    # sinks 0.04 mm into each pad, and its force on a finger rises as in PhysX. With MuJoCo's 0.9 and 0.95 to
    # 0.99 it sinks 0.3 mm and more, enough to turn the contact of a pad's edge from the stone's rim onto its
    # bevel, where it slips. A damping ratio of 2 lets go later: throws end 2.9 mm apart, not 1.7.
    finger_solref: tuple[float, float] = (0.004, 1.0)
    finger_solimp: tuple[float, float, float, float, float] = (0.99, 0.999, 0.001, 0.5, 2.0)
    # A joint's stop gives as little as a contact. With MuJoCo's 0.02 and 0.9 to 0.95, a finger that 15 N push
    # against its stop, as when a closed hand is dragged, goes 3 mm beyond it.
    limit_solref: tuple[float, float] = (0.004, 2.0)
    limit_solimp: tuple[float, float, float, float, float] = (0.9975, 0.99975, 0.001, 0.5, 2.0)
    # Contact buffers and solver memory of one world, bytes: twice what 24 stones in one place need.
    arena: int = 6 << 20
    # Speed (m/s) below which a tree of bodies falls asleep after ten time steps, until something touches
    # it, as PhysX does too. An episode with 12 stones runs three times as fast and ends within 1e-7 m of
    # the same place; resting stones report no contact forces. Negative: nothing in play ever sleeps.
    sleep_tolerance: float = 1e-6


OPTIONS = _Options()

# Who collides with whom: two shapes touch where one's TYPE meets the other's AFFINITY.
STATIC_TYPE, ROBOT_TYPE, STONE_TYPE = 1, 2, 4
STATIC_AFFINITY, ROBOT_AFFINITY, STONE_AFFINITY = 0, STATIC_TYPE, STATIC_TYPE | ROBOT_TYPE | STONE_TYPE


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """Constants of the renderer."""

    # Filament's intensity of a light of one scene unit, in pictures without post-processing.
    intensity: float = 38400.0
    # Of the light from everywhere, Filament takes from the diffuse part what a surface mirrors, 3 to 5% by
    # roughness and angle; SAPIEN does not. In the mean this gives it back (calibrated).
    ambient_diffuse: float = 1.03
    # Texels of a shadow map, of which the renderer draws four for the sun: at 1024 a frame takes a tenth more
    # time and differs by 0.15/255.
    shadow_map: int = 512
    # Those of the second exposure, which draws a part of the picture alone, and dark pixels count.
    dark_shadow_map: int = 256
    # Reach of point lights (m): far beyond the room, so that they fall off with the square of distance.
    light_range: float = 100.0


DRAWING = _Drawing()
