"""The same commands in one engine after the other: no checker, no judge, no pictures in between."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bomb.parity.play import ACTION
from core.backend import Backend
from core.control.controller import Controller
from core.registry import BACKENDS
from core.world.scene import SceneSpec
from core.world.stage import clean_scene
from core.world.state import ARM_JOINTS, SceneState


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """How an episode begins, and what is commanded from there on.

    Attributes:
        state: of the world.
        actions: float32[N, 4], one per control period.
    """

    state: SceneState
    actions: npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """What happened, at the start and after every control period.

    Attributes:
        stones: float64[N + 1, S, 7], X_WS of the stones in play as p (m) and q (wxyz).
        tool: float64[N + 1, 3], the measured tool centre point in R (m).
    """

    stones: npt.NDArray[np.float64]
    tool: npt.NDArray[np.float64]


@lru_cache(maxsize=1)
def scene() -> SceneSpec:
    """The clean stage without cameras."""
    return clean_scene()


def course(backend: str, start: Start) -> Course:
    """Plays ``start.actions`` in an engine."""
    return played(_world(backend), scene(), start)


def played(world: Backend, stage: SceneSpec, start: Start) -> Course:
    """Plays ``start.actions`` in a world that was built for ``stage``."""
    state = start.state
    controller = Controller(ACTION, stage)
    controller.reset(state.joint_positions[:ARM_JOINTS].astype(np.float64))
    world.reset(stage, state)
    states = [state]
    for action in start.actions:
        world.step(controller.advance(action))
        states.append(world.read_state())
    joints = [state.joint_positions[:ARM_JOINTS].astype(np.float64) for state in states]
    tool = [controller.tool_in_base(controller.kinematics.tool_pose(q)[0]) for q in joints]
    return Course(
        stones=np.array([state.stone_poses for state in states], dtype=np.float64), tool=np.array(tool)
    )


@lru_cache(maxsize=4)
def _world(backend: str) -> Backend:
    """One world per engine, kept for the life of the process."""
    return new_world(backend, scene())


def new_world(backend: str, stage: SceneSpec) -> Backend:
    """A world of an engine without cameras."""
    world: Backend = BACKENDS.load(backend)()
    world.build(stage, image_size=(64, 64), supersample=1)
    return world
