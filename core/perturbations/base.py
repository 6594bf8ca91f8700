"""What a perturbation is: one named way in which an episode may differ from its clean twin.

A knob is *graded* (severity 1 to 5 in a unit of its own; 0 is exactly the clean world) or *categorical*
(named sets). It draws plain values once per episode, from a stream of its own that nothing else touches,
and severity scales what was drawn: the same seed goes farther in the same direction. What a draw does is a
function of the draw alone, so that a draw that was written down can be played again, in either engine.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from core.backend import Capability
from core.errors import (
    NATURAL,
    CapabilityError,
    Number,
    OptionError,
    RegistrationError,
    check_choice,
    check_integer,
    check_numbers,
    take_plain_numbers,
)
from core.task import Episode, Task
from core.world.scene import CameraSpec, SceneSpec
from core.world.stage import CAMERAS

SEVERITIES = (0, 1, 2, 3, 4, 5)
HIGHEST = SEVERITIES[-1]

Level = int | str


class Touches(Enum):
    """What a knob changes; everything else stays as in the clean twin, to the last bit."""

    PICTURE = "materials and lights, as drawn"
    CAMERA = "where a camera stands and how it looks"
    SENSOR = "the finished colour picture"
    LAYOUT = "where board and stones are"
    SHAPE = "shape and look of the stones"
    OBJECTS = "what else stands on the table"
    ROBOT = "how robot and table stand at reset"
    WORDS = "the instruction"
    PHYSICS = "friction and masses"
    CONTROL = "what becomes of an action"


# Knobs of these kinds leave the sequence of states as it is.
WITHOUT_PHYSICS = frozenset({Touches.PICTURE, Touches.CAMERA, Touches.SENSOR, Touches.WORDS})


@dataclass(frozen=True, kw_only=True)
class Actuation:
    """What happens to actions on their way to the controller.

    Attributes:
        latency: control steps by which they arrive late.
        noise: standard deviation of the jitter of the commanded target along each axis (m).
    """

    latency: int = 0
    noise: float = 0.0

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        check_numbers(self, {"latency": NATURAL, "noise": Number(whole=False, least=0, unit="metres")})


class Perturbation(ABC):
    """One knob.

    Attributes:
        name: what users type.
        family: where it stands in the documentation.
        touches: what it changes.
        unit: of a graded knob's severities.
        levels: what severities 1 to 5 mean, in words or numbers of ``unit``; empty if categorical.
        sets: of a categorical knob, name to meaning; empty if graded.
        statistic: what grows strictly with severity, for one draw.
        capabilities: what a backend must be able to do.
        per_camera: whether ``name@camera`` restricts it to one camera.
        after: of a knob from outside: the knob of BOMB's right after which it is applied; empty: the last of
            its family, or else the last that touches the same.
    """

    name: ClassVar[str]
    family: ClassVar[str]
    touches: ClassVar[Touches]
    unit: ClassVar[str] = ""
    levels: ClassVar[tuple[str, ...]] = ()
    sets: ClassVar[dict[str, str]] = {}
    statistic: ClassVar[str] = ""
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    per_camera: ClassVar[bool] = False
    after: ClassVar[str] = ""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if getattr(cls, "touches", None) is Touches.SENSOR and not cls.per_camera:
            raise RegistrationError(f"{cls.__name__} touches the SENSOR, so it needs per_camera = True")

    @abstractmethod
    def draw(self, rng: np.random.Generator, level: Any) -> dict[str, Any]:
        """The values of one episode: numbers, strings and lists, JSON as it stands.

        ``level`` is what ``check`` returned: the severity, an int, or of a categorical knob the set's name.
        What is drawn from ``rng`` must not depend on a graded ``level``, which only scales it.
        """

    def prepare(self, scene: SceneSpec) -> SceneSpec:
        """What a world must be built with so that the knob can be turned in place."""
        return scene

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        """The scene with the draw applied; the task lays out its stones on it afterwards."""
        return scene

    def arrange(self, episode: Episode, draw: dict[str, Any], task: Task) -> Episode:
        """The episode with the draw applied: words, stones, where the robot starts."""
        return episode

    def develop(
        self, picture: npt.NDArray[np.uint8], draw: dict[str, Any], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        """The finished picture, uint8[H, W, 3], with the draw applied; ``rng`` is new for every picture."""
        return picture

    def actuate(self, actuation: Actuation, draw: dict[str, Any]) -> Actuation:
        """What happens to actions, with the draw applied."""
        return actuation

    def lowest_table(self, level: Any) -> float:
        """By how much the table may stand lower than the clean one (m)."""
        return 0.0

    def check(self, level: object) -> Level:
        """Returns ``level`` if it is one of this knob's.

        Raises:
            OptionError: if a severity is not an integer from 0 to 5.
            UnknownNameError: if a set does not exist.
        """
        if self.sets and level != 0:
            return check_choice(f"set of {self.name}", level, self.sets)
        return check_integer(f"severity of {self.name}", level, least=0, most=HIGHEST)

    def check_task(self, task: Task, level: Level) -> None:
        """Returns if episodes of ``task`` may be perturbed so.

        By default a knob of layouts must be one of ``Task.layout_knobs``, and every other suits all tasks.

        Raises:
            CapabilityError: saying what the task can do.
        """
        if self.touches is Touches.LAYOUT and self.name not in task.layout_knobs:
            raise CapabilityError(
                f"task {task.name!r} cannot do {self.name}, which would change what is asked for; "
                f"of its kind it can do: {', '.join(sorted(task.layout_knobs)) or 'nothing'}"
            )


class CameraPerturbation(Perturbation):
    """A knob that every camera turns by itself; a draw has the values of each under ``cameras``."""

    per_camera: ClassVar[bool] = True

    @abstractmethod
    def view(self, camera: CameraSpec, draw: dict[str, Any]) -> CameraSpec:
        """The ``CameraSpec`` with one camera's draw applied."""

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        drawn = draw["cameras"]
        cameras = tuple(self.view(c, drawn[c.name]) if c.name in drawn else c for c in scene.cameras)
        return replace(scene, cameras=cameras)


def split_name(name: object) -> tuple[str, str | None]:
    """The knob's name and the camera of ``name@camera``, or None.

    Raises:
        UnknownNameError: if that camera does not exist.
    """
    if not isinstance(name, str):
        raise OptionError(f"a perturbation is named by a string, got {name!r}")
    knob, at, camera = name.partition("@")
    return knob, (check_choice("camera", camera, CAMERAS) if at else None)


def spread(rng: np.random.Generator) -> float:
    """A drawn share of a severity's full range: 0.6 to 1, so that levels of one seed never meet."""
    return float(rng.uniform(0.6, 1.0))


def sign(rng: np.random.Generator) -> float:
    """-1 or 1."""
    return float(rng.choice([-1.0, 1.0]))


def plain(values: npt.ArrayLike) -> list[Any]:
    """A list of plain floats, nested as ``values`` is."""
    numbers: list[Any] = np.asarray(values, dtype=np.float64).tolist()
    return numbers


def copied(value: object) -> object:
    """A draw anew: dicts, and flat lists of plain values. ``deepcopy`` would cost more than a step."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return value.copy() if isinstance(value, list) else value
