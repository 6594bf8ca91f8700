"""What of a VLA needs no torch: settings, folders, noise, and what is said where torch is missing."""

import builtins
import json
import re
import sys

import numpy as np
import pytest

from bomb.cli import main
from bomb.disk.files import FileError
from bomb.integrations.actions import ActionConvention
from bomb.models.codecs.normalising import Normalisation
from bomb.models.folders import FILE, check_free
from bomb.models.noise import noise
from bomb.models.settings import VLASettings
from bomb.policies.making import make_policy, policy_class
from core.errors import BombError, OptionError, install_command

SETTINGS = VLASettings(
    family="pi0",
    cameras=("head", "wrist"),
    image_size=(64, 64),
    chunk=5,
    convention=ActionConvention(rotation="zero", gripper="binary_close_positive", delta_scale=2.5),
    normalisation=Normalisation(kind="z", exact=False),
    control_hz=10,
    trained_on=[{"split": "train", "task": "place_stone"}],
    training={"steps": 3},
)


def test_settings_come_back_as_they_were(tmp_path):
    SETTINGS.write(tmp_path)
    assert VLASettings.read(tmp_path) == SETTINGS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not of format"),
        ({"version": 2}, "not of format"),
        ({"camera": []}, "unknown entries: camera"),
        ({"cameras": ["side"]}, "unknown camera 'side'"),
        ({"cameras": []}, "cameras is empty"),
        ({"image_size": [64]}, "image_size"),
        ({"chunk": 0}, "chunk"),
        ({"control_hz": 7}, "control_hz must divide 500"),
        ({"convention": {"gripper": "close"}}, "unknown gripper"),
        ({"convention": {"speed": 1}}, "speed"),
        ({"normalisation": {"kind": "q98"}}, "unknown normalisation 'q98'"),
    ],
)
def test_damaged_settings_are_refused_by_name(tmp_path, change, message):
    SETTINGS.write(tmp_path)
    file = tmp_path / FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(FileError, match=message):
        VLASettings.read(tmp_path)


def test_a_folder_without_settings_is_no_checkpoint(tmp_path):
    with pytest.raises(FileError, match=r"has no bomb\.json"):
        VLASettings.read(tmp_path)


def test_noise_depends_on_seed_step_and_sample_alone():
    first = noise(3, 10, (5, 4))
    assert first.shape == (5, 4) and first.dtype == np.float32
    np.random.default_rng(0).standard_normal(100)  # what else is drawn does not matter
    np.testing.assert_array_equal(first, noise(3, 10, (5, 4)))
    others = (noise(3, 11, (5, 4)), noise(4, 10, (5, 4)), noise(10, 3, (5, 4)), noise(3, 10, (5, 4), 1))
    for other in others:
        assert abs(first - other).max() > 0.1
    many = np.stack([noise(seed, 0, (10, 4)) for seed in range(200)])
    assert abs(many.mean()) < 0.05 and abs(many.std() - 1) < 0.05


@pytest.fixture
def without_torch(monkeypatch):
    """As if the extra were not installed, whether it is or not."""
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.split(".")[0] in ("torch", "transformers"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)

    for name in [name for name in sys.modules if name.split(".")[0] in ("torch", "transformers")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_a_missing_extra_is_named(without_torch, tmp_path, capsys):
    SETTINGS.write(tmp_path)
    for name in ("vla", "vla_history"):
        with pytest.raises(BombError, match=re.escape(install_command("vla"))):
            make_policy(f"{name}(checkpoint={str(tmp_path)!r})")
    assert main(["train", "small-pi0", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert install_command("vla") in capsys.readouterr().err


def test_options_of_the_policy_are_checked(tmp_path):
    with pytest.raises(OptionError, match="batch"):
        make_policy(f"vla(checkpoint={str(tmp_path)!r}, batch=0)")
    with pytest.raises(OptionError, match="cannot be made"):
        make_policy("vla")
    assert policy_class("vla").wants_step and not policy_class("vla").privileged


def test_nothing_but_a_checkpoint_is_overwritten(tmp_path):
    check_free(tmp_path / "new")
    check_free(tmp_path)
    SETTINGS.write(tmp_path)
    check_free(tmp_path)
    (tmp_path / FILE).rename(tmp_path / "thesis.tex")
    for taken in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(FileError, match="something else than a checkpoint"):
            check_free(taken)
