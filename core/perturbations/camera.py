"""Where cameras stand and how they look.

``head`` and ``front`` turn about the middle of the clean board and about the world's vertical, ``wrist``
about the tool centre point and the hand's axis: what a camera looks at stays in view.
"""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from core.backend import Capability
from core.perturbations.base import CameraPerturbation, Touches, plain, sign, spread
from core.world.rotations import triple
from core.world.scene import BoardSpec, CameraSpec

TOOL_IN_HAND = (0.0, 0.0, 0.1034)  # m, URDF
_LIVE = frozenset({Capability.LIVE_CAMERAS})
_GROWS = "distance of the projected board corners from the clean ones"


def pivot(camera: CameraSpec) -> npt.NDArray[np.float64]:
    """The point that a camera turns about, in the frame of its parent (m)."""
    return np.array(BoardSpec().X_WB.p if camera.parent == "world" else TOOL_IN_HAND)


def turned(camera: CameraSpec, axis: npt.NDArray[np.float64], angle: float) -> CameraSpec:
    """The camera turned as one with its view about an axis through its pivot (Rodrigues)."""
    axis, center = axis / np.linalg.norm(axis), pivot(camera)

    def turn(along: npt.ArrayLike) -> tuple[float, float, float]:
        v = np.asarray(along, dtype=np.float64)
        return triple(
            plain(
                v * np.cos(angle)
                + np.cross(axis, v) * np.sin(angle)
                + axis * (axis @ v) * (1 - np.cos(angle))
            )
        )

    eye = plain(center + turn(np.asarray(camera.eye) - center))
    return replace(camera, eye=triple(eye), forward=turn(camera.forward), up=turn(camera.up))


class _Angle(CameraPerturbation):
    family: ClassVar[str] = "camera"
    touches: ClassVar[Touches] = Touches.CAMERA
    unit: ClassVar[str] = "degrees"
    statistic: ClassVar[str] = _GROWS
    capabilities: ClassVar[frozenset[Capability]] = _LIVE
    step: ClassVar[float]

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"angle_rad": float(np.radians(self.step * level) * sign(rng) * spread(rng))}


def _up_to(step: float, unit: str = "") -> tuple[str, ...]:
    return tuple(f"+-{step * k:g}{unit}" for k in range(1, 6))


class CameraOrbit(_Angle):
    """The camera goes around what it looks at."""

    name: ClassVar[str] = "camera_orbit"
    step: ClassVar[float] = 3.0
    levels: ClassVar[tuple[str, ...]] = _up_to(step)

    def view(self, camera: CameraSpec, draw: dict[str, Any]) -> CameraSpec:
        return turned(camera, np.array([0.0, 0.0, 1.0]), draw["angle_rad"])


class CameraElevation(_Angle):
    """The camera goes up or down around what it looks at."""

    name: ClassVar[str] = "camera_elevation"
    step: ClassVar[float] = 2.0
    levels: ClassVar[tuple[str, ...]] = _up_to(step)

    def view(self, camera: CameraSpec, draw: dict[str, Any]) -> CameraSpec:
        return turned(camera, np.cross(camera.forward, camera.up), draw["angle_rad"])


class CameraRoll(_Angle):
    """The camera turns about its optical axis."""

    name: ClassVar[str] = "camera_roll"
    step: ClassVar[float] = 3.0
    levels: ClassVar[tuple[str, ...]] = _up_to(step)

    def view(self, camera: CameraSpec, draw: dict[str, Any]) -> CameraSpec:
        forward = np.asarray(camera.forward) / np.linalg.norm(camera.forward)
        up, angle = np.asarray(camera.up), draw["angle_rad"]
        up = up - forward * (forward @ up)
        return replace(camera, up=tuple(plain(up * np.cos(angle) + np.cross(forward, up) * np.sin(angle))))


class CameraDistance(CameraPerturbation):
    """The camera goes nearer or farther."""

    name: ClassVar[str] = "camera_distance"
    family: ClassVar[str] = "camera"
    touches: ClassVar[Touches] = Touches.CAMERA
    unit: ClassVar[str] = "percent of the distance"
    levels: ClassVar[tuple[str, ...]] = _up_to(3, "%")
    statistic: ClassVar[str] = _GROWS
    capabilities: ClassVar[frozenset[Capability]] = _LIVE

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"factor": 1 + 0.03 * level * sign(rng) * spread(rng)}

    def view(self, camera: CameraSpec, draw: dict[str, Any]) -> CameraSpec:
        center = pivot(camera)
        eye = center + draw["factor"] * (np.asarray(camera.eye) - center)
        return replace(camera, eye=tuple(plain(eye)))


class CameraFov(CameraPerturbation):
    """The field of view grows or shrinks."""

    name: ClassVar[str] = "camera_fov"
    family: ClassVar[str] = "camera"
    touches: ClassVar[Touches] = Touches.CAMERA
    unit: ClassVar[str] = "degrees of the vertical field of view"
    levels: ClassVar[tuple[str, ...]] = _up_to(1.2)
    statistic: ClassVar[str] = _GROWS
    capabilities: ClassVar[frozenset[Capability]] = _LIVE

    def draw(self, rng: np.random.Generator, level: int) -> dict[str, Any]:
        return {"angle_rad": float(np.radians(1.2 * level) * sign(rng) * spread(rng))}

    def view(self, camera: CameraSpec, draw: dict[str, Any]) -> CameraSpec:
        return replace(camera, fovy=camera.fovy + draw["angle_rad"])
