"""The physical state of the world, the same bytes in both engines."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import StateError

ARM_JOINTS = 7
JOINTS = 9  # seven arm joints, then the left and the right finger
STATE_MAGIC = b"BOMB-STATE-1"


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneState:
    """Poses and velocities of robot, fingers and the stones in play, rounded to float32.

    Attributes:
        joint_positions: float32[9]: arm (rad), left and right finger (m).
        joint_velocities: float32[9] (rad/s, m/s).
        stone_ids: int16[S], pool indices of the stones in play, ascending.
        stone_poses: float32[S, 7], X_WS as p (m) and q (wxyz).
        stone_velocities: float32[S, 6], linear (m/s) and angular (rad/s) velocity in W.
    """

    joint_positions: npt.NDArray[np.float32]
    joint_velocities: npt.NDArray[np.float32]
    stone_ids: npt.NDArray[np.int16]
    stone_poses: npt.NDArray[np.float32]
    stone_velocities: npt.NDArray[np.float32]

    def to_bytes(self) -> bytes:
        """A canonical encoding: equal states have equal bytes."""
        return b"".join(
            [
                STATE_MAGIC,
                np.int16(len(self.stone_ids)).tobytes(),
                *(getattr(self, name).astype(dtype).tobytes() for name, dtype, _ in _FIELDS),
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "SceneState":
        """Inverse of ``to_bytes``.

        Raises:
            StateError: if the bytes are foreign, cut off or hold values that are not finite.
        """
        head = len(STATE_MAGIC)
        if data[:head] != STATE_MAGIC:
            raise StateError(f"not a BOMB scene state: starts with {data[:head]!r}, not {STATE_MAGIC!r}")
        if len(data) < head + 2:
            raise StateError(f"scene state is cut off after {len(data)} bytes")
        count = int(np.frombuffer(data, "<i2", 1, head)[0])
        sizes = [
            np.dtype(dtype).itemsize * items * (1 if name.startswith("joint") else count)
            for name, dtype, items in _FIELDS
        ]
        if count < 0 or len(data) != head + 2 + sum(sizes):
            raise StateError(
                f"scene state with {count} stones must have {head + 2 + sum(sizes)} bytes, has {len(data)}"
            )
        arrays, offset = {}, head + 2
        for (name, dtype, items), size in zip(_FIELDS, sizes, strict=True):
            array = np.frombuffer(data[offset : offset + size], dtype).copy()
            arrays[name] = array.reshape(count, items) if items in (6, 7) else array
            offset += size
        return cls(**arrays).validated()

    def validated(self) -> "SceneState":
        """Returns itself.

        Raises:
            StateError: naming the field that is not finite, misshapen, unsorted or no unit quaternion.
        """
        count = len(self.stone_ids)
        shapes = {
            "joint_positions": (JOINTS,),
            "joint_velocities": (JOINTS,),
            "stone_poses": (count, 7),
            "stone_velocities": (count, 6),
        }
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise StateError(f"{name} has shape {array.shape}, must be {shape}")
            if not np.isfinite(array).all():
                raise StateError(f"{name} has values that are not finite: {array[~np.isfinite(array)]}")
        if (count and (np.diff(self.stone_ids) <= 0).any()) or (self.stone_ids < 0).any():
            raise StateError(f"stone_ids must be ascending pool indices, got {self.stone_ids.tolist()}")
        norms = np.linalg.norm(self.stone_poses[:, 3:].astype(np.float64), axis=1)
        if (abs(norms - 1) > 1e-3).any():
            raise StateError(
                f"stone_poses[{int(np.argmax(abs(norms - 1)))}]: quaternion is not of unit length"
            )
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SceneState) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # its arrays can change: no key


class Trace(NamedTuple):
    """The world after each of ``k`` time steps, as the checker needs it to see what touched what.

    Attributes:
        joint_positions: float[k, 9] (rad, m).
        stone_poses: float[k, S, 7], X_WS as p (m) and q (wxyz), of the stones in play.
    """

    joint_positions: npt.NDArray[np.floating]
    stone_poses: npt.NDArray[np.floating]


_FIELDS = (
    ("joint_positions", "<f4", JOINTS),
    ("joint_velocities", "<f4", JOINTS),
    ("stone_ids", "<i2", 1),
    ("stone_poses", "<f4", 7),
    ("stone_velocities", "<f4", 6),
)
