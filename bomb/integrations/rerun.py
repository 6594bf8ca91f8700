"""An episode for the Rerun viewer (https://rerun.io), as a ``.rrd`` file that it opens.

Everything of one simulator stands under its name, so that one file can hold several::

    mujoco/world/table, board, robot/<link>, stones/<colour>_<k>, target     shapes and their poses in W
    mujoco/world/tool, tool/path                                          the tool centre point and its way
    mujoco/world/<camera>                                                 pictures, if asked for
    mujoco/gripper_opening, distance_mm, action/<part>                    numbers over time
    mujoco/events                                                         instruction, moves, stages, verdict

Two timelines: ``sim_time`` (s since reset) and ``step`` (control periods, the final hold included).
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.integrations import rerun_scene as shapes
from bomb.pictures.filming import outcome
from bomb.rollouts.rollout import EpisodeResult
from bomb.statistics.formats import words
from core.environment import Environment
from core.episode.record import EpisodeRecord
from core.errors import missing_extra
from core.task import Move
from core.world.kinematics import Kinematics

ACTION_PARTS = ("x", "y", "z", "gripper")


class RerunFile:
    """A recording that is written while episodes are played; the file appears when it is whole.

    Args:
        path: of the ``.rrd`` file.
        cameras: whose pictures go into it; the environment must have them.

    Raises:
        BombError: if rerun-sdk is not installed, naming the extra that brings it.
    """

    def __init__(self, path: Path, cameras: Iterable[str] = ()):
        try:
            import rerun
        except ImportError as error:
            raise missing_extra("a file for the Rerun viewer", "rerun") from error
        self.path, self._cameras = Path(path), tuple(cameras)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._rr, self._recording = rerun, rerun.RecordingStream("bomb")
        # Not a timeline of the episode: when it was written.
        self._recording.set_log_time_enabled(False)
        self._recording.save(self._beside)
        self._episodes: list[_Episode] = []

    def episode(self, backend: str) -> "_Episode":
        """Begins the episode of a simulator: pass its ``watch`` to ``play`` or ``replay``."""
        self._episodes.append(_Episode(self._rr, self._recording, backend, self._cameras))
        return self._episodes[-1]

    def close(self) -> None:
        """Ends the recording and puts the file in its place."""
        self._recording.send_blueprint(_layout([made.root for made in self._episodes], self._cameras))
        self._recording.disconnect()
        self._beside.replace(self.path)

    def __enter__(self) -> "RerunFile":
        return self

    def __exit__(self, kind: type | None, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self._recording.disconnect()
            self._beside.unlink(missing_ok=True)


class _Episode:
    """Writes one episode under ``root``."""

    def __init__(self, rr: Any, recording: Any, root: str, cameras: tuple[str, ...]):
        self.root = root
        self._rr, self._rec, self._cameras = rr, recording, cameras
        self._step = -1
        self._stones: set[int] = set()
        self._move: Move | None = None
        self._stages: set[str] = set()

    def watch(self, env: Environment, info: dict[str, Any]) -> None:
        """Looks at the present state; called after the reset and after each action."""
        self._step += 1
        self._at(self._step, info["sim_time"])
        scene, state = env.episode.scene, env.scene_state
        if self._step == 0:
            shapes.log_scene(self._rr, self._log, scene)
            self._kinematics = Kinematics(scene.robot)
        shapes.log_robot(self._rr, self._log, self._kinematics, state.joint_positions)
        for k, pose in zip(state.stone_ids.tolist(), state.stone_poses, strict=True):
            name = f"world/stones/{scene.stones[k].color}_{k}"
            # A stone that joins later is not seen before: its shape comes with its first pose.
            shape = [] if k in self._stones else [shapes.stone(self._rr, scene.stones[k])]
            self._stones.add(k)
            self._log(name, *shape, shapes.transform(self._rr, pose[:3], pose[3:]))
        for camera in self._cameras:
            picture = env.render_camera(camera, ("rgb",)).colors
            if self._step == 0:
                spec = next(spec for spec in scene.cameras if spec.name == camera)
                shapes.log_camera(self._rr, self._log, spec, (picture.shape[0], picture.shape[1]))
            self._log(f"world/{camera}", self._rr.Image(picture).compress(jpeg_quality=90))
        if env.move is not self._move:
            self._move = env.move
            self._say(f"asked for: {env.move.instruction.text}")
            self._log("world/target", shapes.target(self._rr, scene, env.move.goal, env.tolerances.distance))
        for name, held in info["stage"].items():
            if held and "/" not in name and name not in self._stages:
                self._stages.add(name)
                self._say(f"stage: {words(name)}")

    def finish(self, env: Environment, result: EpisodeResult) -> None:
        """Adds what is known at the end: the series of the whole episode, and the verdict."""
        rr, record = self._rr, result.record
        # The final hold was not watched; the series has it.
        times = [
            rr.TimeColumn("step", sequence=np.arange(len(record.times))),
            rr.TimeColumn("sim_time", duration=record.times),
        ]
        p_WT = shapes.in_world(env.episode.scene.board.X_WB, record.tools)
        self._columns("world/tool", times, rr.Points3D.columns(positions=p_WT))
        self._columns("gripper_opening", times, rr.Scalars.columns(scalars=record.openings))
        distances = distances_mm(record)
        if distances is not None:
            self._columns("distance_mm", times, rr.Scalars.columns(scalars=distances))
        steps = [times[0], times[1]] if len(record.actions) == len(record.times) else [
            rr.TimeColumn("step", sequence=np.arange(len(record.actions))),
            rr.TimeColumn("sim_time", duration=record.times[: len(record.actions)]),
        ]  # fmt: skip
        for k, part in enumerate(ACTION_PARTS):
            self._columns(f"action/{part}", steps, rr.Scalars.columns(scalars=record.actions[:, k]))
        self._rec.log(
            f"{self.root}/world/tool/path",
            rr.LineStrips3D([p_WT], colors=[(0, 114, 178)], radii=[0.0008]),
            static=True,
        )
        dot = rr.Points3D.from_fields(colors=[(213, 94, 0)], radii=[0.004])
        self._log("world/tool", dot, static=True)
        self._at(len(record.times) - 1, float(record.times[-1]))
        shapes.log_robot(rr, self._log, self._kinematics, env.scene_state.joint_positions)
        for k, pose in zip(env.scene_state.stone_ids.tolist(), env.scene_state.stone_poses, strict=True):
            name = f"world/stones/{env.episode.scene.stones[k].color}_{k}"
            self._log(name, shapes.transform(rr, pose[:3], pose[3:]))
        self._say(f"verdict: {outcome(result)}", level="INFO" if result.info["success"] else "WARN")

    def _at(self, step: int, seconds: float) -> None:
        self._rec.set_time("step", sequence=step)
        self._rec.set_time("sim_time", duration=seconds)

    def _log(self, name: str, *what: object, static: bool = False) -> None:
        self._rec.log(f"{self.root}/{name}", *what, static=static)

    def _columns(self, name: str, times: list[Any], columns: object) -> None:
        self._rec.send_columns(f"{self.root}/{name}", times, columns)

    def _say(self, words: str, level: str = "INFO") -> None:
        self._log("events", self._rr.TextLog(words, level=level))


def distances_mm(record: EpisodeRecord) -> npt.NDArray[np.float64] | None:
    """How far the judged stone is from where it belongs, seen from above: float64[T], in mm.

    None where the goal is not a single intersection, or no stone was judged.
    """
    goal, stone = record.about["goal"], record.about["verdict"]["stone"]
    if goal["kind"] != "intersection" or stone is None or stone < 0 or len(record.about["segments"]) > 1:
        return None
    middle, pitch = (record.about["board_size"] - 1) / 2, record.about["pitch"]
    p_BG = np.array([(goal["column"] - middle) * pitch, (middle - goal["row"]) * pitch])
    off: npt.NDArray[np.float64] = record.measures["position"][:, stone, :2].astype(np.float64) - p_BG
    far: npt.NDArray[np.float64] = np.linalg.norm(off, axis=1)
    return 1e3 * far


def _layout(roots: list[str], cameras: tuple[str, ...]) -> Any:
    """Side by side: each simulator's world with its pictures; numbers and events below."""
    import rerun.blueprint as rrb

    def world(root: str) -> Any:
        views = [rrb.Spatial3DView(origin=f"{root}/world", name=root)]
        views += [
            rrb.Spatial2DView(origin=f"{root}/world/{name}", name=f"{root}: {name}") for name in cameras
        ]
        return rrb.Horizontal(*views) if len(views) > 1 else views[0]

    def plots(name: str, words: str) -> Any:
        return rrb.TimeSeriesView(origin="/", contents=[f"/{root}/{name}/**" for root in roots], name=words)

    return rrb.Blueprint(
        rrb.Vertical(
            rrb.Horizontal(*(world(root) for root in roots)),
            rrb.Horizontal(
                plots("distance_mm", "stone to goal (mm)"),
                plots("gripper_opening", "gripper opening (0 to 1)"),
                rrb.TextLogView(origin="/", contents=[f"/{root}/events" for root in roots], name="events"),
            ),
            row_shares=[3, 1],
        )
    )
