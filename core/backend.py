"""What a physics engine must do for BOMB: the small set that truly differs by engine."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from core.world.scene import CameraSpec, SceneSpec
from core.world.state import SceneState, Trace


class Capability(Enum):
    """What a backend may be able to do. A missing one raises ``CapabilityError``."""

    RGB = "rgb"
    DEPTH = "depth"
    SEGMENTATION = "segmentation"
    CONTACT_FORCES = "contact_forces"
    CONTACT_FRICTION = "contact_friction"  # the tangential part of contact forces
    LIVE_MATERIALS = "live_materials"
    LIVE_LIGHTS = "live_lights"
    LIVE_CAMERAS = "live_cameras"
    LIVE_SHADOWS = "live_shadows"
    LIVE_POSES = "live_poses"  # of table, board and other static bodies
    LIVE_PHYSICS = "live_physics"  # friction and masses
    LIVE_SHAPES = "live_shapes"  # of stones
    STATIC_OBJECTS = "static_objects"


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraImage:
    """One rendered view; a picture that was not asked for is None.

    Attributes:
        rgb: uint8[H, W, 3], sRGB-encoded.
        depth: float32[H, W], metres along the optical axis.
        segmentation: int32[H, W] of ``SegmentationId``.
    """

    rgb: np.ndarray | None = None
    depth: np.ndarray | None = None
    segmentation: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class ContactForce:
    """One contact as the engine sees it: a diagnostic, never an input to the checker.

    Attributes:
        bodies: names of the two bodies, for example ``("stone_3", "panda_leftfinger")``.
        position: contact point in W (m).
        normal: the part of the force that presses the bodies apart, on the first body, in W (N).
        friction: the part along the surface, on the first body, in W (N); None of engines that do not tell
            it, which lack ``Capability.CONTACT_FRICTION``.
    """

    bodies: tuple[str, str]
    position: tuple[float, float, float]
    normal: tuple[float, float, float]
    friction: tuple[float, float, float] | None


class Backend(ABC):
    """One world in one engine.

    Life: ``build`` once, then any number of ``reset``, ``step``, ``read_state``, ``write_state`` and
    ``render``, then ``close``. ``core.Environment`` guards the order of calls and the threads, so a
    backend need not.

    Attributes:
        name: the registered name.
        capabilities: what this backend can do.
    """

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]

    @abstractmethod
    def build(self, scene: SceneSpec, *, image_size: tuple[int, int], supersample: int) -> None:
        """Compiles the scene. Without cameras in ``scene`` nothing drawn is built.

        Args:
            scene: the world; its stones are the whole pool, parked until a state puts them in play.
            image_size: (height, width) of every picture, in pixels.
            supersample: pictures are rendered this many times larger on each side and box-filtered
                in linear light.

        Raises:
            RenderError: if ``scene`` has cameras and no graphics driver works.
        """

    @abstractmethod
    def reset(self, scene: SceneSpec, state: SceneState) -> None:
        """Puts the world into ``state``, dressed as ``scene``; everything that came before is forgotten.

        Materials, lights, shadows, cameras, poses of table, board and objects, physics parameters and the
        shape of the stones may differ from the scene that was built and are changed in place; other shapes
        and counts may not.

        Raises:
            CapabilityError: if ``scene`` differs from the built one in something that cannot be changed.
        """

    @abstractmethod
    def step(self, joint_targets: np.ndarray) -> None:
        """Advances the world by ``k`` time steps.

        Args:
            joint_targets: float64[k, 9], drive targets of each step (rad, m), as the controller made them.
        """

    def step_traced(self, joint_targets: np.ndarray) -> Trace:
        """As ``step``, and tells the state after every time step; the world ends in the same bits.

        Called while a finger is near a stone. This one steps and reads in turn; engines that can tell it in
        less time override it.
        """
        states = []
        for row in joint_targets:
            self.step(row[None])
            states.append(self.read_state())
        return Trace(
            np.array([state.joint_positions for state in states]),
            np.array([state.stone_poses for state in states]),
        )

    @abstractmethod
    def read_state(self) -> SceneState:
        """The present state in float32; after ``write_state`` or ``reset`` exactly what was written."""

    @abstractmethod
    def write_state(self, state: SceneState) -> None:
        """Puts the world into ``state``; solver memory is cleared, so what follows depends on it alone.

        Raises:
            StateError: if the state names stones that the pool does not have.
        """

    @abstractmethod
    def contact_forces(self) -> list[ContactForce]:
        """Contacts of the last time step that carry force."""

    @abstractmethod
    def render(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        """Draws one view of the present state.

        Args:
            camera: name of a camera of the scene.
            modalities: out of ``rgb``, ``depth``, ``segmentation``.

        Raises:
            RenderError: if the driver fails.
        """

    @abstractmethod
    def set_camera(self, camera: CameraSpec) -> None:
        """Moves the camera of that name, or changes its field of view, from the next frame on."""

    @abstractmethod
    def close(self) -> None:
        """Frees the engine's resources. A second call does nothing."""
