"""Where stones stand before something is done to them, and how a hand gets there.

Positions are in the robot's base frame R (m): the board's top is at z = 0, the table's at -0.01.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bomb.parity.contact.courses import Start, scene
from bomb.parity.play import Waypoint, commands
from core.board.layout import at_rest
from core.world.kinematics import home_position
from core.world.rotations import matrix_from_quaternion
from core.world.state import SceneState

HALF_HEIGHT = 0.004  # m, of a stone
RADIUS = 0.011  # m
BOARD, TABLE = 0.0, -0.01  # z of the surfaces
PAD = 0.00875  # m, half the width of a pad along x (URDF)
PAD_EDGE = 0.0095  # m, from the tool centre point down to the pads' lower edge (URDF)
NOMINAL = 0.007  # m, from a stone's middle up to the tool, where the expert grasps it
HIGH = 0.06  # m above what is touched, where the hand comes and goes
HAIR = 5e-5  # m, by which a path is moved for the self-floor


def on(surface: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A place for one stone, float64[3]: near the board's middle, or on the table beside the board."""
    if surface == BOARD:
        aside = rng.uniform(-0.06, 0.06, size=2)
        return np.array([0.5 + aside[0], aside[1], surface + HALF_HEIGHT])
    x, y, side = rng.uniform(0.42, 0.58), rng.uniform(0.22, 0.26), rng.choice([-1.0, 1.0])
    return np.array([x, side * y, surface + HALF_HEIGHT])


def lying(points: Sequence[npt.NDArray[np.float64]], rng: np.random.Generator) -> SceneState:
    """Stones that lie flat with random yaws, black and white in turn; the robot at home, its hand open."""
    poses = {}
    for k, point in enumerate(points):
        half = rng.uniform(0, np.pi)
        poses[k // 2 + 12 * (k % 2)] = np.array([*in_world(point), np.cos(half), 0.0, 0.0, np.sin(half)])
    return at_rest(scene(), poses)


def in_world(p_R: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A point of R in W (m)."""
    X_WR = scene().robot.X_WR
    p_W: npt.NDArray[np.float64] = np.asarray(X_WR.p) + matrix_from_quaternion(X_WR.q) @ p_R
    return p_W


def script(state: SceneState, waypoints: Sequence[Waypoint], hair: npt.NDArray[np.float64]) -> Start:
    """A start with the actions that command the waypoints, all of them moved by ``hair`` float64[3] (m)."""
    robot = scene().robot
    at_home = matrix_from_quaternion(robot.X_WR.q).T @ (
        np.asarray(home_position(robot)) - np.asarray(robot.X_WR.p)
    )
    moved = [
        Waypoint(target=way.target + hair, opening=way.opening, seconds=way.seconds, speed=way.speed)
        for way in waypoints
    ]
    return Start(state=state, actions=np.array(list(commands(at_home, moved)), dtype=np.float32))


def above(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The point over ``p`` where the hand comes and goes."""
    return np.array([p[0], p[1], p[2] + HIGH])


def heading(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A random horizontal direction, float64[3]."""
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle), 0.0])
