"""A saved environment: world, judge, controller, step and episode, as one checked block of bytes."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.control.controller import ControllerState
from core.errors import StateError
from core.world.state import SceneState

MAGIC = b"BOMB-ENVIRONMENT-2\n"
_DIGEST = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """Everything that ``Environment.load_state`` needs to go on.

    Attributes:
        header: plain values: episode (task, split, seed, ...), action mode, step counts, flags.
        scene_state: the world.
        controller: what the controller remembers.
        start: the world when the present move began.
        judges: the own encoding of every judge of the present move.
    """

    header: dict[str, Any]
    scene_state: SceneState
    controller: ControllerState
    start: SceneState
    judges: list[bytes]

    def to_bytes(self) -> bytes:
        """Equal snapshots have equal bytes."""
        control = self.controller
        blocks = [
            json.dumps(self.header, sort_keys=True, separators=(",", ":")).encode(),
            self.scene_state.to_bytes(),
            np.array([*control.target, *control.joints, control.opening], "<f8").tobytes(),
            self.start.to_bytes(),
            *self.judges,
        ]
        body = b"".join(len(block).to_bytes(8, "little") + block for block in blocks)
        return MAGIC + hashlib.sha256(body).digest() + body

    @classmethod
    def from_bytes(cls, data: object) -> "Snapshot":
        """Inverse of ``to_bytes``.

        Raises:
            StateError: if the bytes are foreign or damaged.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise StateError(f"a saved state is bytes, got {type(data).__name__}")
        data = bytes(data)
        if not data.startswith(MAGIC):
            raise StateError(f"not a saved BOMB environment: starts with {data[:20]!r}, not {MAGIC!r}")
        start = len(MAGIC) + _DIGEST
        body = data[start:]
        if hashlib.sha256(body).digest() != data[len(MAGIC) : start]:
            raise StateError(f"saved state is damaged: the checksum of its {len(body)} bytes is wrong")
        blocks = []
        while body:
            size = int.from_bytes(body[:8], "little")
            blocks.append(body[8 : 8 + size])
            body = body[8 + size :]
        header, scene_state, control, layout, *judges = blocks
        values = np.frombuffer(control, "<f8")
        return cls(
            header=json.loads(header),
            scene_state=SceneState.from_bytes(scene_state),
            controller=ControllerState(
                target=tuple(values[:3].tolist()),
                joints=values[3:12].copy(),
                opening=float(values[12]),
            ),
            start=SceneState.from_bytes(layout),
            judges=judges,
        )
