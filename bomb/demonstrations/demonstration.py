"""One demonstration: what was seen, done and true in every step, in a few ten kilobytes.

Pictures are not stored: they can be drawn from the states at any time, see ``bomb.demonstrations.pictures``.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.episode.archive import read_archive
from core.episode.packing import pack, unpack
from core.errors import StateError
from core.world.state import JOINTS, SceneState

FORMAT = "bomb-demonstration"
VERSION = 1
_STONE = 13  # p, q, linear and angular velocity

# Stored arrays: dtype and shape, where T is the number of actions and S that of the stones.
_ARRAYS: dict[str, tuple[type, tuple[Any, ...]]] = {
    "observations": (np.float32, ("T+1", 4)),
    "actions": (np.float32, ("T", 4)),
    "periods": (np.int32, ("T+1",)),
    "instruction_index": (np.int16, ("T",)),
    "joints": (np.float32, ("T+1", 2 * JOINTS)),
    "stone_ids": (np.int16, ("S",)),
    "first_rows": (np.int32, ("S",)),
    "stones": (np.float32, ("T+1", "S", _STONE)),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Demonstration:
    """One episode of T actions. Row t of what was seen is the moment before action t; row T is the end.

    Attributes:
        about: plain values: all of ``EpisodeRecord.about`` (task, backend, split, seed, goal, perturbation,
            verdict, moves, ...), ``spans`` (per instruction: part to ``{"start", "end"}``), ``diversity``
            (what the expert varied, None if nothing) and ``fingerprint`` (SHA-256 of all that is stored).
        observations: float32[T+1, 4], proprioception: tool centre point in R (m), gripper opening 0..1.
        actions: float32[T, 4], as executed, in the action mode of ``about``.
        periods: int32[T+1], control periods since reset; the end comes after the final hold.
        instructions: the words of every move, in the order in which they were asked for.
        instruction_index: int16[T], which of them was asked for when action t was chosen.
        joints: float32[T+1, 18], joint positions (rad, m), then velocities (rad/s, m/s).
        stone_ids: int16[S], pool indices of all stones that were ever in play, ascending.
        first_rows: int32[S], row from which each is in play: 0, or later for stones that an opponent set.
        stones: float32[T+1, S, 13], X_WS as p (m) and q (wxyz), linear (m/s) and angular velocity (rad/s) in
            W; zero before a stone's first row.
    """

    about: dict[str, Any]
    observations: npt.NDArray[np.float32]
    actions: npt.NDArray[np.float32]
    periods: npt.NDArray[np.int32]
    instructions: list[str]
    instruction_index: npt.NDArray[np.int16]
    joints: npt.NDArray[np.float32]
    stone_ids: npt.NDArray[np.int16]
    first_rows: npt.NDArray[np.int32]
    stones: npt.NDArray[np.float32]

    @property
    def length(self) -> int:
        """T, the number of actions."""
        return len(self.actions)

    @property
    def seed(self) -> int:
        """Episode seed."""
        return int(self.about["seed"])

    def world(self, t: int) -> SceneState:
        """The world in row ``t``, 0 to T, to the last bit as it was.

        Raises:
            IndexError: for another row.
        """
        if not 0 <= t <= self.length:
            raise IndexError(f"row must be from 0 to {self.length}, got {t}")
        present = self.first_rows <= t
        stones = self.stones[t, present]
        return SceneState(
            joint_positions=self.joints[t, :JOINTS].copy(),
            joint_velocities=self.joints[t, JOINTS:].copy(),
            stone_ids=self.stone_ids[present],
            stone_poses=np.ascontiguousarray(stones[:, :7]),
            stone_velocities=np.ascontiguousarray(stones[:, 7:]),
        )

    def worlds(self) -> Iterator[SceneState]:
        """Every row's world, T + 1 of them."""
        return (self.world(t) for t in range(self.length + 1))

    def to_bytes(self) -> bytes:
        """A compressed NumPy archive; equal demonstrations give equal bytes. What rests costs nothing."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        head = {"format": FORMAT, "version": VERSION, "instructions": self.instructions, "about": self.about}
        buffer = io.BytesIO()
        packed: dict[str, Any] = {"head": np.frombuffer(json.dumps(head, allow_nan=False).encode(), np.uint8)}
        packed |= {name: pack(array) for name, array in arrays.items()}
        np.savez_compressed(buffer, **packed)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Demonstration":
        """Inverse of ``to_bytes``.

        Raises:
            StateError: saying what is wrong, if the bytes are foreign, damaged or of another version.
        """
        try:
            stored = read_archive(data)
            head = json.loads(stored.pop("head").tobytes())
        except KeyError as error:
            raise StateError(f"not a demonstration: it has no {error}") from error
        except (ValueError, RecursionError) as error:
            raise StateError(f"not a demonstration: {error}") from error
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise StateError(f"not a demonstration: its format is not {FORMAT!r}")
        if head.get("version") != VERSION:
            raise StateError(f"demonstration is of version {head.get('version')!r}, not {VERSION}")
        about, words = head.get("about"), head.get("instructions") or []
        if not isinstance(about, dict) or not _texts(words) or not isinstance(about.get("seed"), int):
            raise StateError(
                "demonstration is damaged: its head lacks seed, instructions or what it is about"
            )
        missing = sorted(_ARRAYS.keys() - stored.keys())
        if missing:
            raise StateError(f"demonstration lacks {', '.join(missing)}")
        arrays = {name: _unpacked(name, stored[name], dtype) for name, (dtype, _) in _ARRAYS.items()}
        return cls(about=about, instructions=words, **arrays).validated()

    def validated(self) -> "Demonstration":
        """Returns itself.

        Raises:
            StateError: naming the array that is misshapen or not finite, or if the fingerprint is another.
        """
        sizes = {"T": self.length, "T+1": self.length + 1, "S": len(self.stone_ids)}
        for name, (dtype, shape) in _ARRAYS.items():
            array, wanted = getattr(self, name), tuple(sizes.get(side, side) for side in shape)
            if array.shape != wanted or array.dtype != dtype:
                raise StateError(
                    f"{name} is {array.dtype}{list(array.shape)}, must be {np.dtype(dtype)}{list(wanted)}"
                )
            if not np.isfinite(array).all():
                raise StateError(f"{name} has values that are not finite")
        if self.length and not 0 <= self.instruction_index.min() <= self.instruction_index.max() < len(
            self.instructions
        ):
            raise StateError(f"instruction_index points beyond the {len(self.instructions)} instructions")
        if self.about.get("fingerprint") != self.fingerprint():
            raise StateError("demonstration was edited or damaged: its content has another fingerprint")
        return self

    def fingerprint(self) -> str:
        """SHA-256 of everything but the fingerprint in ``about``, in hexadecimal."""
        about = {name: value for name, value in self.about.items() if name != "fingerprint"}
        digest = hashlib.sha256(json.dumps([about, self.instructions], sort_keys=True).encode())
        for name in _ARRAYS:
            array = getattr(self, name)
            digest.update(f"{name}{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _unpacked(name: str, packed: np.ndarray, dtype: type) -> np.ndarray:
    """A stored array in the shape that ``_ARRAYS`` says.

    Raises:
        StateError: if it does not fit.
    """
    shape, flat = _ARRAYS[name][1], unpack(name, packed, dtype)
    if len(shape) == 1:
        return flat.reshape(-1)
    return flat if len(shape) == 2 else flat.reshape(len(flat), flat.shape[1] // _STONE, -1)
