"""Named mappings between BOMB's observations and actions and what a policy server speaks.

=========  =============================================  =======================================
name       request                                        actions of a reply
=========  =============================================  =======================================
``bomb``   everything that is observed, as it is          float[k, 4], the environment's own
``libero`` two pictures 224 x 224, state float32[8]       float[k, 7], delta, gripper -1 open, +1 closed
``droid``  two pictures 224 x 224, seven joints, gripper  float[k, 8], joint velocities, gripper 1 closed
=========  =============================================  =======================================

``docs/policies.md`` has them in full. A server turns them around with ``observation`` and ``reply``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bomb.integrations.openpi.pictures import resize_with_pad
from core.control.actions import ActionSpec
from core.errors import CapabilityError, ConventionError, OptionError, PolicyOutputError, check_choice

PROMPT = "prompt"
MAPPINGS = {
    "bomb": "bomb.integrations.openpi.native:BombMapping",
    "libero": "bomb.integrations.openpi.libero:LiberoMapping",
    "droid": "bomb.integrations.openpi.droid:DroidMapping",
}


class Mapping(ABC):
    """What is called how on the wire, and how it is measured.

    Attributes:
        name: as users type it.
        pictures: camera to the key of its picture.
        size: (height, width) of each picture sent; None leaves them as they are.
        action_dim: numbers in one action of the server's.
        mode: the only action mode it has a meaning for; None: any.
        scales: whether it is made with a ``delta_scale``.
        state, action: layouts in words, as results say them.
    """

    name: ClassVar[str]
    pictures: ClassVar[dict[str, str]] = {}
    size: ClassVar[tuple[int, int] | None] = None
    action_dim: ClassVar[int]
    mode: ClassVar[str | None] = None
    scales: ClassVar[bool] = False
    state: ClassVar[str]
    action: ClassVar[str]

    @abstractmethod
    def request(self, observation: dict[str, Any]) -> dict[str, Any]:
        """An observation of BOMB's as a request.

        Raises:
            ConventionError: if it lacks a camera that the mapping sends.
        """

    @abstractmethod
    def actions(
        self, actions: npt.NDArray[Any], observation: dict[str, Any], spec: ActionSpec
    ) -> npt.NDArray[np.float32]:
        """The server's actions, float[k, ``action_dim``], as BOMB's, float32[k, 4]."""

    def check_spec(self, spec: ActionSpec) -> None:
        """Raises ``ConventionError`` if the server's actions mean nothing in this action mode."""
        if self.mode not in (None, spec.mode):
            raise ConventionError(
                f"mapping {self.name!r} gives {self.mode} actions, the environment takes {spec.mode!r}; "
                f"make it with action_mode={self.mode!r}"
            )

    def check_actions(self, actions: object, source: str) -> npt.NDArray[Any]:
        """Returns what a server sent as ``actions``, if it is real, finite, and of the right shape.

        Raises:
            PolicyOutputError: naming ``source`` and the value.
        """
        array = np.asarray(actions)
        what, wrong = f"{array.dtype}{list(array.shape)}", None
        if array.dtype.kind not in "iuf" or array.ndim != 2 or not len(array):
            wrong = f"must be float[k, {self.action_dim}] with k >= 1, got {what}"
        elif array.shape[1] != self.action_dim:
            wrong = (
                f"have {array.shape[1]} dimensions, mapping {self.name!r} has "
                f"{self.action_dim} ({self.action})"
            )
        elif not np.isfinite(array).all():
            row, entry = np.argwhere(~np.isfinite(array))[0]
            what = f"{array[row, entry]} in action {row}, entry {entry}"
            wrong = f"must be finite, got {what}"
        if wrong is not None:
            raise PolicyOutputError(f"{source}: actions {wrong}", value=what)
        return array

    def describe(self) -> dict[str, Any]:
        """What results say about it."""
        return {
            "name": self.name,
            "pictures": dict(self.pictures) or "all, as they are",
            "picture_size": list(self.size) if self.size else None,
            "state": self.state,
            "actions": self.action,
        }

    def _pictures(self, observation: dict[str, Any]) -> dict[str, Any]:
        images = observation.get("images", {})
        missing = [camera for camera in self.pictures if camera not in images]
        if missing:
            raise ConventionError(
                f"mapping {self.name!r} needs cameras {', '.join(self.pictures)}; "
                f"the observation has {', '.join(images) or 'none'}"
            )
        if self.size is None:
            return {key: images[camera] for camera, key in self.pictures.items()}
        height, width = self.size
        return {key: resize_with_pad(images[camera], height, width) for camera, key in self.pictures.items()}


class TwoWayMapping(Mapping):
    """A mapping that a server of BOMB's policies can use, too."""

    @abstractmethod
    def observation(self, request: dict[str, Any]) -> dict[str, Any]:
        """A request as an observation of BOMB's: the inverse of ``request``.

        Raises:
            OptionError: naming the keys that are missing, and those that came.
        """

    @abstractmethod
    def reply(self, actions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """BOMB's actions, [k, 4], as the server's, float32[k, ``action_dim``]: the inverse of ``actions``."""

    def _needed(self, request: dict[str, Any], *keys: str) -> list[Any]:
        missing = [key for key in keys if key not in request]
        if missing:
            raise OptionError(
                f"the request lacks {', '.join(missing)}, which mapping {self.name!r} needs; "
                f"it has {', '.join(sorted(map(str, request))) or 'nothing'}"
            )
        return [request[key] for key in keys]

    def _state(self, state: object, size: int) -> npt.NDArray[np.float64]:
        array = np.asarray(state)
        if array.shape != (size,) or array.dtype.kind not in "iuf":
            raise OptionError(
                f"observation/state must be {size} numbers in mapping {self.name!r}, "
                f"got {array.dtype}{list(array.shape)}"
            )
        return array.astype(np.float64)


def mapping(name: str, delta_scale: float | None = None) -> Mapping:
    """The mapping of a name.

    Args:
        name: one of ``MAPPINGS``.
        delta_scale: what the server's delta of 1 is in BOMB's; None: the mapping's own.

    Raises:
        UnknownNameError: listing the valid names.
        OptionError: if a scale is given to a mapping whose actions have units.
    """
    module, _, attribute = MAPPINGS[check_choice("mapping", name, MAPPINGS)].partition(":")
    kind: type[Mapping] = getattr(import_module(module), attribute)
    if delta_scale is None:
        return kind()
    if not kind.scales:
        raise OptionError(f"mapping {name!r} takes no delta_scale: its actions are {kind.action}")
    scaled: Callable[[float], Mapping] = kind
    return scaled(delta_scale)


def serving_mapping(name: str) -> TwoWayMapping:
    """The mapping of a name, for a server.

    Raises:
        UnknownNameError: listing the valid names.
        CapabilityError: if it cannot be turned around.
    """
    found = mapping(name)
    if not isinstance(found, TwoWayMapping):
        raise CapabilityError(
            f"mapping {name!r} is for clients: policies of BOMB's do not give what it takes ({found.action})"
        )
    return found
