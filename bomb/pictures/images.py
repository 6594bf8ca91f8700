"""Frames side by side, with words under them; pictures and videos on disk."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError, appearing, for_ffmpeg, write_bytes
from core.errors import OptionError

GAP = 6  # pixels between neighbours
INK = (32, 32, 32)
PAPER = (250, 250, 248)


def caption_height(width: int) -> int:
    """How many pixels the line of text under a picture of that width takes."""
    return max(20, width // 13)


def captioned(frame: npt.NDArray[np.uint8], words: str, *, above: bool = False) -> npt.NDArray[np.uint8]:
    """uint8[H, W, 3] with a line of text under or above it, ``caption_height(W)`` high; long text is cut."""
    from PIL import Image, ImageDraw, ImageFont

    height, width, _ = frame.shape
    below = caption_height(width)
    picture = Image.new("RGB", (width, height + below), PAPER)
    picture.paste(Image.fromarray(frame), (0, below if above else 0))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=below * 0.62)
    while len(words) > 1 and draw.textlength(words, font=font) > width - 8:
        words = words[:-2] + "…"
    draw.text((5, below // 2 + (0 if above else height)), words, fill=INK, font=font, anchor="lm")
    return np.asarray(picture)


def grid(rows: Sequence[Sequence[npt.NDArray[np.uint8]]]) -> npt.NDArray[np.uint8]:
    """Pictures of one size in rows and columns, with gaps between them.

    Raises:
        OptionError: if there is no picture, or their shapes differ.
    """
    shapes = {picture.shape for row in rows for picture in row}
    if len(shapes) != 1:
        raise OptionError(f"pictures in a grid must have one shape, got {sorted(shapes)}")
    height, width, _ = shapes.pop()
    columns = max(len(row) for row in rows)
    canvas = np.empty(
        (len(rows) * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3),
        dtype=np.uint8,
    )
    canvas[:] = PAPER
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            canvas[r * (height + GAP) :, c * (width + GAP) :][:height, :width] = picture
    return canvas


def write_png(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Writes uint8[H, W, 3]."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    write_bytes(path, buffer.getvalue())


def write_mp4(path: Path, frames: Iterable[npt.NDArray[np.uint8]], fps: int) -> int:
    """Writes frames uint8[H, W, 3] as H.264 that every browser plays.

    Args:
        path: the file; it appears when it is whole.
        frames: of one size; an odd row or column at the edge is dropped, as the format wants even sides.
        fps: frames per second.

    Returns:
        How many frames were written.

    Raises:
        FileError: if there are no frames.
        WriteError: naming the file and the reason.
    """
    import av

    # The index goes to the front once all frames are written, so the file must be a real one.
    stream, count = None, 0
    with appearing(path) as beside:
        with (
            for_ffmpeg(beside) as name,
            av.open(name, "w", format="mp4", options={"movflags": "faststart"}) as container,
        ):
            for frame in frames:
                frame = np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])
                if stream is None:
                    options = {"crf": "20", "preset": "veryfast"}
                    stream = container.add_stream("libx264", rate=fps, options=options)
                    stream.height, stream.width = frame.shape[:2]
                    stream.pix_fmt = "yuv420p"
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
                count += 1
            if stream is not None:
                container.mux(stream.encode())
        if not count:
            raise FileError(f"no frames for {path}")
    return count
