"""A policy that plays a plan: commands one after the other, each a place to go to and an opening."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.policies.world import Vector
from core.control.actions import ActionSpec
from core.policy import Policy
from core.task import Episode, Goal, Move
from core.world.state import SceneState

TOUCHING = 1e-4  # the commanded target counts as reached within this (m)


@dataclass(frozen=True, kw_only=True)
class Command:
    """Where the tool goes next (float64[3], m, in R), with which opening, at which share of full speed."""

    target: Vector
    opening: float
    speed: float = 1.0


class Planned(Policy):
    """What scripted policies have in common: where the tool is and was sent to, and how to get elsewhere.

    A subclass calls ``_begin`` in its ``reset``, and in ``act`` ``_see``, then ``_perform`` with a command.
    """

    _spec: ActionSpec
    _commanded: Vector  # where the tool was sent to last
    _tool: Vector  # where it is measured to be
    _sent: bool  # whether it was sent anywhere yet: until then it is where it was found
    _late: int  # actions by which what is commanded arrives late, as far as the policy knows: waited for

    def _begin(self, spec: ActionSpec, *, late: int = 0) -> None:
        self._spec, self._sent, self._late = spec, False, late

    def _see(self, observation: dict[str, Any]) -> None:
        self._tool = np.asarray(observation["state"][:3], dtype=np.float64)
        if not self._sent:
            self._commanded, self._sent = self._tool.copy(), True

    def _perform(self, command: Command) -> npt.NDArray[np.float32]:
        """One action, float32[1, 4]."""
        target = command.target
        speed = self._pace(command.speed)
        if speed < 1.0:
            step = target - self._commanded
            limit = speed * self._spec.max_step
            target = self._commanded + step * min(1.0, limit / max(abs(step).max(), 1e-12))
        action = self._spec.towards(self._commanded, target, command.opening)
        self._commanded = np.array(self._spec.advance(self._commanded, action), dtype=np.float64)
        return action[None]

    def _go(self, target: Vector, opening: float, speed: float = 1.0) -> Iterator[Command]:
        for point in self._path(target):
            yield Command(target=point, opening=opening, speed=speed)

    def _wait(self, target: Vector, opening: float, *, seconds: float) -> Iterator[Command]:
        for _ in range(round(seconds * self._spec.control_hz) + self._late):
            yield Command(target=target, opening=opening)

    def _far(self, target: Vector) -> bool:
        reachable = np.array(self._spec.clip(target), dtype=np.float64)
        return float(abs(reachable - self._commanded).max()) > TOUCHING

    def _pace(self, speed: float) -> float:
        """The share of full speed that a command which asks for ``speed`` is carried out at."""
        return speed

    def _path(self, target: Vector) -> Iterator[Vector]:
        """What to head for, one point per action, until the commanded target is at ``target``."""
        while self._far(target):
            yield target


class Knowing(Planned):
    """A planned policy that is told the truth: it looks at each move as it begins, then plays a plan.

    A subclass says what it makes of a move in ``_look_at`` and what it does in ``_play``.
    """

    privileged = True

    _episode: Episode
    _goal: Goal  # of the present move
    _state: SceneState  # as it is now
    _looked: bool  # whether the move was looked at yet
    _plan: Iterator[Command]

    def reset(
        self,
        instruction: str,
        seed: int,
        *,
        episode: Episode | None = None,
        action_spec: ActionSpec | None = None,
    ) -> None:
        """Begins an episode; it needs the episode and what actions mean, not the words."""
        if episode is None or action_spec is None:
            raise TypeError(f"{type(self).__name__} is privileged: reset it with episode= and action_spec=")
        self._episode, self._goal, self._looked = episode, episode.goal, False
        self._begin(action_spec, late=lateness(episode))

    def proceed(self, instruction: str, *, move: Move | None = None) -> None:
        """Continues with ``move``, from wherever the arm is."""
        if move is None:
            raise TypeError(f"{type(self).__name__} is privileged: let it proceed with move=")
        self._goal, self._looked = move.goal, False

    def act(self, observation: dict[str, Any], truth: SceneState | None = None) -> npt.NDArray[np.float32]:
        """One action, float32[1, 4]."""
        if truth is None:
            raise TypeError(f"{type(self).__name__} is privileged: call act(observation, truth=SceneState)")
        self._state = truth
        if not self._looked:
            self._look_at(truth)
            self._plan, self._looked = self._play(), True
        self._see(observation)
        return self._perform(next(self._plan))

    @abstractmethod
    def _look_at(self, truth: SceneState) -> None:
        """Takes in the world as it stands when the move begins."""

    @abstractmethod
    def _play(self) -> Iterator[Command]:
        """What is done in a move, without end."""


def lateness(episode: Episode) -> int:
    """Steps by which actions arrive late in an episode."""
    return int(episode.perturbation.get("action_latency", {}).get("steps", 0))
