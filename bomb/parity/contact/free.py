"""Stones that nobody touches: dropped flat and tilted, sliding, rolling, spinning. The hand stays away."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bomb.parity.contact.bench import BOARD, HALF_HEIGHT, RADIUS, TABLE, heading, in_world, lying, on
from bomb.parity.contact.courses import Start
from core.world.rotations import multiply, quaternion_about_z
from core.world.state import SceneState

HEIGHTS = (0.02, 0.15)  # m, from which stones are dropped
PERIODS = 30  # of control, 1.5 s: everything but rolling is over by then
ROLLING = 60


def flat_drop(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """From 2 to 15 cm above the board, level."""
    p = on(BOARD, rng) + [0.0, 0.0, rng.uniform(*HEIGHTS)]
    return _left_alone(_moving(lying([p], rng), hair))


def tilted_drop(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """From 2 to 15 cm above the board, tilted by 5 to 20 degrees about a random horizontal axis."""
    p = on(BOARD, rng) + [0.0, 0.0, rng.uniform(*HEIGHTS)]
    state = _turned(lying([p], rng), heading(rng), np.radians(rng.uniform(5, 20)))
    return _left_alone(_moving(state, hair))


def slide(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Flicked over the board: it lies flat and moves at 0.1 to 0.6 m/s, turning at up to 10 rad/s."""
    spin = [0.0, 0.0, rng.uniform(-10, 10)]
    velocity = (rng.uniform(0.1, 0.6) * heading(rng)).tolist()
    p = np.array([0.5, 0.0, BOARD + HALF_HEIGHT])
    return _left_alone(_moving(lying([p], rng), hair, velocity, spin))


def roll(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """On its rim along the table's short side, at 0.1 to 0.3 m/s, without slipping at first."""
    speed = rng.uniform(0.1, 0.3)
    p = np.array([0.36, rng.choice([-1.0, 1.0]) * rng.uniform(0.25, 0.30), TABLE + RADIUS])
    state = lying([p], rng)
    # Its axis lies along y of R: a quarter turn about x of R brings it there.
    state = _turned(_at_yaw(state, float(rng.uniform(0, 2 * np.pi))), np.array([1.0, 0.0, 0.0]), np.pi / 2)
    return _left_alone(_moving(state, hair, [speed, 0.0, 0.0], [0.0, speed / RADIUS, 0.0]), ROLLING)


def spin(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Flat on the board, turning about its axis at 5 to 30 rad/s."""
    rate = rng.choice([-1.0, 1.0]) * rng.uniform(5, 30)
    return _left_alone(_moving(lying([on(BOARD, rng)], rng), hair, spin=[0.0, 0.0, rate]))


def _left_alone(state: SceneState, periods: int = PERIODS) -> Start:
    return Start(state=state, actions=np.tile(np.array([0, 0, 0, 1], dtype=np.float32), (periods, 1)))


def _moving(
    state: SceneState,
    hair: npt.NDArray[np.float64],
    velocity: Sequence[float] = (0.0, 0.0, 0.0),
    spin: Sequence[float] = (0.0, 0.0, 0.0),
) -> SceneState:
    """The stone moved aside by ``hair`` and given velocities, all in R (m, m/s, rad/s).

    A hair up or down would put a stone into the surface that it lies on.
    """
    poses = state.stone_poses.copy()
    poses[:, :3] += _direction(np.array([hair[0], hair[1], 0.0]))
    velocities = np.array([[*_direction(np.array(velocity)), *_direction(np.array(spin))]], dtype=np.float32)
    return replace(state, stone_poses=poses, stone_velocities=velocities).validated()


def _at_yaw(state: SceneState, yaw: float) -> SceneState:
    poses = state.stone_poses.copy()
    poses[:, 3:] = quaternion_about_z(yaw)
    return replace(state, stone_poses=poses)


def _turned(state: SceneState, axis: npt.NDArray[np.float64], angle: float) -> SceneState:
    """The stone turned about a horizontal axis of R."""
    poses = state.stone_poses.copy()
    turn = np.array([np.cos(angle / 2), *(np.sin(angle / 2) * _direction(axis))])
    poses[0, 3:] = multiply(turn, poses[0, 3:].astype(np.float64))
    return replace(state, stone_poses=poses)


def _direction(v_R: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A vector of R in W."""
    v_W: npt.NDArray[np.float64] = in_world(v_R) - in_world(np.zeros(3))
    return v_W
