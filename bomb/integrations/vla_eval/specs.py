"""What the benchmark declares to vla-eval, and what a model server contradicts.

vla-eval compares both sides' specs before the first episode and logs a warning where they differ; it does
not hand the server's spec to a benchmark. The specs made here take note of what they are compared with, so
that the benchmark can refuse to run.
"""

from dataclasses import dataclass, field
from typing import Any, Self

from vla_eval.specs import IMAGE_RGB, LANGUAGE, DimSpec

from bomb.integrations.actions import (
    GRIPPERS,
    RAW,
    ROTATION_TOLERANCE,
    ActionConvention,
    mismatch,
)
from bomb.integrations.vla_eval import observations
from bomb.integrations.vla_eval.observations import ANY_IMAGE, STATES, ObservationLayout
from core.control.actions import SPEED


class Accepted(frozenset[str]):
    """Formats of a component that are taken; writes those that it is asked for in vain to ``refused``."""

    component: str
    refused: list[str]

    def __new__(cls, component: str, formats: tuple[str, ...], refused: list[str]) -> Self:
        accepted = super().__new__(cls, formats)
        accepted.component, accepted.refused = component, refused
        return accepted

    def __contains__(self, form: object) -> bool:
        if form == RAW or super().__contains__(form):
            return True
        self.refused.append(mismatch(self.component, form, tuple(sorted(self))))
        return False


@dataclass(frozen=True)
class Offered(DimSpec):  # type: ignore[misc]  # vla-eval ships no types
    """A component of the observation; writes what a server wants instead of it to ``refused``."""

    refused: list[str] = field(default_factory=list, compare=False)

    def is_compatible(self, other: DimSpec) -> tuple[bool, str]:
        if other.format == RAW:
            return True, ""
        fits, reason = super().is_compatible(other)
        if not fits:
            self.refused.append(
                mismatch("state", other.format, (self.format,)) if self.name == "state" else reason
            )
        return fits, reason


class Offer(dict[str, Any]):
    """The components of the observation; writes those that are asked for and not there to ``refused``."""

    def __init__(self, components: dict[str, DimSpec], refused: list[str]):
        super().__init__(components)
        self._refused = refused

    def __contains__(self, name: object) -> bool:
        there = super().__contains__(name)
        if not there:
            have = ", ".join(self)
            self._refused.append(f"{name}: the server asks for it, the observation has {have}")
        return there


def action_spec(convention: ActionConvention, control_hz: int, refused: list[str]) -> dict[str, DimSpec]:
    """The declared action: position, rotation where there is one, gripper."""
    base = "robot base frame: x forward, y left, z up"
    unit = SPEED / control_hz * convention.delta_scale
    words = {
        "position": f"{base}; 1.0 = {unit:.4g} m, added to the last commanded target"
        if convention.action_mode == "delta"
        else f"{base}; metres, approached at {SPEED} m/s",
        "rotation": "not executed: "
        + (f"must be within {ROTATION_TOLERANCE} of zero" if convention.rotation == "zero" else "ignored"),
        "gripper": "absolute in both modes; BOMB's own is 0 closed, 1 open (48 mm between the pads)",
    }
    grip = GRIPPERS[convention.gripper]
    ranges = {
        "position": (-1, 1) if convention.action_mode == "delta" else None,
        "gripper": (grip.low, grip.high),
    }
    return {
        component: DimSpec(
            component,
            1 if component == "gripper" else 3,
            formats[0],
            ranges.get(component),
            accepts=Accepted(component, formats, refused),
            description=words[component],
        )
        for component, formats in convention.formats().items()
    }


def observation_spec(
    layout: ObservationLayout, cameras: tuple[str, ...], refused: list[str]
) -> dict[str, DimSpec]:
    """The declared observation: every picture by its name and as ``image``, state, words."""
    offer: dict[str, DimSpec] = {}
    for name in layout.picture_names(cameras):
        offer[name] = Offered(name, IMAGE_RGB.dims, IMAGE_RGB.format, refused=refused)
    if offer:
        for name in ANY_IMAGE:
            offer.setdefault(name, Offered(name, IMAGE_RGB.dims, IMAGE_RGB.format, refused=refused))
    form, dims = STATES[layout.state]
    if dims:
        words = "robot base frame (m): x forward, y left, z up; the hand points straight down"
        offer["state"] = Offered("state", dims, form, description=words, refused=refused)
    offer[observations.LANGUAGE] = Offered(LANGUAGE.name, LANGUAGE.dims, LANGUAGE.format, refused=refused)
    return Offer(offer, refused)
