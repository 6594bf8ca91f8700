"""An expert that fails in many ways, for the benchmarks of reasons."""

from dataclasses import replace

import numpy as np

from bomb.policies.expert import Expert
from core.control.actions import ActionSpec
from core.policy import Policy
from core.task import Episode
from core.world.state import SceneState

STREAM = 0x636C756D  # "clum"
OPEN_STEPS = 8  # control steps for which a hand that opened by mistake stays open
NEVER = 10**6  # steps
SEES = 0.005  # m, standard deviation of how far it sees all stones from where they are


class Clumsy(Policy):
    """The expert, which mistakes the colour or the place, sees badly, opens its hand, or stops.

    What goes wrong is drawn from the policy's seed, once an episode. Goals are on intersections, actions of
    mode "delta".
    """

    privileged = True

    def __init__(self) -> None:
        self._inside = Expert()

    def reset(self, instruction: str, seed: int, *, episode: Episode, action_spec: ActionSpec) -> None:
        """Begins an episode, and draws what goes wrong in it."""
        rng = np.random.default_rng([STREAM, seed])
        color, place, opens, stops = rng.random(4)
        first = episode.moves[0]
        goal = first.goal
        if color < 0.15:
            goal = replace(goal, color="white" if goal.color == "black" else "black")
        if place < 0.15:
            goal = replace(goal, column=goal.column - 1 if goal.column else 1)
        self._off = np.array([*rng.normal(scale=SEES, size=2), 0.0])
        self._opens = int(rng.integers(25, 100)) if opens < 0.5 else NEVER
        self._stops = int(rng.integers(30, 120)) if stops < 0.3 else NEVER
        self._step, self._opening = -1, 1.0
        moves = (replace(first, goal=goal), *episode.moves[1:])
        mistaken = replace(episode, moves=moves)
        self._inside.reset(instruction, seed, episode=mistaken, action_spec=action_spec)

    def act(self, observation: dict, truth: SceneState) -> np.ndarray:
        """One action, float32[1, 4]."""
        seen = truth.stone_poses.copy()
        seen[:, :3] += self._off
        action = self._inside.act(observation, replace(truth, stone_poses=seen))
        self._step += 1
        if self._step >= self._stops:
            action[:, :3], action[:, 3] = 0.0, self._opening  # it stays where it is
        if 0 <= self._step - self._opens < OPEN_STEPS:
            action[:, 3] = 1.0
        self._opening = action[0, 3]
        return action
