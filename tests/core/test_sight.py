"""What a policy declares to look at, against what it is shown."""

import numpy as np
import pytest

from core.errors import ConventionError, OptionError, UnknownNameError
from core.policy import Policy
from core.rendering.observation import ObservationSpec
from core.rendering.sight import Sight, described


class Looker(Policy):
    cameras = ("head",)

    def __init__(self, **said):
        self.image_size, self.said = 128, said

    def reset(self, instruction, seed):
        pass

    def act(self, observation):
        return np.zeros((1, 4), np.float32)

    def describe(self):
        return {"checkpoint": "x", **self.said}


def shown(**changes):
    values = {"cameras": ("head",), "image_size": (128, 128), "modalities": ("rgb",)}
    return ObservationSpec(**{**values, **changes})


def test_class_and_instance_declare():
    sight = Sight.of(Looker())
    assert sight == Sight(cameras=("head",), image_size=(128, 128))
    assert described(Looker()) == {"checkpoint": "x", "cameras": ["head"], "image_size": [128, 128]}
    assert described(Looker(modalities=["rgb"]))["modalities"] == ["rgb"]
    with pytest.raises(OptionError, match=r"image_size of Looker is \[128, 128\], .* says \[64, 64\]"):
        described(Looker(image_size=64))


def test_more_may_be_shown_and_nothing_less():
    sight = Sight(cameras=("head", "wrist"), image_size=(128, 96), modalities=("rgb", "depth"))
    full = shown(cameras=("wrist", "front", "head"), image_size=(128, 96), modalities=("depth", "rgb"))
    sight.check("it", full)
    Sight().check("it", shown(cameras=()))
    Sight(cameras=(), image_size=8).check("it", full)
    for change, said in (
        ({"cameras": ("head",)}, "is not shown wrist"),
        ({"image_size": (96, 128)}, "128 x 96 pixels, and is shown 96 x 128 pixels"),
        ({"modalities": ("rgb",)}, "is not shown depth"),
        ({"modalities": ()}, "is not shown rgb and depth"),
    ):
        spec = shown(**{"cameras": ("head", "wrist"), "image_size": (128, 96), **change})
        with pytest.raises(ConventionError, match=said):
            sight.check("it", spec)


def test_observations_are_checked_picture_by_picture():
    sight = Sight(cameras=("head",), image_size=16, modalities=("rgb",))
    good, bad = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 8, 3), np.uint8)
    sight.check_observation("it", {"images": {"head": good}})
    sight.check_observation("it", {"images": {"head": good, "front": good}, "depth": {"head": good[..., 0]}})
    for seen in ({}, {"images": {}}, {"images": {"front": good}}, {"images": {"head": bad}},
                 {"depth": {"head": good[..., 0]}}):  # fmt: skip
        with pytest.raises(ConventionError):
            sight.check_observation("it", seen)


@pytest.mark.parametrize(
    ("declared", "error"),
    [
        ({"cameras": ("rear",)}, UnknownNameError),
        ({"cameras": "head"}, OptionError),
        ({"image_size": (128,)}, OptionError),
        ({"image_size": 4}, OptionError),
        ({"modalities": ("thermal",)}, UnknownNameError),
    ],
)
def test_what_no_environment_has_is_refused(declared, error):
    with pytest.raises(error):
        Sight(**declared)
