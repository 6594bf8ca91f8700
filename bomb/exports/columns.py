"""What can be written per frame beside state, action and pictures, for auxiliary objectives."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.labels import board_corners, in_base, stones_of_moves
from bomb.demonstrations.stages import stages_of
from bomb.exports.actions import commanded_targets
from bomb.exports.targets import occupancy, target_points
from core.environment import Environment
from core.judge.measuring import Measurer
from core.rendering.pinhole import Cameras
from core.task import Instruction
from core.world.kinematics import Kinematics
from core.world.scene import SceneSpec, SegmentationId
from core.world.stage import MOST_STONES
from core.world.state import SceneState

STONES = MOST_STONES  # a column has room for the largest pool
DEPTH_UNIT = 0.001  # m per unit of a stored depth picture
PER_CAMERA = ("target_pixel", "stone_pixels", "visible", "intrinsics", "extrinsics", "depth")
NONE = np.zeros(0, dtype=np.int64)
UNSEEN = (-1.0, -1.0, 0.0)  # u, v, in view
# What is shown where nothing stands on a target.
GROUND = frozenset({SegmentationId.BOARD, SegmentationId.TABLE, SegmentationId.MARK})


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of every frame.

    Attributes:
        dtype: ``float32``, ``int64``, ``string``, or ``depth`` (uint16 picture, millimetres).
        shape: of one frame's value; (height, width, 1) of a depth picture, () of a string.
        names: what the entries are, in their order; None where the shape says it.
    """

    dtype: str
    shape: tuple[int, ...]
    names: list[str] | None = None


def features(
    columns: Sequence[str], cameras: Sequence[str], image_size: tuple[int, int], board_size: int = 5
) -> dict[str, Feature]:
    """The columns by their names in the dataset, in a fixed order.

    Args:
        columns: out of ``bomb.exports.settings.COLUMNS``.
        cameras: that look.
        image_size: (height, width) in pixels.
        board_size: lines on each side of the board.
    """
    seen, place = ["u", "v", "in_view"], ["x", "y", "z", "known"]
    cells = [f"row_{r}_column_{c}" for r in range(board_size) for c in range(board_size)]
    corners = [f"corner_{k}_{part}" for k in range(4) for part in "xyz"]
    one = Feature(dtype="int64", shape=(1,))
    plain = {
        "occupancy": Feature(dtype="int64", shape=(len(cells),), names=cells),
        "spans": Feature(dtype="string", shape=()),
        **dict.fromkeys(("stone", "stage", "step"), one),
        "target_position": Feature(dtype="float32", shape=(4,), names=place),
        "stone_positions": Feature(dtype="float32", shape=(4 * STONES,), names=_of_stones(place)),
        "board_corners": Feature(dtype="float32", shape=(12,), names=corners),
        "commanded_target": Feature(dtype="float32", shape=(3,), names=place[:3]),
    }
    made: dict[str, Feature] = {}
    for column in columns:
        if column in plain:
            made[column_name(column)] = plain[column]
        else:
            per_camera = {
                "target_pixel": Feature(dtype="float32", shape=(3,), names=seen),
                "stone_pixels": Feature(
                    dtype="float32",
                    shape=(3 * STONES,),
                    names=_of_stones(seen),
                ),
                "visible": Feature(
                    dtype="int64", shape=(1 + STONES,), names=["target", *_of_stones(["visible"])]
                ),
                "intrinsics": Feature(dtype="float32", shape=(9,), names=_entries("k", 3)),
                "extrinsics": Feature(dtype="float32", shape=(16,), names=_entries("x", 4)),
                "depth": Feature(dtype="depth", shape=(*image_size, 1), names=["height", "width", "channel"]),
            }[column]
            made |= {column_name(column, camera): per_camera for camera in cameras}
    return made


def needed_modalities(columns: Sequence[str]) -> tuple[str, ...]:
    """What must be drawn beside colour for columns."""
    needs = {"depth": "depth", "visible": "segmentation"}
    return tuple(modality for column, modality in needs.items() if column in columns)


def column_name(column: str, camera: str | None = None) -> str:
    """What a column is called, that of one camera where it has one for each.

    Depth is something to see. All else is an ``annotation``: trainers take whatever is called an observation
    for an input, and these would tell the policy the answer.
    """
    if camera is None:
        return f"annotation.{column}"
    return f"{'observation' if column == 'depth' else 'annotation'}.{column}.{camera}"


def _of_stones(parts: Sequence[str]) -> list[str]:
    return [f"stone_{k}_{part}" for k in range(STONES) for part in parts]


def _entries(letter: str, size: int) -> list[str]:
    return [f"{letter}_{row}{column}" for row in range(size) for column in range(size)]


class Columns:
    """Makes the columns of one demonstration's frames.

    Args:
        columns: what is asked for.
        cameras: that look.
        image_size: (height, width) in pixels.
        demonstration: whose frames.
        instructions: the words of its moves with their spans.
        env: shows the demonstration's episode.
    """

    def __init__(
        self,
        columns: Sequence[str],
        cameras: Sequence[str],
        image_size: tuple[int, int],
        demonstration: Demonstration,
        instructions: Sequence[Instruction],
        env: Environment,
    ):
        self._wanted, self._views = columns, cameras
        self._demonstration = demonstration
        scene: SceneSpec = env.episode.scene
        self._scene = scene
        self._cameras = Cameras(scene, image_size)
        self._measure = Measurer(scene, Kinematics(scene.robot))
        wanted = {"target_pixel", "visible", "target_position"} & {*columns}
        self._targets = target_points(demonstration, scene, self._measure) if wanted else []
        self._spans = [spans_json(instruction) for instruction in instructions]
        self._stones = stones_of_moves(demonstration) if "stone" in columns else NONE
        self._stages = stages_of(demonstration) if "stage" in columns else NONE
        if "commanded_target" in columns:
            start = demonstration.observations[0, :3]
            self._commanded = commanded_targets(demonstration.actions, start, env.action_spec)
        if "board_corners" in columns:
            self._corners = board_corners(scene).astype(np.float32).reshape(-1)

    def row(self, t: int, seen: dict[str, Any]) -> dict[str, object]:
        """The columns of the moment before action ``t``.

        Args:
            t: row of the demonstration.
            seen: what ``Renderer.frames`` gave for it.
        """
        made: dict[str, object] = {}
        state, move = self._demonstration.world(t), int(self._demonstration.instruction_index[t])
        for column in self._wanted:
            if column in PER_CAMERA:
                for camera in self._views:
                    value = self._of_camera(column, camera, state, move, seen)
                    made[column_name(column, camera)] = value
            else:
                made[column_name(column)] = self._plain(column, t, state, move)
        return made

    def _plain(self, column: str, t: int, state: SceneState, move: int) -> object:
        if column == "occupancy":
            return occupancy(self._scene, state, self._measure(state)).reshape(-1)
        if column == "spans":
            return self._spans[move]
        if column == "board_corners":
            return self._corners
        if column == "commanded_target":
            return self._commanded[t].astype(np.float32)
        if column == "target_position":
            target, place = self._targets[move], np.zeros(4, dtype=np.float32)
            if target is not None:
                place[:3], place[3] = in_base(self._scene, target), 1.0
            return place
        if column == "stone_positions":
            places = np.zeros((STONES, 4), dtype=np.float32)
            places[state.stone_ids, :3] = in_base(self._scene, state.stone_poses[:, :3])
            places[state.stone_ids, 3] = 1.0
            return places.reshape(-1)
        if column == "stone":
            return np.array([self._stones[move]], dtype=np.int64)
        return np.array([self._stages[t] if column == "stage" else t], dtype=np.int64)

    def _of_camera(
        self, column: str, camera: str, state: SceneState, move: int, seen: dict[str, Any]
    ) -> npt.NDArray[Any]:
        if column == "depth":
            return stored_depth(seen["depth"][camera])
        if column == "intrinsics":
            return self._cameras.K[camera].astype(np.float32).reshape(-1)
        if column == "extrinsics":
            return self._cameras.extrinsics(camera, state).astype(np.float32).reshape(-1)
        if column == "visible":
            return self._visible(camera, state, move, seen["segmentation"][camera])
        if column == "target_pixel":
            return self._target_pixel(camera, state, move).astype(np.float32)
        return self._stone_pixels(camera, state).astype(np.float32).reshape(-1)

    def _target_pixel(self, camera: str, state: SceneState, move: int) -> npt.NDArray[np.float64]:
        target = self._targets[move]
        return np.array(UNSEEN) if target is None else self._cameras.pixels(camera, state, target)[0]

    def _stone_pixels(self, camera: str, state: SceneState) -> npt.NDArray[np.float64]:
        pixels = np.full((STONES, 3), UNSEEN)
        pixels[state.stone_ids] = self._cameras.pixels(camera, state, state.stone_poses[:, :3])
        return pixels

    def _visible(
        self, camera: str, state: SceneState, move: int, segmentation: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int64]:
        """int64[1 + STONES]: whether nothing covers the target, and the middle of each stone."""
        made = np.zeros(1 + STONES, dtype=np.int64)
        points = np.concatenate(
            [self._target_pixel(camera, state, move)[None], self._stone_pixels(camera, state)]
        )
        for k, (u, v, in_view) in enumerate(points):
            if in_view:
                shown = int(segmentation[round(float(v)), round(float(u))])
                made[k] = shown in GROUND if k == 0 else shown == SegmentationId.STONE + k - 1
        return made


def stored_depth(depth: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """uint16[H, W, 1] in millimetres, rounded, of float32[H, W] in metres; 65.535 m and beyond are 65535."""
    stored: npt.NDArray[np.uint16] = np.clip(np.rint(depth / DEPTH_UNIT), 0, 65535).astype(np.uint16)
    return stored[..., None]


def spans_json(instruction: Instruction) -> str:
    """``{"row": [start, end], ...}``: the characters of the instruction that carry each part."""
    spans = {name: [span.start, span.end] for name, span in sorted(instruction.spans.items())}
    return json.dumps(spans, separators=(",", ":"))
