"""Between BOMB's actions, the model's own and the normalised ones that it learns."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bomb.integrations.actions import GRIPPERS, ActionConvention
from bomb.models.codecs.normalising import Normalisation, Normaliser
from bomb.models.codecs.statistics import Statistics
from core.errors import OptionError

NUMBERS = 4  # of BOMB's actions: x, y, z, gripper

# Dimensions of an action by what they do, for four numbers and for seven.
GROUPS: dict[int, dict[str, tuple[int, ...]]] = {
    4: {"xy": (0, 1), "z": (2,), "gripper": (3,)},
    7: {"xy": (0, 1), "z": (2,), "rotation": (3, 4, 5), "gripper": (6,)},
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ActionCodec:
    """One model's actions.

    Attributes:
        convention: what the numbers of the model's action mean.
        statistics: of the actions that it was trained on.
        normalisation: how they were normalised.

    Raises:
        OptionError: if the statistics are of another number of dimensions, or a dimension is constant.
    """

    convention: ActionConvention
    statistics: Statistics
    normalisation: Normalisation = field(default_factory=Normalisation)
    _normaliser: Normaliser = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.statistics.dims != self.convention.dims:
            raise OptionError(
                f"the statistics are of {self.statistics.dims} numbers of an action, rotation "
                f"{self.convention.rotation!r} makes {self.convention.dims}"
            )
        object.__setattr__(self, "_normaliser", Normaliser(self.statistics, self.normalisation))

    @property
    def dims(self) -> int:
        """Numbers of the model's action."""
        return self.convention.dims

    @property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """Dimensions by what they do: ``xy``, ``z``, ``gripper``, and ``rotation`` where there is one."""
        return GROUPS[self.dims]

    @property
    def spread(self) -> float:
        """How far a normalised number that is off by one moves an action at most, in BOMB's terms."""
        values = self._normaliser.backward(np.stack([np.zeros(self.dims), np.ones(self.dims)]))
        step = np.abs(values[1] - values[0])
        step[:3] *= self.convention.delta_scale
        return float(np.max(np.append(step[:3], step[-1])))

    def normalise(self, actions: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """BOMB's actions, float[..., 4], as the model learns them: float64[..., dims].

        Raises:
            OptionError: for another shape or a number that is not finite.
        """
        return self._normaliser.forward(from_bomb(self.convention, actions))

    def denormalise(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Normalised values, float[..., dims], in the model's own numbers: float64[..., dims].

        A gripper beyond its range is put at its end: a regression overshoots, which says nothing about the
        convention.
        """
        actions = self._normaliser.backward(values)
        grip = GRIPPERS[self.convention.gripper]
        actions[..., -1] = np.clip(actions[..., -1], grip.low, grip.high)
        return actions

    def to_bomb(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Normalised values, float[..., dims], as BOMB's actions: float32[..., 4].

        Raises:
            PolicyOutputError: as ``ActionConvention.to_bomb``.
        """
        actions = self.denormalise(values)
        return self.convention.to_bomb(actions.reshape(-1, self.dims)).reshape(*actions.shape[:-1], NUMBERS)


def from_bomb(convention: ActionConvention, actions: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """BOMB's actions, float[..., 4], in a model's numbers, float64[..., dims]: the inverse of ``to_bomb``.

    A rotation is zero. A binary gripper opens from an opening of one half on.

    Raises:
        OptionError: for another shape or a number that is not finite.
    """
    actions = np.asarray(actions, dtype=np.float64)
    if actions.ndim < 1 or actions.shape[-1] != NUMBERS or not np.isfinite(actions).all():
        raise OptionError(f"actions must be finite numbers of shape (..., 4), got shape {actions.shape}")
    result = np.zeros((*actions.shape[:-1], convention.dims))
    result[..., :3] = actions[..., :3] / convention.delta_scale
    grip, opening = GRIPPERS[convention.gripper], actions[..., 3]
    if grip.closes is None:
        result[..., -1] = opening
    else:
        closed, opened = (grip.high, grip.low) if grip.closes == "above" else (grip.low, grip.high)
        result[..., -1] = np.where(opening >= 0.5, opened, closed)
    return result
