"""Options that are refused, and what the message names."""

import subprocess
import sys

import pytest

from bomb.cli import main
from bomb.cli.export import image_size
from bomb.disk.files import FileError
from bomb.exports import export
from bomb.exports.settings import ExportSettings
from core.errors import OptionError, UnknownNameError, install_command
from tests.exports.conftest import make_dataset
from tests.test_imports import ROOT


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cameras": ("side",)}, UnknownNameError, "unknown camera 'side'; valid: front, head, wrist"),
        ({"cameras": ()}, OptionError, "an export needs a camera"),
        ({"cameras": ("head", "head")}, OptionError, "named twice"),
        ({"columns": ("mask",)}, UnknownNameError, "unknown column 'mask'; valid: board_corners"),
        ({"actions": "velocity"}, UnknownNameError, "unknown action convention 'velocity'"),
        ({"codec": "vp9"}, UnknownNameError, "unknown codec 'vp9'; valid: av1, h264"),
        ({"pictures": "jpeg"}, UnknownNameError, "in lerobot 'jpeg'; valid: png, video"),
        ({"image_size": (31, 32)}, OptionError, "both sides of a picture must be even, got 31 x 32"),
        ({"image_size": (0, 0)}, OptionError, r"8 to 4096 pixels, got \(0, 0\)"),
        ({"supersample": 0}, OptionError, "supersample must be an integer from 1 to 8, got 0"),
        ({"name": "My Data"}, OptionError, "lower-case letters"),
        ({"workers": 0}, OptionError, "workers must be an integer from 1 up, got 0"),
        ({"shard_frames": 0}, OptionError, "shard_frames must be an integer from 1 up, got 0"),
        ({"shard_seconds": 0}, OptionError, "shard_seconds must be a positive number of seconds, got 0"),
        ({"perturbations": "friction:2"}, OptionError, "the episode has been played"),
        ({"backend": "bullet"}, UnknownNameError, "unknown backend 'bullet'"),
        ({"perturbations": "defocus@wrist:3"}, OptionError, "for a camera that is not there; cameras: head"),
    ],
)
def test_what_is_not_allowed_is_named(short, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        export(short.path, "lerobot", tmp_path / "out", bars=False, **options)
    assert not (tmp_path / "out").exists()  # or the right options would be refused there


def test_an_unknown_format_lists_the_formats(short, tmp_path, capsys):
    assert main(["export", str(short.path), "--format", "hdf5", "--out", str(tmp_path / "out")]) == 2
    assert "unknown format 'hdf5'; valid: lerobot, lerobot-v2.1, rlds" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_missing_extra_is_named(short, tmp_path):
    """In a process in which neither pyarrow nor TensorFlow can be imported."""
    code = """
import sys
for name in ("pyarrow", "tensorflow"):
    sys.modules[name] = None
from bomb.cli import main
status = [main(["export", sys.argv[1], "--format", f, "--out", sys.argv[2]]) for f in ("lerobot", "rlds")]
sys.exit(status != [2, 2])
"""
    words = [sys.executable, "-c", code, short.path, tmp_path / "out"]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert install_command("data") in answer.stderr
    assert install_command("rlds") in answer.stderr


def test_a_damaged_demonstration_is_named(tmp_path):
    dataset = make_dataset(tmp_path / "dataset", episodes=2, steps=3)
    file = dataset.episode_file(1)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(FileError, match=r"episode_000001\.npz cannot be read"):
        export(dataset.path, "lerobot", tmp_path / "out", bars=False)
    with pytest.raises(FileError, match="nothing"):
        export(tmp_path / "nothing", "lerobot", tmp_path / "out", bars=False)
    assert not (tmp_path / "out").exists()


def test_two_engines_ask_which_is_to_draw(tmp_path):
    dataset = make_dataset(tmp_path / "dataset", episodes=1, steps=3)
    settings = tmp_path / "dataset" / "dataset.json"
    settings.write_text(settings.read_text().replace('"mujoco"\n', '"mujoco",\n"robotwin"\n', 1))
    with pytest.raises(OptionError, match="played in mujoco and robotwin"):
        export(dataset.path, "lerobot", tmp_path / "out", bars=False)


def test_sizes():
    assert image_size("224") == (224, 224) and image_size("240x320") == (240, 320)
    for words in ("", "big", "1x2x3", "-4"):
        with pytest.raises(OptionError, match="PIXELS or HEIGHTxWIDTH"):
            image_size(words)


def test_settings_are_plain_values():
    plain = ExportSettings(format="lerobot", backend="mujoco", cameras=("head", "wrist")).to_dict()
    assert plain["cameras"] == ["head", "wrist"] and plain["image_size"] == [256, 256]
