"""``make_task``: the one call that users need."""

import inspect
from collections.abc import Callable

from core.backend import Capability
from core.control.actions import ActionSpec
from core.environment import Environment
from core.errors import OptionError, UnknownNameError, check_choice
from core.perturbations.presets import make_suite
from core.registry import BACKENDS, TASKS
from core.rendering.observation import ObservationSpec
from core.seeding import SPLITS
from core.settings import EpisodeOptions
from core.task import Task
from core.world.stage import clean_scene

DEFAULT_SUPERSAMPLE = 1  # the colour bounds of docs/parity.md are met without, and 2 costs two to three times


def make_task(
    task: str | Task = "place_stone",
    *,
    backend: str,
    action_mode: str = "delta",
    cameras: tuple[str, ...] = ("head",),
    image_size: tuple[int, int] = (256, 256),
    modalities: tuple[str, ...] = ("rgb",),
    supersample: int | None = None,
    control_hz: int = 20,
    perturbations: object = None,
    split: str = "test",
    max_steps: int | None = None,
    stop_on_success: bool = False,
    stop_on_wrong_move: bool = False,
    **unknown: object,
) -> Environment:
    """Builds a task in one of the simulators.

    Args:
        task: name out of ``core.list_tasks()``, or a task made with options of its own.
        backend: name out of ``core.list_backends()``.
        action_mode: ``"delta"`` or ``"absolute"``; see ``core.control.actions``.
        cameras: out of ``head``, ``front``, ``wrist``. Empty renders nothing and needs no graphics driver.
        image_size: (height, width) of every picture, in pixels.
        modalities: out of ``rgb`` (uint8), ``depth`` (float32, metres along the optical axis) and
            ``segmentation`` (int32 of ``SegmentationId``).
        supersample: colour pictures are rendered this many times larger on each side and box-filtered in
            linear light; None takes the value that parity is claimed for.
        control_hz: actions per second; must divide 500.
        perturbations: a dict of knob to severity (0-5) or set, ``{"board_pose": 3, "words": "letters"}``; a
            preset, ``"bomb"`` or ``"bomb:5"``; a sequence of these; a condition set or the path of one.
            None is the clean world. ``bomb knobs`` and docs/perturbations.md list them.
        split: which family of seeds; see ``core.seeding.SPLITS``.
        max_steps: actions until an episode is truncated; None takes the task's own, 400 for a single move.
        stop_on_success: whether an episode ends when success first holds.
        stop_on_wrong_move: whether it ends when a wrong move is seen: the board at rest, changed to something
            else than was asked for.

    Raises:
        UnknownNameError: for an unknown name or option, listing the valid ones.
        OptionError: for a value that is not allowed.
        CapabilityError: if the backend lacks a modality or what the task needs, or if the backend or the task
            cannot do a perturbation.
        StateError: for a condition set that is damaged, edited or of another version.
        RenderError: if cameras are asked for and no graphics driver works.
    """
    options = {name: value for name, value in locals().items() if name != "unknown"}
    _check_known(unknown)
    return _prepared(**options)()


def check_options(task: str | Task = "place_stone", **options: object) -> None:
    """Returns if ``make_task`` would build it; nothing is built, and no renderer is asked for.

    Raises:
        UnknownNameError, OptionError, CapabilityError, StateError: as ``make_task``.
    """
    bound = inspect.signature(make_task).bind(task, **options)
    bound.apply_defaults()
    _check_known(bound.arguments.pop("unknown", {}))
    _prepared(**bound.arguments)


def _check_known(unknown: dict) -> None:
    if unknown:
        valid = [
            name for name, p in inspect.signature(make_task).parameters.items() if p.kind != p.VAR_KEYWORD
        ]
        raise UnknownNameError("option of make_task", next(iter(unknown)), valid)


def _prepared(
    task: str | Task,
    *,
    backend: str,
    action_mode: str,
    cameras: tuple[str, ...],
    image_size: tuple[int, int],
    modalities: tuple[str, ...],
    supersample: int | None,
    control_hz: int,
    perturbations: object,
    split: str,
    max_steps: int | None,
    stop_on_success: bool,
    stop_on_wrong_move: bool,
) -> Callable[[], Environment]:
    """What builds the environment, once everything has been checked."""
    if not isinstance(task, Task):
        TASKS.target(task)
    BACKENDS.target(backend)  # both names are checked before anything is imported
    check_choice("split", split, SPLITS)
    suite = make_suite(perturbations)
    if supersample is None:
        supersample = DEFAULT_SUPERSAMPLE
    maker = task if isinstance(task, Task) else TASKS.load(task)()
    if max_steps is None:
        max_steps = maker.max_steps
    for name, value, most in (("max_steps", max_steps, 10**9), ("supersample", supersample, 8)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise OptionError(f"{name} must be an integer from 1 to {most}, got {value!r}")
    action = ActionSpec(mode=action_mode, control_hz=control_hz, deeper=suite.lowest_table())
    observation = ObservationSpec(
        cameras=cameras if isinstance(cameras, str) else tuple(cameras),
        image_size=tuple(image_size),
        modalities=modalities if isinstance(modalities, str) else tuple(modalities),
    )
    backend_class = BACKENDS.load(backend)
    if observation.cameras:
        backend_class.require(map(Capability, observation.modalities), "the pictures that are asked for")
    backend_class.require(maker.capabilities, f"task {maker.name!r}")
    suite.check(backend_class, maker, observation.cameras)
    scene = suite.prepare(maker.stage(clean_scene(observation.cameras)))
    return lambda: Environment(
        maker,
        backend_class(),
        scene,
        action=action,
        observation=observation,
        perturbations=suite,
        options=EpisodeOptions(
            split=split,
            max_steps=max_steps,
            stop_on_success=bool(stop_on_success),
            stop_on_wrong_move=bool(stop_on_wrong_move),
            supersample=supersample,
        ),
    )
