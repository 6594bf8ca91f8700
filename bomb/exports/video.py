"""Videos that trainers read at random: short groups of pictures, no reordering, exact times."""

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from bomb.exports.settings import CODECS

if TYPE_CHECKING:
    from av import VideoStream

# A key frame every other picture, as LeRobot writes them: any frame costs at most two to decode.
_GROUP = 2
_OPTIONS = {
    # No B frames: pictures come out in the order in which they went in, the first at time 0.
    "libx264": {"g": str(_GROUP), "bf": "0", "crf": "18", "preset": "veryfast"},
    "libsvtav1": {"g": str(_GROUP), "crf": "30", "preset": "10"},
}
PIXELS = "yuv420p"


class VideoFile:
    """Writes pictures; picture ``k`` is shown at ``k / fps`` seconds.

    Args:
        path: an .mp4 file.
        fps: pictures per second.
        image_size: (height, width), both even.
        codec: out of ``bomb.exports.settings.CODECS``.
    """

    def __init__(self, path: Path, *, fps: int, image_size: tuple[int, int], codec: str):
        import av

        path.parent.mkdir(parents=True, exist_ok=True)
        encoder = CODECS[codec]
        # Without this SVT-AV1 writes a page about itself to stderr for every file.
        os.environ.setdefault("SVT_LOG", "1")
        self._av, self._count, self._time_base = av, 0, Fraction(1, fps)
        self._container = av.open(f"file:{path}", "w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream(encoder, rate=fps, options=dict(_OPTIONS[encoder]))
        self._stream = cast("VideoStream", stream)  # which of PyAV's kinds it is, follows from the encoder
        self._stream.height, self._stream.width = image_size
        self._stream.pix_fmt = PIXELS

    def add(self, picture: npt.NDArray[np.uint8]) -> None:
        """Appends uint8[H, W, 3]."""
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts, frame.time_base = self._count, self._time_base
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Ends the file."""
        if self._count:
            self._container.mux(self._stream.encode())
        self._container.close()

    def __enter__(self) -> "VideoFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def video_info(*, fps: int, image_size: tuple[int, int], codec: str) -> dict[str, Any]:
    """What ``info.json`` says of a video."""
    return {
        "video.height": image_size[0],
        "video.width": image_size[1],
        "video.codec": codec,
        "video.pix_fmt": PIXELS,
        "video.is_depth_map": False,
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
    }
