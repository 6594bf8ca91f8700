"""What a closed hand does to stones: it presses, pushes, drags, topples, and plays at random."""

from functools import partial

import numpy as np
import numpy.typing as npt

from bomb.parity.contact.bench import (
    BOARD,
    HALF_HEIGHT,
    NOMINAL,
    PAD_EDGE,
    TABLE,
    above,
    heading,
    lying,
    on,
    script,
)
from bomb.parity.contact.courses import Start
from bomb.parity.play import Waypoint

PILE = (3, 5)  # stones


def press(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Down on a stone on the board, 1.5 to 8.5 mm below its top, and up again."""
    stone = on(BOARD, rng)
    p = stone + [*rng.normal(scale=0.004, size=2), NOMINAL]
    down = p + [0.0, 0.0, rng.uniform(-0.002, 0.005)]
    return script(
        lying([stone], rng),
        [
            Waypoint(target=above(p), opening=0.0, seconds=0.4),
            Waypoint(target=down, opening=0.0, seconds=0.3, speed=0.3),
            Waypoint(target=above(p), opening=0.0, seconds=0.3),
        ],
        hair,
    )


def push(surface: float, rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Through a stone's place, from 60 mm before it to as much as 40 mm beyond, at up to full speed."""
    stone = on(surface, rng)
    run, length, speed = heading(rng), rng.uniform(0.05, 0.10), rng.uniform(0.25, 1.0)
    begin = stone - 0.06 * run + [0.0, 0.0, NOMINAL]
    return script(
        lying([stone], rng),
        [
            Waypoint(target=above(begin), opening=0.0, seconds=0.3),
            Waypoint(target=begin, opening=0.0, seconds=0.3, speed=0.5),
            Waypoint(target=begin + length * run, opening=0.0, seconds=0.5, speed=speed),
        ],
        hair,
    )


def drag(deep: float, rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Over the board, commanded ``deep`` (m) into it; no stone is near."""
    run = heading(rng)
    begin = np.array([0.5, 0.0, BOARD + PAD_EDGE - deep]) + [*rng.uniform(-0.03, 0.03, size=2), 0.0]
    return script(
        lying([on(TABLE, rng)], rng),
        [
            Waypoint(target=above(begin), opening=0.0, seconds=0.4),
            Waypoint(target=begin, opening=0.0, seconds=0.3, speed=0.3),
            Waypoint(target=begin + rng.uniform(0.04, 0.09) * run, opening=0.0, seconds=0.2, speed=0.4),
            Waypoint(target=begin, opening=0.0, seconds=0.2, speed=0.4),
        ],
        hair,
    )


def topple(rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Through a pile of three to five stones on the board, at a random height."""
    foot, count = on(BOARD, rng), int(rng.integers(PILE[0], PILE[1] + 1))
    pile = [foot + [*rng.normal(scale=0.001, size=2), 2 * HALF_HEIGHT * k] for k in range(count)]
    run, height = heading(rng), rng.uniform(0.5, count - 0.5) * 2 * HALF_HEIGHT
    begin = foot - 0.06 * run + [0.0, 0.0, max(height, NOMINAL)]
    return script(
        lying(pile, rng),
        [
            Waypoint(target=above(begin), opening=0.0, seconds=0.3),
            Waypoint(target=begin, opening=0.0, seconds=0.3, speed=0.5),
            Waypoint(
                target=begin + rng.uniform(0.06, 0.10) * run,
                opening=0.0,
                seconds=0.5,
                speed=rng.uniform(0.25, 1.0),
            ),
        ],
        hair,
    )


def play_at_random(surface: float, rng: np.random.Generator, hair: npt.NDArray[np.float64]) -> Start:
    """Twelve random places about four stones, from pressed on the surface to 40 mm above it, opening at
    random.
    """
    middle = on(surface, rng)
    turn = rng.uniform(0, np.pi / 2) + np.arange(4) * np.pi / 2
    ring = [middle + 0.026 * np.array([np.cos(a), np.sin(a), 0.0]) for a in turn]
    targets = middle + rng.uniform((-0.05, -0.05, 0.004), (0.05, 0.05, 0.044), size=(12, 3))
    ways = [
        Waypoint(target=target, opening=float(rng.integers(2)), speed=rng.uniform(0.3, 1.0))
        for target in targets
    ]
    return script(lying(ring, rng), [*ways, Waypoint(target=above(middle), opening=1.0, seconds=0.5)], hair)


push_on_table, push_on_board = partial(push, TABLE), partial(push, BOARD)
drag_lightly = partial(drag, 0.003)
drag_hard = partial(drag, BOARD + PAD_EDGE + 0.005)  # to the floor of the workspace
random_on_table, random_on_board = partial(play_at_random, TABLE), partial(play_at_random, BOARD)

__all__ = [
    "drag_hard",
    "drag_lightly",
    "press",
    "push_on_board",
    "push_on_table",
    "random_on_board",
    "random_on_table",
    "topple",
]
