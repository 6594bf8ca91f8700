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
    # Normal, two tangential directions and torsion; 3 and 6 gave the same grasps.
    condim: int = 4
    # Time constant of a contact: the shortest that two time steps of 2 ms allow. With MuJoCo's 0.02 a
    # resting stone sinks by 0.35 mm. The same on every shape, so that no pair is averaged to another.
    solref: tuple[float, float] = (0.004, 1.0)
    # How little a contact gives: a 5 g stone under the 11 N of the grip sinks 0.04 mm into each pad, and
    # its force on a finger rises as in PhysX. With MuJoCo's 0.9 and 0.95 to 0.99 it sinks 0.3 mm and more,
    # enough to turn the contact of a pad's edge from the stone's rim onto its bevel, where it slips.
    solimp: tuple[float, float, float, float, float] = (0.99, 0.999, 0.001, 0.5, 2.0)
    # Torsional friction (m) at MuJoCo's default, rolling friction not used by condim 4.
    torsion: float = 0.005
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
    # Texels of a shadow map, of which the renderer draws four for the sun: at 1024 a frame takes a tenth more
    # time and differs by 0.15/255.
    shadow_map: int = 512
    # Those of the second exposure, which draws a part of the picture alone, and dark pixels count.
    dark_shadow_map: int = 256
    # Reach of point lights (m): far beyond the room, so that they fall off with the square of distance.
    light_range: float = 100.0


DRAWING = _Drawing()
