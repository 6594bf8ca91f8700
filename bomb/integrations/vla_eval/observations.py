"""BOMB's observation in the words of vla-eval: ``images``, ``states``, ``task_description``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.integrations.actions import RAW, mismatch
from bomb.rollouts.states import LAYOUTS, in_layout
from core.errors import ConventionError, OptionError, check_choice
from core.world.stage import CAMERAS

IMAGE_FORMAT = "rgb_hwc_uint8"
ANY_IMAGE = ("image", "images")  # what servers that take the first picture, or all of them, ask for
LANGUAGE = "language"

# Layouts of the proprioceptive state: name of the option to (vla-eval's format, numbers).
STATES: dict[str, tuple[str, int]] = {
    **{name: (form, count) for name, (form, count, _) in LAYOUTS.items()},
    "none": ("", 0),
}


@dataclass(frozen=True, kw_only=True)
class ObservationLayout:
    """What a server is sent.

    Attributes:
        state: ``bomb``: tool centre point in the base frame (m) and opening 0..1. ``axis_angle``, ``euler``:
            position, the rotation of the hand (pi, 0, 0), and the positions of both fingers (m), the right
            one negative, as LIBERO has them. ``open_x``: as BOMB's RLDS exports. ``none``: no state.
        names: what the pictures are called, in the order of the cameras; empty: as the cameras.
    """

    state: str = "bomb"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice("state", self.state, STATES)
        if isinstance(self.names, str) or len(set(self.names)) != len(self.names):
            raise OptionError(f"names of pictures must be a sequence without repeats, got {self.names!r}")

    def picture_names(self, cameras: Sequence[str]) -> tuple[str, ...]:
        """What the pictures of ``cameras`` are called.

        Raises:
            OptionError: if there are not as many names as cameras.
        """
        if self.names and len(self.names) != len(cameras):
            raise OptionError(
                f"{len(self.names)} names ({', '.join(self.names)}) for {len(cameras)} cameras "
                f"({', '.join(cameras) or 'none'})"
            )
        return self.names or tuple(cameras)

    def message(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The payload of vla-eval's OBSERVATION.

        Returns:
            ``images`` (name to uint8[H, W, 3]), ``task_description`` and, unless ``state`` is ``none``,
            ``states``, float32[4] or float32[8].
        """
        pictures = observation.get("images", {})
        names = self.picture_names(tuple(pictures))
        message = {
            "images": dict(zip(names, pictures.values(), strict=True)),
            "task_description": observation["instruction"],
        }
        if self.state != "none":
            message["states"] = self.states(observation["state"])
        return message

    def states(self, state: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The state, float32[4] as BOMB has it, in this layout."""
        return in_layout(self.state, state)

    def mismatches(self, declared: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """What a server's declared observation spec, plain dicts, contradicts; pictures are not looked at."""
        spec = declared.get("state")
        if spec is None or spec.get("format") in (RAW, STATES[self.state][0]):
            return []
        return [mismatch("state", spec.get("format"), (STATES[self.state][0] or "none",))]

    def cameras(
        self, declared: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Any]
    ) -> tuple[str, ...] | None:
        """Which cameras a server looks through, where what it declares says so; None: it does not.

        Args:
            declared: its observation spec.
            wanted: its observation parameters.
        """
        asked = {name for name, spec in declared.items() if spec.get("format") == IMAGE_FORMAT}
        named = set() if self.names else asked & CAMERAS.keys()
        if wanted.get("send_wrist_image"):
            named |= {"head", "wrist"}
        return tuple(name for name in CAMERAS if name in named) or None

    def check_pictures(
        self, declared: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Any], message: dict[str, Any]
    ) -> None:
        """Returns if a message holds every picture that a server asks for.

        Args:
            declared: its observation spec.
            wanted: its observation parameters.

        Raises:
            ConventionError: naming what lacks.
        """
        names = tuple(message["images"])
        asked = [name for name, spec in declared.items() if spec.get("format") == IMAGE_FORMAT]
        lacks = [name for name in asked if not names or (name not in names and name not in ANY_IMAGE)]
        if wanted.get("send_wrist_image") and len(names) < 2:
            lacks.append("a second picture, of the wrist camera")
        if lacks:
            raise ConventionError(
                f"the server asks for {', '.join(lacks)}; it is sent {', '.join(names) or 'no picture'}"
            )
