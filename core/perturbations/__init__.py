"""The knobs, in the order in which they are applied: BOMB's own, and those that others register.

Third parties add theirs through the entry-point group ``bomb.perturbations``, or at run time with
``core.register_perturbation``; ``Perturbation.after`` says where one stands among BOMB's.
"""

from core.perturbations.board import BoardPose
from core.perturbations.camera import CameraDistance, CameraElevation, CameraFov, CameraOrbit, CameraRoll
from core.perturbations.knobs import Knobs
from core.perturbations.light import LightColor, LightDirection, LightIntensity, Shadows
from core.perturbations.materials import Reflectivity
from core.perturbations.objects import Distractors
from core.perturbations.physics import ActionLatency, ActionNoise, Friction, StoneMass
from core.perturbations.robot import ArmStart, TableHeight
from core.perturbations.sensor import Brightness, ColorBalance, Defocus, GaussianNoise, Jpeg, MotionBlur
from core.perturbations.stones import StoneAmount, StoneKind, StoneLayout, StonePosition
from core.perturbations.table import TableColor, TableTexture, WallColor, WallTexture
from core.perturbations.words import Words
from core.registry import Registry

# Textures before the colours that tint them, kinds of stones before their reflectivity, stones before the
# objects that keep away from them, optics before noise and compression.
_OURS = (
    TableTexture(), TableColor(), WallTexture(), WallColor(), StoneKind(), Reflectivity(),
    TableHeight(), BoardPose(),
    CameraOrbit(), CameraElevation(), CameraDistance(), CameraRoll(), CameraFov(),
    LightIntensity(), LightColor(), LightDirection(), Shadows(),
    Friction(), StoneMass(), ActionLatency(), ActionNoise(),
    StoneLayout(), StoneAmount(), StonePosition(), ArmStart(), Distractors(), Words(),
    Defocus(), MotionBlur(), Brightness(), ColorBalance(), GaussianNoise(), Jpeg(),
)  # fmt: skip

PERTURBATIONS = Registry(
    "perturbation",
    "bomb.perturbations",
    {knob.name: f"{type(knob).__module__}:{type(knob).__qualname__}" for knob in _OURS},
    home="core.perturbations:PERTURBATIONS",
)
KNOBS = Knobs(_OURS, PERTURBATIONS)


def list_perturbations() -> list[str]:
    """Names that ``make_task`` takes in ``perturbations``, presets aside."""
    return PERTURBATIONS.names()


def register_perturbation(name: str, target: str) -> None:
    """Adds a knob, also in the worker processes that are started afterwards.

    Args:
        name: lower-case name that users type.
        target: import string of a ``core.Perturbation`` class that is made without arguments,
            ``"module:Class"``, imported when it is first used.

    Raises:
        RegistrationError: if the name is taken by another target, or the target is malformed.
    """
    PERTURBATIONS.register(name, target)
