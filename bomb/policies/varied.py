"""The expert with variety: demonstrations that differ in more than where the stones are.

Everything is drawn once per move, from a stream of its own: heights, speeds, bowed paths, pauses, approaches
that are off and corrected, and misses on purpose, from which the expert recovers as from any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bomb.policies.expert import Expert
from bomb.policies.planned import Command
from bomb.policies.world import Vector, World
from core.control.actions import ActionSpec
from core.errors import Number, check_choice, plain_numbers
from core.seeding import stream
from core.task import Episode, Move

# What varies, and how far at level 1.
VARIETIES: dict[str, str] = {
    "height": "moves about up to 60 mm higher",
    "speed": "down to 0.45 of full speed",
    "curve": "long moves bow sideways by up to 40 mm and upwards by up to 25 mm",
    "pause": "waits for 0.2 to 0.8 s above the stone, lifted, above the goal; each with probability 1/2",
    "correction": "arrives 6 to 18 mm off above stone and goal, and corrects; each with probability 0.6",
    "miss": "closes the gripper beside the stone or above it, with probability 0.3, and tries again",
}
STRAIGHT: dict[str, Any] = {  # what is drawn of a variety that is off: the plain expert
    "height": 0.0,
    "speed": 1.0,
    "curve": [0.0, 0.0],
    "pause": {},
    "correction": {},
    "miss": [0.0, 0.0, 0.0],
}
STAGES = ("above_stone", "lifted", "above_goal")
LONG = 0.06  # m; shorter moves are straight
SLOWEST = 0.12  # share of full speed that no variety goes below

# Misses that touch nothing: beside, along R's x, the pads (20 mm wide) pass the stone's rim (11 mm) and stay
# clear of a neighbour 60 mm away; above, their lower edge, 9.5 mm below the tool, passes over the stone.
BESIDE = (0.024, 0.028)
ABOVE = (0.010, 0.014)


class VariedExpert(Expert):
    """The scripted expert, each time a little different.

    Args:
        level: how much it varies, 0 (exactly the expert) to 1; or levels by variety, those left out being 0.
        varieties: what varies, out of ``VARIETIES``; all by default.

    Attributes:
        variety: what was drawn in this episode: the level and, per move, plain values by variety.
    """

    def __init__(
        self,
        level: float | Mapping[str, float] = 0.5,
        varieties: str | Sequence[str] = tuple(VARIETIES),
    ):
        varieties = (varieties,) if isinstance(varieties, str) else tuple(varieties)
        if isinstance(level, Mapping):
            level = {name: plain_numbers(value) for name, value in level.items()}
        else:
            level = plain_numbers(level)
        levels = level if isinstance(level, Mapping) else dict.fromkeys(varieties, level)
        for name in (*varieties, *levels):
            check_choice("variety", name, VARIETIES)
        for value in (*levels.values(), *([] if isinstance(level, Mapping) else [level])):
            Number(whole=False, least=0, most=1).check("level of variety", value)
        self._levels = {name: float(levels.get(name, 0.0)) for name in VARIETIES}
        self._level: float | dict[str, float] = (
            {name: float(value) for name, value in level.items()}
            if isinstance(level, Mapping)
            else float(level)
        )
        self._varieties = varieties
        self._drawn: dict[str, Any] = STRAIGHT  # of the present move
        self.variety: dict[str, Any] = {}

    def describe(self) -> dict[str, Any]:
        return {"level": self._level, "varieties": list(self._varieties)}

    def reset(
        self,
        instruction: str,
        seed: int,
        *,
        episode: Episode | None = None,
        action_spec: ActionSpec | None = None,
    ) -> None:
        super().reset(instruction, seed, episode=episode, action_spec=action_spec)
        self.variety = {"level": self._level, "moves": []}
        self._draw_move()

    def proceed(self, instruction: str, *, move: Move | None = None) -> None:
        super().proceed(instruction, move=move)
        self._draw_move()

    # ---- manner -----------------------------------------------------------------------------

    def _look(self, world: World) -> World:
        world.travel += self._drawn["height"]
        return world

    def _pace(self, speed: float) -> float:
        return max(speed * float(self._drawn["speed"]), min(speed, SLOWEST))

    def _aim(self, stage: str, target: Vector) -> Vector:
        if stage == "grasp":
            offset: list[float] = self._drawn["miss"]
            self._drawn = {**self._drawn, "miss": [0.0, 0.0, 0.0]}  # once: the next attempt is meant
            return target + offset
        off: list[float] = self._drawn["correction"].get(stage, [0.0, 0.0, 0.0])
        return target + off

    def _pause(self, stage: str, opening: float) -> Iterator[Command]:
        yield from self._wait(self._commanded.copy(), opening, seconds=self._drawn["pause"].get(stage, 0.0))

    def _path(self, target: Vector) -> Iterator[Vector]:
        start = self._commanded.copy()
        across = target - start
        length = float(np.hypot(*across[:2]))
        sideways, upwards = self._drawn["curve"]
        high = min(start[2], target[2]) > self._world.travel - 1e-3
        if length > LONG and high and (sideways or upwards):
            # A parabola over the straight line, as high as drawn in the middle, less on shorter moves.
            share = min(1.0, length / 0.2)
            normal = np.array([-across[1], across[0], 0.0]) / length
            bow = share * (sideways * normal + [0.0, 0.0, upwards])
            stride = self._pace(1.0) * self._spec.max_step
            count = int(np.ceil((length + 2 * np.linalg.norm(bow)) / stride))
            for k in range(1, count):
                s = k / count
                yield start + s * across + 4 * s * (1 - s) * bow
        yield from super()._path(target)

    # ---- what is drawn ------------------------------------------------------------------------

    def _draw_move(self) -> None:
        """Draws the variety of the next move; everything is drawn, whatever is on, so that seeds compare."""
        split, seed = self._episode.split, self._episode.seed
        rng, level = stream(split, seed, f"diversity:{len(self.variety['moves'])}"), self._levels
        bow = level["curve"]
        drawn: dict[str, Any] = {
            "height": 0.06 * level["height"] * float(rng.random()),
            "speed": 1.0 - 0.55 * level["speed"] * float(rng.random()),
            "curve": [0.04 * bow * float(rng.uniform(-1, 1)), 0.025 * bow * float(rng.random())],
            "pause": {
                stage: round(float(seconds), 3)
                for stage, chance, seconds in zip(
                    STAGES, rng.random(3), rng.uniform(0.2, 0.8, 3), strict=True
                )
                if chance < 0.5 * level["pause"]
            },
            "correction": {
                stage: [float(far * np.cos(angle)), float(far * np.sin(angle)), 0.0]
                for stage, chance, far, angle in zip(
                    ("above_stone", "above_goal"),
                    rng.random(2),
                    rng.uniform(0.006, 0.018, 2),
                    rng.uniform(0, 2 * np.pi, 2),
                    strict=True,
                )
                if chance < 0.6 * level["correction"]
            },
            "miss": self._miss(rng, level["miss"]),
        }
        self._drawn = {name: drawn[name] if name in self._varieties else STRAIGHT[name] for name in VARIETIES}
        self.variety["moves"].append(self._drawn)

    def _miss(self, rng: np.random.Generator, level: float) -> list[float]:
        """By how much the first grasp goes astray (m, in R)."""
        missed, beside = rng.random() < 0.3 * level, rng.random() < 0.5
        side, over = float(rng.choice([-1.0, 1.0]) * rng.uniform(*BESIDE)), float(rng.uniform(*ABOVE))
        if not missed:
            return [0.0, 0.0, 0.0]
        return [side, 0.0, 0.0] if beside else [0.0, 0.0, over]
