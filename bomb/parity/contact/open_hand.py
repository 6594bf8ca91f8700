"""Grasps that may miss: beside the middle, from above, at the rim, at the edge, with company; and throws."""

import numpy as np
import numpy.typing as npt

from bomb.parity.contact.bench import NOMINAL, PAD, RADIUS, TABLE, above, heading, lying, on, script
from bomb.parity.contact.courses import Start
from bomb.parity.play import PUSH_SPEED, Waypoint

NOISE = (0.010, 0.010, 0.003)  # m, standard deviations in x, y, z of R, as of the near misses of the table


def grasp(
    offset: npt.NDArray[np.float64],
    points: list[npt.NDArray[np.float64]],
    rng: np.random.Generator,
    hair: npt.NDArray[np.float64],
    astride: bool = False,
) -> Start:
    """Straight down over the first of ``points``, ``offset`` float64[3] off, closed and lifted.

    ``astride``: down over the stone's middle, and aside from there.
    """
    nominal = points[0] + [0.0, 0.0, NOMINAL]
    p = nominal + offset
    over = nominal + [0.0, 0.0, max(offset[2], 0.0)] if astride else p
    return script(
        lying(points, rng),
        [
            Waypoint(target=above(over), opening=1.0, seconds=0.2),
            Waypoint(target=over, opening=1.0, seconds=0.1, speed=0.34),
            Waypoint(target=np.array([p[0], p[1], over[2]]), opening=1.0, speed=PUSH_SPEED),
            Waypoint(target=p, opening=1.0, seconds=0.3, speed=PUSH_SPEED),
            Waypoint(target=p, opening=0.0, seconds=0.5),
            Waypoint(target=above(p), opening=0.0, seconds=0.5),
        ],
        hair,
    )


def near_miss(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Astride a stone on the table, then aside by N(0, 10 mm), N(0, 10 mm), N(0, 3 mm)."""
    return grasp(rng.normal(size=3) * NOISE, [on(TABLE, rng)], rng, hair, astride=True)


def from_above(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """As a near miss, but straight down where the offset is: a finger may land on the stone."""
    return grasp(rng.normal(size=3) * NOISE, [on(TABLE, rng)], rng, hair)


def rim(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Around a chord: the stone's middle is 2 to 10 mm beyond the pads' ends along x."""
    offset = np.array([rng.choice([-1.0, 1.0]) * (PAD + rng.uniform(0.002, 0.010)), 0.0, 0.0])
    return grasp(offset, [on(TABLE, rng)], rng, hair)


def edge(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """So high that the pads' lower edges meet the rim's upper one: 3 to 6 mm above the nominal grasp."""
    offset = np.array([*rng.normal(scale=0.004, size=2), rng.uniform(0.003, 0.006)])
    return grasp(offset, [on(TABLE, rng)], rng, hair)


def neighbour(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """With another stone 24 to 40 mm aside, on which a finger may land."""
    stone = on(TABLE, rng)
    other = stone + rng.uniform(0.024, 0.040) * heading(rng)
    return grasp(rng.normal(size=3) * (0.004, 0.004, 0.001), [stone, other], rng, hair)


def two_stones(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Both of two stones that touch, one in front of each pad or nearly so."""
    stone, angle = on(TABLE, rng), rng.normal(scale=0.3)
    aside = (RADIUS + rng.uniform(0.0001, 0.0006)) * np.array([np.sin(angle), np.cos(angle), 0.0])
    points = [stone + aside, stone - aside]
    offset = rng.normal(size=3) * (0.002, 0.0, 0.001)
    return grasp(-aside + offset, points, rng, hair)


def throw(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """A stone on the table is grasped and let go of 15 to 40 mm up, on the way aside at full speed."""
    stone, run = on(TABLE, rng), np.sign(rng.uniform(-1, 1)) * np.array([1.0, 0.0, 0.0])
    p = stone + [0.0, 0.0, NOMINAL]
    up = p + [0.0, 0.0, rng.uniform(0.015, 0.040)]
    begin, middle, end = (up + way * run for way in (-0.06, rng.uniform(-0.01, 0.01), 0.06))
    return script(
        lying([stone], rng),
        [
            Waypoint(target=above(p), opening=1.0, seconds=0.2),
            Waypoint(target=p, opening=1.0, seconds=0.1, speed=0.34),
            Waypoint(target=p, opening=0.0, seconds=0.5),
            Waypoint(target=up, opening=0.0, seconds=0.1),
            Waypoint(target=begin, opening=0.0, seconds=0.2),
            Waypoint(target=middle, opening=0.0),
            Waypoint(target=end, opening=1.0, seconds=1.0),
        ],
        hair,
    )
