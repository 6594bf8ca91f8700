"""What a physics engine must do for BOMB: the small set that truly differs by engine."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from core.errors import CapabilityError, RenderError
from core.world.capability import Capability
from core.world.changes import check_changes
from core.world.scene import CameraSpec, SceneSpec
from core.world.state import SceneState, Trace

__all__ = ["PHYSICS", "PICTURES", "Backend", "CameraImage", "Capability", "ContactForce"]

# Grows when either engine makes other states of the same state and targets: other settings, shapes or drives.
# It stands among the versions of every run and dataset, beside those of the engines.
PHYSICS = 2
# Grows when either engine draws other pictures of the same state: other materials, lights or textures.
PICTURES = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraImage:
    """One rendered view; a picture that was not asked for is None.

    Attributes:
        rgb: uint8[H, W, 3], sRGB-encoded.
        depth: float32[H, W], metres along the optical axis.
        segmentation: int32[H, W] of ``SegmentationId``.
    """

    rgb: npt.NDArray[np.uint8] | None = None
    depth: npt.NDArray[np.float32] | None = None
    segmentation: npt.NDArray[np.int32] | None = None

    @property
    def colors(self) -> npt.NDArray[np.uint8]:
        """``rgb``, where it was asked for.

        Raises:
            RenderError: if it was not drawn.
        """
        if self.rgb is None:
            raise RenderError("no colours were drawn")
        return self.rgb

    @property
    def distances(self) -> npt.NDArray[np.float32]:
        """``depth``, where it was asked for.

        Raises:
            RenderError: if it was not drawn.
        """
        if self.depth is None:
            raise RenderError("no depth was drawn")
        return self.depth

    @property
    def ids(self) -> npt.NDArray[np.int32]:
        """``segmentation``, where it was asked for.

        Raises:
            RenderError: if it was not drawn.
        """
        if self.segmentation is None:
            raise RenderError("no segmentation was drawn")
        return self.segmentation


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
        built: the scene that ``build`` compiled; ``build`` sets it.
    """

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    built: SceneSpec

    @classmethod
    def require(cls, capabilities: Iterable[Capability], what: str) -> None:
        """Returns if the backend can do all of ``capabilities``.

        Args:
            capabilities: what is needed.
            what: needs them, as the message names it.

        Raises:
            CapabilityError: naming what is missing, and what the backend can do.
        """
        missing = sorted(needed.value for needed in set(capabilities) - cls.capabilities)
        if missing:
            able = ", ".join(sorted(capability.value for capability in cls.capabilities)) or "nothing"
            raise CapabilityError(
                f"backend {cls.name!r} cannot do {what}: it has no {', '.join(missing)}; it has: {able}"
            )

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

    def reset(self, scene: SceneSpec, state: SceneState) -> None:
        """Puts the world into ``state``, dressed as ``scene``; everything that came before is forgotten.

        Raises:
            CapabilityError: if ``scene`` differs from the built one in something that may not change, see
                ``core.world.changes``; the world has not moved.
            StateError: if the state names stones that the pool does not have.
        """
        check_changes(self.built, scene, backend=self.name, capabilities=self.capabilities)
        self.dress(scene)
        self.write_state(state)

    @abstractmethod
    def dress(self, scene: SceneSpec) -> None:
        """Makes the world look and behave like ``scene``, in place, from the next ``write_state`` on.

        ``scene`` differs from the built one only in what ``core.world.changes.CHANGEABLE`` names and
        ``capabilities`` allow.
        """

    @abstractmethod
    def step(self, joint_targets: npt.NDArray[np.float64]) -> None:
        """Advances the world by ``k`` time steps.

        Args:
            joint_targets: float64[k, 9], drive targets of each step (rad, m), as the controller made them.
        """

    def step_traced(self, joint_targets: npt.NDArray[np.float64]) -> Trace:
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
        """Contacts of the last time step that carry force.

        Raises:
            CapabilityError: if the backend has no ``contact_forces``.
        """

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
