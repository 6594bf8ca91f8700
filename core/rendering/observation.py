"""Observation and action spaces. A policy sees these keys and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from core.backend import CameraImage
from core.control.actions import WORKSPACE_HIGH, WORKSPACE_LOW, ActionSpec
from core.errors import Number, OptionError, check_choice, check_names, take_plain_numbers
from core.judge.measuring import Frame
from core.rendering.instruction_space import InstructionSpace
from core.world.stage import CAMERAS

PIXELS = Number(least=8, most=4096)  # on a side of a picture
PICTURES = ("rgb", "depth", "segmentation")  # an engine draws these
GEOMETRY = ("intrinsics", "extrinsics")  # numbers of a camera, which the scene and the joints tell
MODALITIES = PICTURES + GEOMETRY
PICTURE_KEYS = {"rgb": "images", "depth": "depth", "segmentation": "segmentation"}
MODALITY_KEYS = {**PICTURE_KEYS, **{name: name for name in GEOMETRY}}
DEPTH_LIMIT = 100.0  # m; farther than any camera sees or stands
FOCAL_LIMIT = 1e6  # pixels; of any lens and size of picture

# The measured tool centre point may leave the commanded box a little: drives lag, stones push.
STATE_MARGIN = 0.5


@dataclass(frozen=True, kw_only=True)
class ObservationSpec:
    """What one environment's observations hold.

    Attributes:
        cameras: names of the cameras that look; empty renders nothing.
        image_size: (height, width) in pixels.
        modalities: out of ``MODALITIES``.
    """

    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    modalities: tuple[str, ...]

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        for name, kind, valid in (
            ("cameras", "camera", tuple(CAMERAS)),
            ("modalities", "modality", MODALITIES),
        ):
            values = check_names(name, getattr(self, name))
            object.__setattr__(self, name, values)
            for value in values:
                check_choice(kind, value, valid)
            if len(set(values)) != len(values):
                raise OptionError(f"{name} are named twice in {values!r}")
        pair = isinstance(self.image_size, tuple) and len(self.image_size) == 2
        if not pair or not all(map(PIXELS.holds, self.image_size)):
            raise OptionError(
                f"image_size must be (height, width) of {PIXELS.least} to {PIXELS.most} pixels, "
                f"got {self.image_size!r}"
            )

    def space(self) -> spaces.Dict:
        """The gymnasium space of the observations."""
        height, width = self.image_size
        per_modality: dict[str, spaces.Space[Any]] = {
            "rgb": spaces.Box(0, 255, (height, width, 3), np.uint8),
            "depth": spaces.Box(0.0, DEPTH_LIMIT, (height, width), np.float32),
            "segmentation": spaces.Box(0, np.iinfo(np.int32).max, (height, width), np.int32),
            "intrinsics": spaces.Box(0.0, FOCAL_LIMIT, (3, 3), np.float32),
            "extrinsics": spaces.Box(-DEPTH_LIMIT, DEPTH_LIMIT, (4, 4), np.float32),
        }
        entries: dict[str, spaces.Space[Any]] = {
            MODALITY_KEYS[modality]: spaces.Dict({name: per_modality[modality] for name in self.cameras})
            for modality in self.modalities
            if self.cameras
        }
        low = np.array([*(value - STATE_MARGIN for value in WORKSPACE_LOW), 0.0], dtype=np.float32)
        high = np.array([*(value + STATE_MARGIN for value in WORKSPACE_HIGH), 1.0], dtype=np.float32)
        entries["state"] = spaces.Box(low, high, dtype=np.float32)
        entries["instruction"] = InstructionSpace()
        return spaces.Dict(entries)


def action_space(spec: ActionSpec) -> spaces.Box:
    """The declared box of actions, float32[4]."""
    return spaces.Box(spec.low, spec.high, dtype=np.float32)


def compose_observation(
    spec: ObservationSpec,
    draw: Callable[[str, tuple[str, ...]], CameraImage],
    geometry: Callable[[str, str], npt.NDArray[np.float64]],
    frame: Frame,
    instruction: str,
) -> dict[str, Any]:
    """One observation.

    Args:
        spec: what it holds.
        draw: takes a camera's picture, called as ``draw(camera, modalities)``.
        geometry: tells a camera's numbers, called as ``geometry(camera, modality)``.
        frame: what was measured last.
        instruction: what is asked for now.
    """
    drawn = tuple(name for name in spec.modalities if name in PICTURES)
    pictures = {camera: draw(camera, drawn) for camera in spec.cameras} if drawn else {}
    observation: dict[str, Any] = {}
    for modality in spec.modalities:
        if modality in PICTURES:
            seen = {camera: getattr(image, modality) for camera, image in pictures.items()}
        else:
            seen = {camera: geometry(camera, modality).astype(np.float32) for camera in spec.cameras}
        if seen:
            observation[MODALITY_KEYS[modality]] = seen
    state = np.empty(4, dtype=np.float32)
    state[:3], state[3] = frame.p_RT, frame.opening
    return {**observation, "state": state, "instruction": instruction}
