"""The full state of every control period of an episode, as bytes, and its film."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from core.environment import Environment
from core.errors import StateError
from core.world.state import SceneState
from core.world.temporary import temporary_folder

_MAGIC = b"BOMB-STATES-1\n"


def pack_states(states: Sequence[SceneState]) -> bytes:
    """States, compressed; the first is the reset."""
    blocks = [state.to_bytes() for state in states]
    lengths = np.array([len(blocks), *map(len, blocks)], "<u4").tobytes()
    return _MAGIC + zlib.compress(lengths + b"".join(blocks), 6)


def unpack_states(data: bytes) -> list[SceneState]:
    """Inverse of ``pack_states``.

    Raises:
        StateError: if the bytes are damaged or foreign.
    """
    if not data.startswith(_MAGIC):
        raise StateError(f"no series of states: starts with {data[:14]!r}, not {_MAGIC!r}")
    try:
        plain = zlib.decompress(data[len(_MAGIC) :])
    except zlib.error as error:
        raise StateError(f"series of states is damaged: {error}") from error
    count = int(np.frombuffer(plain, "<u4", 1)[0])
    lengths = np.frombuffer(plain, "<u4", count, 4)
    ends = 4 + 4 * count + np.cumsum(lengths)
    return [
        SceneState.from_bytes(plain[end - size : end])
        for end, size in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]


def film(env: Environment, camera: str, seen: Sequence[tuple[int, SceneState]]) -> bytes:
    """An mp4 of an episode that has just been played, drawn now.

    Args:
        env: shows its last state afterwards, and cannot be played on.
        camera: the view.
        seen: (control periods since reset, state), in order.
    """
    from bomb.pictures.images import write_mp4

    def frames() -> Iterator[npt.NDArray[np.uint8]]:
        for period, state in seen:
            env.show(state, period=period)
            yield env.render_camera(camera, ("rgb",)).colors

    with temporary_folder("film") as folder:
        file = folder / "episode.mp4"
        write_mp4(file, frames(), env.action_spec.control_hz)
        return file.read_bytes()
