"""What a VLA is asked, in numpy: one moment of an episode, as it was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import ConventionError

# What K is moved by, so that pixels count from 0 at the picture's edge.
HALF = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]])


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """One question.

    Attributes:
        pictures: uint8[H, W, 3] by camera.
        instruction: what to do.
        state: float32[4], as observations have it.
        depth: float32[H, W] in metres by camera; empty where it was not seen.
        intrinsics: K of each camera, float[3, 3], for the pictures as they are, which count from 0 at their
            edge; empty where nobody told.
        history: earlier moments of the same episode, the oldest first, each without history of its own.
        answer: float32[chunk, 4], what was done from an earlier moment on, and bool[chunk], which of it
            counts; None where it is not to be learned.
        future: later moments, the next one first, for models that learn to foresee; empty while playing.
        memory: what a model that remembers said at the last moment (``Reference.raw["memory"]``), float32[m];
            None at the beginning of an episode, and for models that do not.
    """

    pictures: Mapping[str, npt.NDArray[np.uint8]]
    instruction: str
    state: npt.NDArray[np.float32]
    depth: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    intrinsics: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)
    history: tuple["Request", ...] = ()
    answer: tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]] | None = None
    future: tuple["Request", ...] = ()
    memory: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuses numbers that nothing can be told from, before a model answers them.

        Raises:
            ConventionError: naming what is not finite.
        """
        for name, value in (("state", self.state), ("memory", self.memory)):
            try:
                finite = value is None or bool(np.isfinite(np.asarray(value, dtype=np.float64)).all())
            except (TypeError, ValueError):
                finite = False
            if not finite or (name == "state" and value is None):
                raise ConventionError(f"the {name} of a question must be finite numbers, got {value!r}")
        if not isinstance(self.instruction, str):
            raise ConventionError(f"the instruction of a question must be text, got {self.instruction!r}")

    @classmethod
    def from_observation(
        cls,
        observation: Mapping[str, Any],
        history: Sequence[Mapping[str, Any]] = (),
        *,
        memory: npt.NDArray[np.float32] | None = None,
    ) -> "Request":
        """From what ``Environment.step`` returned, and from what it returned before.

        An environment's K counts pixels from 0 in the middle of the first one.
        """
        told = observation.get("intrinsics", {})
        return cls(
            pictures=observation.get("images", {}),
            instruction=observation["instruction"],
            state=observation["state"],
            depth=observation.get("depth", {}),
            intrinsics={camera: np.asarray(K, dtype=np.float64) + HALF for camera, K in told.items()},
            history=tuple(cls.from_observation(earlier) for earlier in history),
            memory=memory,
        )

    def look(self, cameras: Sequence[str], image_size: tuple[int, int]) -> list[npt.NDArray[np.uint8]]:
        """The pictures of these cameras, in this order.

        Raises:
            ConventionError: if a camera is missing, or a picture is not uint8 of this size.
        """
        if missing := [camera for camera in cameras if camera not in self.pictures]:
            raise ConventionError(
                f"the model looks through {', '.join(cameras)}; the observation lacks {', '.join(missing)}"
            )
        found = [np.asarray(self.pictures[camera]) for camera in cameras]
        for camera, picture in zip(cameras, found, strict=True):
            if picture.dtype != np.uint8 or picture.shape != (*image_size, 3):
                raise ConventionError(
                    f"the model is given pictures uint8 of {image_size[0]} x {image_size[1]} pixels, "
                    f"{camera} has {picture.dtype} of {' x '.join(map(str, picture.shape))}"
                )
        return found
