"""The moments at which a policy is asked why: approach, grasp, lift, above the target, release."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.rollouts.chunks import ChunkExecution
from bomb.rollouts.rollout import play
from core.environment import Environment
from core.policy import Policy
from core.world.state import SceneState

STAGES = ("approach", "grasp", "lift", "above target", "release")
CLOSED = 0.05  # a commanded opening below this asks for a closed gripper
RISEN = 0.002  # m above where the stone lay: it is lifted
HIGH = 0.9  # share of the greatest height at which the stone is carried


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """How an episode went, as far as its first move.

    Attributes:
        states: the world after k actions, k from 0.
        actions: float32[T, 4], as executed.
        stages: step at which each stage is looked at; those that did not come about are left out.
        stone: of the pool, the one that was lifted; None: none was.
        success: of the whole episode.
        reason: of a failure, empty otherwise.
    """

    states: Sequence[SceneState]
    actions: npt.NDArray[np.float32]
    stages: dict[str, int]
    stone: int | None
    success: bool
    reason: str


def course_of(env: Environment, policy: Policy, seed: int, chunks: str = "full") -> Course:
    """Plays the episode of a seed and finds its moments.

    Args:
        env: an open environment; it looks only if the policy does.
        policy: who plays.
        seed: of the episode.
        chunks: how chunks are executed, as words.
    """
    states: list[SceneState] = []
    first: list[object] = []

    def watch(env: Environment, info: dict[str, Any]) -> None:
        first[:] = first or [env.move]
        if env.move is first[0]:
            states.append(env.scene_state)

    result = play(env, policy, seed, watch, chunks=ChunkExecution.parse(chunks))
    actions = result.record.actions[: len(states) - 1]
    stages, stone = stages_of(states, actions)
    info = result.info
    return Course(
        states=states,
        actions=actions,
        stages=stages,
        stone=stone,
        success=bool(info["success"]),
        reason="" if info["success"] else str(info["placement"].get("reason", "")),
    )


def stages_of(states: Sequence[SceneState], actions: np.ndarray) -> tuple[dict[str, int], int | None]:
    """Steps of the stages, and the stone that rose most.

    *Approach* is half of the way to where the gripper closes; *grasp* the moment before it closes; *lift* the
    first at which the stone is 2 mm up; *above target* the last at which it is carried at its height;
    *release* the one before the gripper opens. Without a lift there is approach, and grasp where it closed.
    """
    ids = states[0].stone_ids
    heights = np.array([_heights(state, ids) for state in states])
    risen = heights - heights[:1]
    best = int(risen.max(0).argmax()) if len(ids) else 0
    closed = actions[:, 3] < CLOSED
    if not len(ids) or risen[:, best].max() <= RISEN:
        begins = np.flatnonzero(closed[1:] & ~closed[:-1]) + 1
        found = {"approach": int(begins[0] if len(begins) else len(actions)) // 2}
        return ({**found, "grasp": int(begins[0])} if len(begins) else found), None
    up = risen[:, best]
    lifted = int(np.flatnonzero(up > RISEN)[0])
    grasp = min(lifted, len(closed))
    while grasp > 0 and closed[grasp - 1]:
        grasp -= 1
    carried = np.flatnonzero(up >= HIGH * up.max())
    above = int(carried[-1])
    opened = np.flatnonzero(~closed[above:])
    stages = {"approach": grasp // 2, "grasp": grasp, "lift": lifted, "above target": above}
    if len(opened):
        stages["release"] = above + int(opened[0])
    return stages, int(ids[best])


def _heights(state: SceneState, ids: np.ndarray) -> np.ndarray:
    places = {int(k): float(z) for k, z in zip(state.stone_ids, state.stone_poses[:, 2], strict=True)}
    return np.array([places[int(k)] for k in ids])
