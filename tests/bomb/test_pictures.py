"""Pictures and videos as files that others can read."""

import io

import numpy as np
import pytest
from PIL import Image

from bomb.disk.files import FileError, read_json, write_bytes, write_json
from bomb.pictures.images import GAP, caption_height, captioned, grid, write_mp4, write_png
from core.errors import OptionError


def plain(value: int, height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


def test_a_caption_stands_under_the_picture():
    picture = captioned(plain(7, 40, 200), "mujoco: placed")
    assert picture.shape == (40 + caption_height(200), 200, 3)
    assert (picture[:40] == 7).all() and picture[40:].min() < 100


def test_a_caption_that_is_too_long_is_cut():
    assert captioned(plain(7, 40, 60), "a very long caption " * 9).shape == (40 + caption_height(60), 60, 3)


def test_a_grid_keeps_rows_and_columns():
    picture = grid([[plain(1), plain(2)], [plain(3)]])
    assert picture.shape == (2 * 20 + GAP, 2 * 30 + GAP, 3)
    assert picture[0, 0, 0] == 1 and picture[0, 30 + GAP, 0] == 2 and picture[20 + GAP, 0, 0] == 3
    with pytest.raises(OptionError, match="one shape"):
        grid([[plain(1), plain(1, 21)]])
    with pytest.raises(OptionError, match="one shape"):
        grid([])


def test_png_is_lossless(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (11, 13, 3), dtype=np.uint8)
    write_png(tmp_path / "deep" / "picture.png", picture)
    assert (np.asarray(Image.open(tmp_path / "deep" / "picture.png")) == picture).all()


def test_mp4_plays_back(tmp_path):
    import av

    file = tmp_path / "film.mp4"
    assert write_mp4(file, (plain(20 * k, 41, 61) for k in range(10)), fps=20) == 10
    with av.open(io.BytesIO(file.read_bytes())) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
    assert len(frames) == 10 and frames[0].shape == (40, 60, 3)
    assert abs(frames[5].astype(int) - 100).max() < 12
    with pytest.raises(FileError, match="no frames"):
        write_mp4(tmp_path / "empty.mp4", [], fps=20)


def test_files_are_whole_or_not_there(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    write_json(tmp_path / "b.json", {"x": 1})
    write_bytes(tmp_path / "c.json", b"[1]")
    assert read_json(tmp_path / "b.json") == {"x": 1}
    with pytest.raises(FileError, match="has a list"):
        read_json(tmp_path / "c.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.json", "c.json"]
