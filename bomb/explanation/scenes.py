"""The same state drawn again without a thing: interventions in the scene, not on pixels.

Where a thing was, the simulator draws what is behind it, and takes its shadow away with it: no grey box that
no policy has ever seen. Stones are left out of the state that the engine is given, lines get the colour of
the wood, and for the robot there is a second world in which it stands far below the floor.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.explanation.regions import REGIONS
from core.board.boards import Board
from core.board.goals import Goal
from core.environment import Environment
from core.make import make_environment
from core.registry import TASKS
from core.settings import EnvironmentSettings
from core.task import Episode, Instruction, Move, Task, Wording
from core.world.scene import SceneSpec, SegmentationId
from core.world.state import SceneState

DEEP = 8.0  # m that the robot stands lower in the world without one: below the floor, and out of every light
SCENES = ("stone", "lines", "gripper", "robot")

CameraPictures = Mapping[str, npt.NDArray[np.uint8]]
Mask = npt.NDArray[np.bool_]


class WithoutRobot(Task):
    """A task on a stage whose robot is out of sight."""

    def __init__(self, task: Task):
        self._task = task
        for declared in ("name", "max_steps", "word_sets", "layout_knobs", "capabilities"):
            setattr(self, declared, getattr(task, declared))  # of this instance; of others the class says it

    def stage(self, scene: SceneSpec) -> SceneSpec:
        staged = self._task.stage(scene)
        pose = staged.robot.X_WR
        sunk = pose._replace(p=(pose.p[0], pose.p[1], pose.p[2] - DEEP))
        return replace(staged, robot=replace(staged.robot, X_WR=sunk))

    def make_episode(self, scene: SceneSpec, *, split: str, seed: int) -> Episode:
        return self._task.make_episode(scene, split=split, seed=seed)

    def reword(self, episode: Episode, move: Move, wording: Wording) -> Instruction:
        return self._task.reword(episode, move, wording)

    def next_move(self, episode: Episode, boards: tuple[Board, ...]) -> Move | None:
        return self._task.next_move(episode, boards)

    def is_legal(self, episode: Episode, boards: tuple[Board, ...], board: Board) -> bool | None:
        return self._task.is_legal(episode, boards, board)

    def read(self, text: str, board: Board) -> tuple[Goal, ...]:
        return self._task.read(text, board)


class SceneEditor:
    """Draws states of an episode with and without things.

    Args:
        settings: of the environment, with ``segmentation`` among its modalities.
    """

    def __init__(self, settings: EnvironmentSettings):
        self.env = make_environment(settings)
        self._settings = settings
        self._bare: Environment | None = None
        self._seed = 0

    def begin(self, seed: int) -> None:
        """Begins the episode of a seed."""
        self._seed = seed
        self.env.begin(seed=seed)
        if self._bare is not None:
            self._bare.begin(seed=seed)

    def observe(self, state: SceneState, period: int) -> dict[str, Any]:
        """What is seen of a state, as it was."""
        self.env.show(state, period=period)
        return self.env.observe()

    def without(
        self,
        what: str,
        state: SceneState,
        period: int,
        *,
        seen: Mapping[str, CameraPictures],
        stone: int | None = None,
    ) -> CameraPictures:
        """The pictures of the state without a thing, uint8[H, W, 3] by camera; the engine is as before.

        Args:
            what: one of ``SCENES``. ``gripper``: its pixels are taken from the world without a robot, so that
                arm and shadows stay; ``robot``: all of it is gone, shadows too.
            state: as it stood.
            period: control periods since reset.
            seen: of ``observe``, what is seen of the state as it was.
            stone: index in the pool of the stone that is left out.
        """
        self.env.show(state, period=period)
        backend, scene = self.env.debug.backend, self.env.episode.scene
        if what == "stone":
            backend.write_state(_less(state, stone))
        elif what == "lines":
            board = replace(scene.board, line_color=scene.board.wood_color, labels=False)
            backend.reset(replace(scene, board=board), state)
        else:
            bare = self._without_robot(state, period)
            if what == "robot":
                return bare
            hidden = {c: seen["segmentation"][c] == SegmentationId.GRIPPER for c in bare}
            return {c: np.where(hidden[c][..., None], bare[c], seen["images"][c]) for c in bare}
        pictures = _drawn(self.env)
        backend.reset(scene, state)
        return pictures

    def close(self) -> None:
        """Frees the engines."""
        self.env.close()
        if self._bare is not None:
            self._bare.close()

    def _without_robot(self, state: SceneState, period: int) -> CameraPictures:
        if self._bare is None:
            task = self._settings.task
            inner = task if isinstance(task, Task) else TASKS.load(task)()
            self._bare = make_environment(
                replace(self._settings, task=WithoutRobot(inner), modalities=("rgb",))
            )
            self._bare.begin(seed=self._seed)
        self._bare.show(state, period=period)
        cameras = {spec.name: spec for spec in self.env.episode.scene.cameras}
        return {
            name: picture for name, picture in _drawn(self._bare).items() if cameras[name].parent == "world"
        }


def pixel_twin(
    what: str, regions: npt.NDArray[np.uint8], seen: npt.NDArray[np.uint8], without: npt.NDArray[np.uint8]
) -> Mask:
    """bool[H, W]: the pixels that a pixel mask of the same thing would hide.

    Of stone, gripper and robot those that show it; of lines those that are drawn otherwise without them.
    """
    if what == "lines":
        changed: Mask = np.abs(seen.astype(int) - without.astype(int)).max(-1) > CHANGED
        return changed
    names = {"stone": ("stone",), "gripper": ("gripper",), "robot": ("gripper", "arm")}[what]
    return np.isin(regions, [REGIONS.index(name) for name in names])


CHANGED = 8  # grey levels: more than a camera's noise, less than any line


def _drawn(env: Environment) -> dict[str, npt.NDArray[np.uint8]]:
    """The colours alone, from every camera."""
    return {camera: env.render_camera(camera, ("rgb",)).colors for camera in env.settings.cameras}


def _less(state: SceneState, stone: int | None) -> SceneState:
    kept = state.stone_ids != (-1 if stone is None else stone)
    return replace(
        state,
        stone_ids=state.stone_ids[kept],
        stone_poses=state.stone_poses[kept],
        stone_velocities=state.stone_velocities[kept],
    )
