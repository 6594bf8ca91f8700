"""An expert that fails in many ways, for the benchmarks of reasons."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bomb.policies.expert import Expert
from bomb.policies.planned import Command
from bomb.policies.world import Transfer
from core.world.state import SceneState

STREAM = 0x636C756D  # "clum"
OPEN_STEPS = 8  # control steps for which a hand that opened by mistake stays open


class Clumsy(Expert):
    """Mistakes the colour or the place, grasps and places off the mark, opens its hand, or stops.

    What goes wrong is drawn from the policy's seed, once an episode.
    """

    def reset(self, instruction: str, seed: int, **truth: object) -> None:
        super().reset(instruction, seed, **truth)  # type: ignore[arg-type]
        rng = np.random.default_rng([STREAM, seed])
        goal, (color, place, opens, stops) = self._goal, rng.random(4)
        if color < 0.15:
            goal = replace(goal, color="white" if goal.color == "black" else "black")
        if place < 0.15:
            goal = replace(goal, column=goal.column - 1 if goal.column else 1)
        self._goal = goal
        self._grasp_off, self._place_off = rng.normal(scale=0.008, size=(2, 3))
        self._grasp_off[2] = abs(self._grasp_off[2]) / 2
        self._place_off[2] = max(0.0, self._place_off[2])  # let go of from above
        self._opens = int(rng.integers(25, 100)) if opens < 0.4 else 10**6
        self._stops = int(rng.integers(30, 120)) if stops < 0.3 else 10**6
        self._step = -1

    def act(self, observation: dict, truth: SceneState | None = None) -> np.ndarray:
        action = super().act(observation, truth)
        self._step += 1
        if self._step >= self._stops:
            action = self._last.copy()
            action[:, :3] = 0.0  # of mode "delta": it stays where it is
        if 0 <= self._step - self._opens < OPEN_STEPS:
            action[:, 3] = 1.0
        self._last = action
        return action

    def _attempt(self, transfer: Transfer) -> Iterator[Command]:
        return super()._attempt(replace(transfer, place=transfer.place + self._place_off))

    def _aim(self, stage: str, target: np.ndarray) -> np.ndarray:
        return super()._aim(stage, target) + (self._grasp_off if stage == "grasp" else 0.0)
