"""Pictures as bytes, encoded in a thread beside the renderer."""

import io
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy.typing as npt


def encode_png(picture: npt.NDArray[Any]) -> bytes:
    """uint8[H, W, 3] or uint16[H, W, 1] without loss."""
    # Run lengths of filtered rows: as small as the default on drawn pictures, in a third of the time.
    return _encoded(picture, "PNG", compress_level=1, compress_type=_Z_RLE)


def encode_jpeg(picture: npt.NDArray[Any]) -> bytes:
    """uint8[H, W, 3] with quality 95, colour at full resolution."""
    return _encoded(picture, "JPEG", quality=95, subsampling=0)


ENCODERS: dict[str, Callable[[npt.NDArray[Any]], bytes]] = {"png": encode_png, "jpeg": encode_jpeg}


_Z_RLE = 3  # zlib.h
_MOST_WAITING = 64  # pictures; what waits is held uncompressed


class Encoding:
    """Encodes pictures in the background; compression leaves the interpreter free, so drawing continues.

    Use as a context manager.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")
        self._waiting: deque[Future[bytes]] = deque()

    def begin(
        self, encode: Callable[[npt.NDArray[Any]], bytes], picture: npt.NDArray[Any]
    ) -> "Future[bytes]":
        """The bytes, once they are ready. ``picture`` must not change any more."""
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._threads.submit(encode, picture))
        return self._waiting[-1]

    def __enter__(self) -> "Encoding":
        return self

    def __exit__(self, *exception: object) -> None:
        self._threads.shutdown(cancel_futures=True)


def _encoded(picture: npt.NDArray[Any], kind: str, **options: object) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).save(buffer, kind, **options)
    return buffer.getvalue()
