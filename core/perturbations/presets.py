"""From what users write to the knobs that are on: severities, presets, condition sets."""

from os import PathLike
from pathlib import Path

from core.errors import OptionError, UnknownNameError
from core.perturbations import KNOBS
from core.perturbations.base import SEVERITIES, Level, split_name
from core.perturbations.conditions import ConditionSet, read_conditions
from core.perturbations.suite import Suite

DEFAULT_SEVERITY = 3

CAMERA = ("camera_orbit", "camera_elevation", "camera_distance", "camera_roll")
TEXTURES = ("table_texture", "wall_texture")
LIGHT = ("light_intensity", "light_color", "light_direction")
IMAGE = ("color_balance", "brightness")

STUDY = (
    "table_texture",
    "table_color",
    "reflectivity",
    "stone_amount",
    "stone_position",
    *IMAGE,
    *CAMERA,
    "camera_fov",
)
VISUAL = (
    *TEXTURES,
    "table_color",
    "wall_color",
    "reflectivity",
    *LIGHT,
    *IMAGE,
    "gaussian_noise",
    *CAMERA,
    "camera_fov",
)
MOVED = ("board_pose", "stone_amount", "stone_position", "distractors", "arm_start", "table_height")

# Knobs by preset; each has the preset's severity, categorical ones the set that is named below.
LIBERO_PLUS = (
    *CAMERA,
    "arm_start",
    "words",
    "gaussian_noise",
    "motion_blur",
    "defocus",
    "distractors",
    "stone_position",
    *TEXTURES,
    *LIGHT,
)
PRESETS: dict[str, tuple[str, ...]] = {
    "clean": (),
    "bomb": STUDY,
    "visual": VISUAL,
    "all": (*VISUAL, *MOVED, "words", "friction", "stone_mass", "action_latency", "action_noise"),
    "robotwin_randomized": (*TEXTURES, "light_color", "table_height", "distractors", "words"),
    "libero_plus": LIBERO_PLUS,
    "libero_plus_fov": (*LIBERO_PLUS, "camera_fov"),
}
HELD_OUT = {"table_texture": "unseen", "wall_texture": "unseen", "words": "paraphrase_unseen"}

# RoboTwin2's demo_randomized has no levels: its table goes down by up to 30 mm and up to ten objects
# clutter it (severity 5), its lights take any colour (ours stay recognisable: severity 5 too).
FIXED = {"robotwin_randomized": 5}

PRESET_WORDS = {
    "clean": "nothing",
    "bomb": "the six of the BOMB study",
    "visual": "everything that is only seen",
    "all": "every family at once",
    "robotwin_randomized": "RoboTwin2's demo_randomized",
    "libero_plus": "the seven axes of LIBERO-plus as far as they apply, as its code has them",
    "libero_plus_fov": "the same, with the field of view that LIBERO-plus's README names",
}


def make_suite(perturbations: object) -> Suite:
    """The knobs that are on.

    Args:
        perturbations: None; a dict of knob (``name`` or ``name@camera``) to severity or set; a preset
            (``"bomb"``, at a severity of its own with ``"bomb:5"``, or one knob, ``"board_pose:2"``); a
            sequence of these; a ``ConditionSet`` or the path of one.

    Raises:
        UnknownNameError: for an unknown knob, preset, set or camera.
        OptionError: for a severity out of range, or a knob that is asked for at two levels.
        StateError: for a condition set that cannot be read.
    """
    if isinstance(perturbations, ConditionSet):
        levels = {name: _level(name, level) for name, level in perturbations.levels.items()}
        return Suite(levels=_ordered(levels), conditions=perturbations)
    if isinstance(perturbations, PathLike) or (
        isinstance(perturbations, str) and perturbations.endswith(".json")
    ):
        return make_suite(read_conditions(Path(perturbations)))
    if isinstance(perturbations, (list, tuple)):
        parts = [_levels(part) for part in perturbations]
    else:
        parts = [_levels(perturbations)]
    merged: dict[str, Level] = {}
    for part in parts:
        for name, level in part.items():
            if merged.setdefault(name, level) != level:
                raise OptionError(f"{name} is asked for at two levels: {merged[name]!r} and {level!r}")
    for name in merged:
        knob, camera = split_name(name)
        if camera is not None and merged.get(knob, merged[name]) != merged[name]:
            raise OptionError(
                f"{name} and {knob} are asked for at two levels: {merged[name]!r} and {merged[knob]!r}"
            )
    merged = {name: level for name, level in merged.items() if level != 0}
    # A camera of its own beside all cameras at the same level says nothing new.
    return Suite(
        levels=_ordered({n: v for n, v in merged.items() if "@" not in n or n.split("@")[0] not in merged})
    )


def _levels(part: object) -> dict[str, Level]:
    if part is None:
        return {}
    if isinstance(part, dict):
        return {name: _level(name, level) for name, level in part.items()}
    if isinstance(part, str):
        name, colon, level = part.partition(":")
        if name in PRESETS:
            return preset(name, _number(level) if colon else None)
        if colon:
            return {name: _level(name, _number(level))}
        if name in KNOBS:
            raise OptionError(
                f"how much of {name}? Write {name!r}: severity, or {name + ':' + _example(name)!r}"
            )
        raise UnknownNameError("perturbation or preset", part, [*KNOBS, *PRESETS])
    raise OptionError(
        f"perturbations must be a dict, a preset, a condition set or a sequence of these, got {part!r}"
    )


def preset(name: str, severity: Level | None = None) -> dict[str, Level]:
    """The knobs of a preset and their levels.

    Raises:
        OptionError: if the severity is out of range.
    """
    severity = FIXED.get(name, DEFAULT_SEVERITY) if severity is None else severity
    if severity not in SEVERITIES:
        raise OptionError(
            f"severity of {name} must be an integer from 0 to {SEVERITIES[-1]}, got {severity!r}"
        )
    return {k: HELD_OUT[k] if KNOBS[k].sets and severity else severity for k in PRESETS[name]}


def _level(name: object, level: object) -> Level:
    knob, camera = split_name(name)
    if knob not in KNOBS:
        raise UnknownNameError("perturbation", knob, [*KNOBS, *PRESETS])
    if camera is not None and not KNOBS[knob].per_camera:
        raise OptionError(f"{knob} is not a knob of one camera: {name!r}")
    return KNOBS[knob].check(level)


def _number(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _example(name: str) -> str:
    return next(iter(KNOBS[name].sets), "3")


def _ordered(levels: dict[str, Level]) -> dict[str, Level]:
    return dict(sorted(levels.items(), key=lambda item: (KNOBS.place(split_name(item[0])[0]), item[0])))
