"""The knobs, in the order in which they are applied."""

from core.perturbations.base import Perturbation
from core.perturbations.board import BoardPose
from core.perturbations.camera import CameraDistance, CameraElevation, CameraFov, CameraOrbit, CameraRoll
from core.perturbations.light import LightColor, LightDirection, LightIntensity, Shadows
from core.perturbations.materials import Reflectivity
from core.perturbations.objects import Distractors
from core.perturbations.physics import ActionLatency, ActionNoise, Friction, StoneMass
from core.perturbations.robot import ArmStart, TableHeight
from core.perturbations.sensor import Brightness, ColorBalance, Defocus, GaussianNoise, Jpeg, MotionBlur
from core.perturbations.stones import StoneAmount, StoneKind, StoneLayout, StonePosition
from core.perturbations.table import TableColor, TableTexture, WallColor, WallTexture
from core.perturbations.words import Words

# Textures before the colours that tint them, kinds of stones before their reflectivity, stones before the
# objects that keep away from them, optics before noise and compression.
KNOBS: dict[str, Perturbation] = {
    knob.name: knob
    for knob in (
        TableTexture(), TableColor(), WallTexture(), WallColor(), StoneKind(), Reflectivity(),
        TableHeight(), BoardPose(),
        CameraOrbit(), CameraElevation(), CameraDistance(), CameraRoll(), CameraFov(),
        LightIntensity(), LightColor(), LightDirection(), Shadows(),
        Friction(), StoneMass(), ActionLatency(), ActionNoise(),
        StoneLayout(), StoneAmount(), StonePosition(), ArmStart(), Distractors(), Words(),
        Defocus(), MotionBlur(), Brightness(), ColorBalance(), GaussianNoise(), Jpeg(),
    )
}  # fmt: skip
