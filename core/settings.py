"""What ``make_task`` is asked for: every option once, checked and converted where it comes in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from os import PathLike, fspath
from typing import Any, Self

from core.control.actions import ActionSpec
from core.errors import (
    OptionError,
    UnknownNameError,
    check_flag,
    check_integer,
    plain_integer,
    take_plain_numbers,
)
from core.perturbations.conditions import FORMAT, ConditionSet
from core.perturbations.presets import make_suite
from core.perturbations.suite import Suite
from core.rendering.graphics import check_device
from core.rendering.observation import ObservationSpec
from core.seeding import check_split
from core.task import Task

DEFAULT_SUPERSAMPLE = 1  # the colour bounds of docs/parity.md are met without, and 2 costs two to three times
MOST_STEPS, MOST_SUPERSAMPLE = 10**9, 8

# Options that decide what a picture is like, and nothing of what happens.
APPEARANCE = ("image_size", "supersample", "renderer", "device")


@dataclass(frozen=True, kw_only=True)
class EpisodeSettings:
    """How episodes are played, whatever the task, the engine and the perturbation: ``EnvironmentSettings``
    says what each option means. A run of many conditions has these in common.
    """

    image_size: tuple[int, int] = (256, 256)
    supersample: int | None = None
    renderer: str | None = None
    device: str | None = None
    action_mode: str = "delta"
    control_hz: int = 20
    max_steps: int | None = None
    stop_on_success: bool = False
    split: str = "test"

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_split(self.split)
        self._check_image_size()
        for name, most in (("max_steps", MOST_STEPS), ("supersample", MOST_SUPERSAMPLE)):
            if getattr(self, name) is not None:
                self._set(name, check_integer(name, getattr(self, name), least=1, most=most))
        if not isinstance(self.renderer, str | None):
            raise OptionError(f"renderer must be the name of a backend, or None, got {self.renderer!r}")
        check_device(self.device)
        self._set("stop_on_success", check_flag("stop_on_success", self.stop_on_success))
        # What can be seen and done is checked where it is declared.
        ActionSpec(mode=self.action_mode, control_hz=self.control_hz)

    def _check_image_size(self) -> None:
        size = plain_integer(self.image_size)
        size = (size, size) if isinstance(size, int) else _tuple("image_size", size)
        self._set("image_size", tuple(plain_integer(side) for side in size))
        ObservationSpec(cameras=(), image_size=self.image_size, modalities=())

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


EPISODE_OPTIONS = tuple(option.name for option in fields(EpisodeSettings))


@dataclass(frozen=True, kw_only=True)
class EnvironmentSettings(EpisodeSettings):
    """All that ``make_task`` takes. NumPy's integers, and lists instead of tuples, are converted.

    Attributes:
        task: name out of ``core.list_tasks()``, or a task made with options of its own.
        backend: name out of ``core.list_backends()``.
        action_mode: ``"delta"`` or ``"absolute"``; see ``core.control.actions``.
        cameras: out of ``head``, ``front``, ``wrist``. Empty renders nothing and needs no graphics driver.
        image_size: (height, width) of every picture, in pixels; one number is both.
        modalities: out of ``rgb`` (uint8), ``depth`` (float32, metres along the optical axis),
            ``segmentation`` (int32 of ``SegmentationId``), ``intrinsics`` (K, float32[3, 3]) and
            ``extrinsics`` (X_CR, float32[4, 4]); both as ``core.rendering.pinhole`` says.
        supersample: colour pictures are rendered this many times larger on each side and box-filtered in
            linear light; None takes the value that parity is claimed for.
        renderer: name of the backend that draws; None is the one that moves the bodies. Physics is the same
            to the last bit, whoever draws.
        device: what it draws on: ``"gpu:0"``, ``"gpu:1"``, ... or ``"cpu"``, as ``bomb doctor`` lists them;
            ``"auto"`` is the first GPU, else the processor; None is what ``BOMB_RENDER`` says, else auto. A
            process draws on one device.
        control_hz: actions per second; must divide 500.
        perturbations: a dict of knob to severity (0-5) or set, ``{"board_pose": 3, "words": "letters"}``; a
            preset, ``"bomb"`` or ``"bomb:5"``; a sequence of these; a condition set or the path of one.
            None is the clean world. ``bomb knobs`` and docs/perturbations.md list them.
        split: which family of seeds; see ``core.seeding.SPLITS``. The private one is a
            ``core.seeding.PrivateSplit``, whose salt is never written down.
        max_steps: actions until an episode is truncated; None takes the task's own, 400 for a single move.
        stop_on_success: whether an episode ends when success first holds.
        stop_on_wrong_move: whether it ends when a wrong move is seen: the board at rest, changed to something
            else than was asked for.

    Raises:
        UnknownNameError: for an unknown name, listing the valid ones; of tasks and backends only when an
            environment is made.
        OptionError: for a value that is not allowed.
        StateError: for a condition set that is damaged, edited or of another version.
    """

    task: str | Task = field(default="place_stone", kw_only=False)
    backend: str
    cameras: tuple[str, ...] = ("head",)
    modalities: tuple[str, ...] = ("rgb",)
    perturbations: object = None
    stop_on_wrong_move: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("cameras", "modalities"):
            value = getattr(self, name)
            # A name by itself is refused below: a tuple of its letters would be another mistake.
            self._set(name, value if isinstance(value, str) else _tuple(name, value))
        if not isinstance(self.task, str | Task):
            raise OptionError(f"task must be a name or a core.Task, got {self.task!r}")
        if not isinstance(self.backend, str):
            raise OptionError(
                f"backend must be a name, got {self.backend!r}; core.list_backends() lists them"
            )
        self._set("stop_on_wrong_move", check_flag("stop_on_wrong_move", self.stop_on_wrong_move))
        self._set("perturbations", _frozen(self.perturbations))
        # Made here, they check what they are made of.
        _ = self.observation_spec, self.suite

    @cached_property
    def suite(self) -> Suite:
        """The knobs that are on."""
        return make_suite(self.perturbations)

    @cached_property
    def action_spec(self) -> ActionSpec:
        """What actions mean, the workspace's floor under a lower table included."""
        return ActionSpec(mode=self.action_mode, control_hz=self.control_hz, deeper=self.suite.lowest_table())

    @cached_property
    def observation_spec(self) -> ObservationSpec:
        """What observations hold."""
        return ObservationSpec(cameras=self.cameras, image_size=self.image_size, modalities=self.modalities)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Every option by its name."""
        return tuple(option.name for option in fields(cls))

    @classmethod
    def like(cls, episodes: EpisodeSettings, **options: Any) -> Self:
        """The settings of one condition of a run.

        Args:
            episodes: what the conditions have in common.
            options: the rest, as ``make_task`` takes them.
        """
        return cls(**{name: getattr(episodes, name) for name in EPISODE_OPTIONS}, **options)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: lists for tuples, a condition set as its file has it.

        Raises:
            OptionError: if the task is an object, which has no name that makes it again.
        """
        if not isinstance(self.task, str):
            raise OptionError(
                f"the task is an object ({self.task!r}), which cannot be written down; "
                "register a task with these options and name it"
            )
        return {name: _plain(getattr(self, name)) for name in self.names()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Inverse of ``to_dict``; options that are missing have their defaults.

        Raises:
            UnknownNameError: for an option that does not exist, listing those that do.
            OptionError: if there is no backend, or for a value that is not allowed.
            StateError: for a condition set that is damaged or was edited.
        """
        if not isinstance(plain, Mapping):
            raise OptionError(f"settings must be a dict of options, got {plain!r}")
        values = dict(plain)
        check_options(values)
        perturbations = values.get("perturbations")
        if isinstance(perturbations, Mapping) and perturbations.get("format") == FORMAT:
            values["perturbations"] = ConditionSet.from_dict(dict(perturbations))
        return cls(**values)


def check_options(options: Mapping[str, Any]) -> None:
    """Returns if these are options of ``make_task``, the backend among them.

    Raises:
        UnknownNameError: for one that is not.
        OptionError: if there is no backend.
    """
    for name in options:
        if name not in EnvironmentSettings.names():
            raise UnknownNameError("option of make_task", name, EnvironmentSettings.names())
    if "backend" not in options:
        raise OptionError("no backend is given; core.list_backends() lists them")


def _tuple(name: str, value: object) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise OptionError(f"{name} must be a sequence, got {value!r}")
    return tuple(value)


def _frozen(value: object) -> object:
    """What users wrote of perturbations, out of their reach: copies, tuples, plain integers, text."""
    if isinstance(value, dict):
        return {name: plain_integer(level) for name, level in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    return fspath(value) if isinstance(value, PathLike) else value


def _plain(value: object) -> object:
    if isinstance(value, ConditionSet):
        return value.to_dict()
    return list(map(_plain, value)) if isinstance(value, tuple) else value
