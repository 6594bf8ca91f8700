"""Playing an episode and keeping all of it."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration
from bomb.rollouts.rollout import play
from core.environment import Environment
from core.policy import Policy
from core.task import Move
from core.world.state import SceneState


class Recorder:
    """Watches an episode, see ``bomb.rollouts.rollout.play``; afterwards it makes a ``Demonstration`` of it.

    Attributes:
        moves: what was asked for so far, one entry per move.
    """

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self._worlds: list[SceneState] = []
        self._observations: list[npt.NDArray[np.float32]] = []
        self._periods: list[int] = []
        self._asked: list[int] = []  # per row, index into moves

    def __call__(self, env: Environment, info: dict[str, Any]) -> None:
        if not self.moves or env.move is not self.moves[-1]:
            self.moves.append(env.move)
        self._worlds.append(env.scene_state)
        self._observations.append(env.observe()["state"])
        self._periods.append(round(info["sim_time"] * env.action_spec.control_hz))
        self._asked.append(len(self.moves) - 1)

    def demonstration(
        self, about: dict[str, Any], actions: npt.NDArray[np.float32], diversity: dict[str, Any] | None
    ) -> Demonstration:
        """What was watched.

        Args:
            about: of the episode's record.
            actions: float32[T, 4], as executed.
            diversity: what the expert varied.
        """
        spans = [
            {name: {"start": span.start, "end": span.end} for name, span in move.instruction.spans.items()}
            for move in self.moves
        ]
        last = self._worlds[-1].stone_ids
        stones = np.zeros((len(self._worlds), len(last), 13), dtype=np.float32)
        first_rows = np.zeros(len(last), dtype=np.int32)
        for row, world in enumerate(self._worlds):
            present = np.isin(last, world.stone_ids)
            first_rows[~present] = row + 1
            stones[row, present, :7] = world.stone_poses
            stones[row, present, 7:] = world.stone_velocities
        made = Demonstration(
            # Through JSON and back: what is kept is what will be read.
            about=json.loads(json.dumps({**about, "spans": spans, "diversity": diversity})),
            observations=np.array(self._observations, dtype=np.float32),
            actions=actions,
            periods=np.array(self._periods, dtype=np.int32),
            instructions=[move.instruction.text for move in self.moves],
            instruction_index=np.array(self._asked[:-1], dtype=np.int16),
            joints=np.array(
                [np.concatenate([w.joint_positions, w.joint_velocities]) for w in self._worlds], np.float32
            ),
            stone_ids=last.astype(np.int16),
            first_rows=first_rows,
            stones=stones,
        )
        return replace(made, about={**made.about, "fingerprint": made.fingerprint()})


class _Tail:
    """Says when so many actions have followed the first success."""

    def __init__(self, length: int):
        self._left = length

    def __call__(self, info: dict[str, Any]) -> bool:
        self._left -= bool(info["success_once"])
        return self._left < 0


def record_episode(
    env: Environment, policy: Policy, seed: int, recorder: Recorder | None = None, *, tail: int | None = None
) -> Demonstration:
    """Plays the episode of ``seed`` to its end, successful or not; ``about["verdict"]`` says.

    Args:
        env: an open environment; without cameras nothing is drawn.
        policy: for example the expert. What it says in ``variety``, a dict, is kept as ``diversity``.
        seed: of the episode.
        recorder: what watches; a new one by default.
        tail: how many actions are kept after the first success; None: the environment says when it ends.
    """
    recorder = recorder or Recorder()
    until = None if tail is None else _Tail(tail)
    record = play(env, policy, seed, recorder, until=until).record
    return recorder.demonstration(record.about, record.actions, getattr(policy, "variety", None))
