"""A fingerprint of the machine: what both engines make here of fixed actions, against stored references.

Scores change with processor, driver and renderer. A fingerprint says whether they may have: the states of a
fixed episode, compared bit for bit, and some of its frames, compared within ``MEAN_OFF`` and ``SHARE_OFF``.
``bomb doctor --fingerprint`` takes one, ``bomb.machine.kept_fingerprints`` keeps it.
"""

import base64
import hashlib
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.disk.files import read_json
from bomb.machine.versions import physical_versions
from core.make import make_task
from core.seeding import stream

REFERENCE = Path(__file__).with_name("fingerprint_reference.json")
STEPS = 240  # control periods, twelve seconds
FRAMES = (0, 80, 160, 240)  # after so many of them
CAMERAS = ("head", "wrist")
SIZE = 32  # pixels
KEPT = 8  # control periods for which a direction is kept
# Pictures of two drivers that agree: mean difference of a frame (of 255), and the share of its values that
# are off by more than FAR, which are those of edges.
MEAN_OFF, FAR, SHARE_OFF = 1.0, 16, 0.01


@dataclass(frozen=True, kw_only=True)
class Print:
    """What one engine made of the fixed episode.

    Attributes:
        states: SHA-256 of the bytes of all states.
        pictures: SHA-256 of the frames.
        same_states: whether the states are the reference's, bit for bit; None: these versions have none.
        mean_off: largest mean difference of a frame from the reference's (of 255); None without one.
        share_off: largest share of a frame's values that are off by more than ``FAR``; None without one.
    """

    states: str
    pictures: str
    same_states: bool | None
    mean_off: float | None
    share_off: float | None

    @property
    def same_pictures(self) -> bool | None:
        """Whether the frames are the reference's within the tolerances."""
        if self.mean_off is None or self.share_off is None:
            return None
        return self.mean_off <= MEAN_OFF and self.share_off <= SHARE_OFF


def fixed_actions() -> npt.NDArray[np.float32]:
    """float32[STEPS, 4]: in random directions, more down than up, so that the hand meets table and stones."""
    rng, count = stream("ci", 0, "fingerprint"), STEPS // KEPT
    directions = rng.uniform((-1.0, -1.0, -1.0), (1.0, 1.0, 0.6), size=(count, 3))
    actions = np.column_stack([directions, rng.integers(2, size=count)])
    return np.repeat(actions, KEPT, axis=0).astype(np.float32)


def play(backend: str) -> tuple[str, npt.NDArray[np.uint8]]:
    """The fixed episode in this process.

    Returns:
        SHA-256 of the states, and the frames, uint8[frames, cameras, SIZE, SIZE, 3].

    Raises:
        RenderError: if no graphics driver works.
    """
    env = make_task(backend=backend, cameras=CAMERAS, image_size=(SIZE, SIZE), split="ci", max_steps=STEPS)
    try:
        env.begin(seed=0)
        states, frames = hashlib.sha256(env.scene_state.to_bytes()), []
        for step, action in enumerate([None, *fixed_actions()]):
            if action is not None:
                env.advance(action)
                states.update(env.scene_state.to_bytes())
            if step in FRAMES:
                images = env.observe()["images"]
                frames.append([images[camera] for camera in CAMERAS])
    finally:
        env.close()
    return states.hexdigest(), np.array(frames, dtype=np.uint8)


def compared(backend: str, states: str, frames: np.ndarray) -> Print:
    """What was played, beside the stored reference."""
    stored = read_json(REFERENCE) if REFERENCE.exists() else {}
    reference = stored.get("backends", {}).get(backend)
    if stored.get("versions") != physical_versions():
        reference = None
    mean_off = share_off = None
    if reference is not None:
        raw = zlib.decompress(base64.b64decode(reference["frames"]))
        off = abs(frames.astype(np.int16) - np.frombuffer(raw, dtype=np.uint8).reshape(frames.shape))
        mean_off = float(off.mean(axis=(2, 3, 4)).max())
        share_off = float((off > FAR).mean(axis=(2, 3, 4)).max())
    return Print(
        states=states,
        pictures=hashlib.sha256(frames.tobytes()).hexdigest(),
        same_states=None if reference is None else states == reference["states"],
        mean_off=mean_off,
        share_off=share_off,
    )


def as_reference(played: dict[str, tuple[str, np.ndarray]]) -> dict[str, Any]:
    """What ``REFERENCE`` holds, of what was played here by backend."""
    return {
        "versions": physical_versions(),
        "backends": {
            backend: {
                "states": states,
                "frames": base64.b64encode(zlib.compress(frames.tobytes(), 9)).decode(),
            }
            for backend, (states, frames) in played.items()
        },
    }


def to_dict(found: Print) -> dict[str, Any]:
    """Plain values for JSON."""
    return {**asdict(found), "same_pictures": found.same_pictures}
