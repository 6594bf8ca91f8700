"""``make_task``: the one call that users need."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from core.backend import Capability
from core.environment import Environment
from core.registry import BACKENDS, TASKS
from core.rendering.observation import PICTURES
from core.rendering.separate import separately_drawn
from core.settings import EnvironmentSettings, check_options
from core.task import Task
from core.world.stage import clean_scene

P = ParamSpec("P")


def _with_options_of(
    settings: Callable[P, EnvironmentSettings],
) -> Callable[[Callable[[EnvironmentSettings], Environment]], Callable[P, Environment]]:
    """Lets a function of settings be called with the options themselves; help and editors show them."""

    def wrap(make: Callable[[EnvironmentSettings], Environment]) -> Callable[P, Environment]:
        @wraps(make)
        def called(*args: P.args, **options: P.kwargs) -> Environment:
            check_options(options)
            return make(settings(*args, **options))

        # What must be given is shown first.
        shown = sorted(
            inspect.signature(settings).parameters.values(),
            key=lambda p: (p.kind, p.default is not inspect.Parameter.empty),
        )
        vars(called)["__signature__"] = inspect.Signature(shown, return_annotation=Environment)
        options = (inspect.getdoc(settings) or "").partition("Attributes:")[2].partition("Raises:")[0]
        called.__doc__ = (inspect.getdoc(make) or "").replace("Args:\n", f"Args:{options.rstrip()}\n", 1)
        return called

    return wrap


@_with_options_of(EnvironmentSettings)
def make_task(settings: EnvironmentSettings) -> Environment:
    """Builds a task in one of the simulators.

    Args:

    Raises:
        UnknownNameError: for an unknown name or option, listing the valid ones.
        OptionError: for a value that is not allowed.
        CapabilityError: if the backend lacks a modality or what the task needs, or if the backend or the task
            cannot do a perturbation.
        StateError: for a condition set that is damaged, edited or of another version.
        RenderError: if cameras are asked for and no graphics driver works.
    """
    return make_environment(settings)


def make_environment(settings: EnvironmentSettings) -> Environment:
    """What ``make_task`` builds of its options.

    Raises:
        UnknownNameError, OptionError, CapabilityError, RenderError: as ``make_task``.
    """
    return _prepared(settings)()


def check_settings(settings: EnvironmentSettings) -> None:
    """Returns if ``make_environment`` would build it; nothing is built, and no renderer is asked for.

    Raises:
        UnknownNameError, OptionError, CapabilityError: as ``make_task``.
    """
    _prepared(settings)


def _prepared(settings: EnvironmentSettings) -> Callable[[], Environment]:
    """What builds the environment, once everything has been checked."""
    task = settings.task
    if not isinstance(task, Task):
        TASKS.target(task)
    BACKENDS.target(settings.backend)  # both names are checked before anything is imported
    maker = task if isinstance(task, Task) else TASKS.load(task)()
    backend_class = BACKENDS.load(settings.backend)
    if settings.renderer is not None:
        drawing = BACKENDS.load(settings.renderer)
        if settings.cameras and drawing is not backend_class:
            backend_class = separately_drawn(backend_class, drawing)
    if settings.cameras:
        drawn = (Capability(name) for name in settings.modalities if name in PICTURES)
        backend_class.require(drawn, "the pictures that are asked for")
    backend_class.require(maker.capabilities, f"task {maker.name!r}")
    settings.suite.check(backend_class, maker, settings.cameras)
    scene = settings.suite.prepare(maker.stage(clean_scene(settings.cameras)))
    return lambda: Environment(maker, backend_class(), scene, settings=settings)
