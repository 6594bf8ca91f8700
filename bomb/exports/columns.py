"""What can be written per frame beside state, action and pictures, for auxiliary objectives."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bomb.demonstrations.demonstration import Demonstration
from bomb.exports.cameras import Cameras
from bomb.exports.targets import occupancy, target_points
from core.environment import Environment
from core.judge.measuring import Measurer
from core.task import Instruction
from core.world.kinematics import Kinematics
from core.world.scene import SceneSpec
from core.world.stage import MOST_STONES

STONES = MOST_STONES  # a column has room for the largest pool
DEPTH_UNIT = 0.001  # m per unit of a stored depth picture


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
    seen = ["u", "v", "in_view"]
    made: dict[str, Feature] = {}
    for column in columns:
        if column == "occupancy":
            cells = [f"row_{r}_column_{c}" for r in range(board_size) for c in range(board_size)]
            made["annotation.occupancy"] = Feature(dtype="int64", shape=(len(cells),), names=cells)
        elif column == "spans":
            made["annotation.spans"] = Feature(dtype="string", shape=())
        else:
            per_camera = {
                "target_pixel": Feature(dtype="float32", shape=(3,), names=seen),
                "stone_pixels": Feature(
                    dtype="float32",
                    shape=(3 * STONES,),
                    names=[f"stone_{k}_{part}" for k in range(STONES) for part in seen],
                ),
                "intrinsics": Feature(dtype="float32", shape=(9,), names=_entries("k", 3)),
                "extrinsics": Feature(dtype="float32", shape=(16,), names=_entries("x", 4)),
                "depth": Feature(dtype="depth", shape=(*image_size, 1), names=["height", "width", "channel"]),
            }[column]
            made |= {column_name(column, camera): per_camera for camera in cameras}
    return made


def column_name(column: str, camera: str) -> str:
    """What a column of one camera is called.

    Depth is something to see. All else is an ``annotation``: trainers take whatever is called an observation
    for an input, and these would tell the policy the answer.
    """
    return f"{'observation' if column == 'depth' else 'annotation'}.{column}.{camera}"


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
        wanted = "target_pixel" in columns
        self._targets = target_points(demonstration, scene, self._measure) if wanted else []
        self._spans = [spans_json(instruction) for instruction in instructions]

    def row(self, t: int, seen: dict) -> dict[str, object]:
        """The columns of the moment before action ``t``.

        Args:
            t: row of the demonstration.
            seen: what ``Renderer.frames`` gave for it.
        """
        made: dict[str, object] = {}
        state, move = self._demonstration.world(t), int(self._demonstration.instruction_index[t])
        for column in self._wanted:
            if column == "occupancy":
                made["annotation.occupancy"] = occupancy(self._scene, state, self._measure(state)).reshape(-1)
            elif column == "spans":
                made["annotation.spans"] = self._spans[move]
            else:
                for camera in self._views:
                    value = self._of_camera(column, camera, state, move, seen)
                    made[column_name(column, camera)] = value
        return made

    def _of_camera(self, column: str, camera: str, state, move: int, seen: dict) -> np.ndarray:
        if column == "depth":
            return stored_depth(seen["depth"][camera])
        if column == "intrinsics":
            return self._cameras.K[camera].astype(np.float32).reshape(-1)
        if column == "extrinsics":
            return self._cameras.extrinsics(camera, state).astype(np.float32).reshape(-1)
        if column == "target_pixel":
            target = self._targets[move]
            if target is None:
                return np.array([-1.0, -1.0, 0.0], dtype=np.float32)
            return self._cameras.pixels(camera, state, target)[0].astype(np.float32)
        pixels = np.full((STONES, 3), (-1.0, -1.0, 0.0), dtype=np.float32)
        pixels[state.stone_ids] = self._cameras.pixels(camera, state, state.stone_poses[:, :3])
        return pixels.reshape(-1)


def stored_depth(depth: np.ndarray) -> np.ndarray:
    """uint16[H, W, 1] in millimetres, rounded, of float32[H, W] in metres; 65.535 m and beyond are 65535."""
    return np.clip(np.rint(depth / DEPTH_UNIT), 0, 65535).astype(np.uint16)[..., None]


def spans_json(instruction: Instruction) -> str:
    """``{"row": [start, end], ...}``: the characters of the instruction that carry each part."""
    spans = {name: [span.start, span.end] for name, span in sorted(instruction.spans.items())}
    return json.dumps(spans, separators=(",", ":"))
