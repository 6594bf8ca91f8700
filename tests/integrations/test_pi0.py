"""What of pi0 needs no torch: settings, noise, samples, options, and what is said where torch is missing."""

import builtins
import json
import re
import sys

import numpy as np
import pytest

from bomb.collecting.recording import record_episode
from bomb.disk.files import FileError
from bomb.integrations.actions import ActionConvention
from bomb.models.folders import check_free
from bomb.models.pi0.build import SmallPi0
from bomb.models.pi0.policy import noise
from bomb.models.pi0.samples import SMALLEST_DEVIATION, Samples, chunks
from bomb.models.pi0.settings import FILE, Pi0Settings
from bomb.models.pi0.train import Training, main, parser, schedule
from bomb.policies.making import make_policy, policy_class
from core.errors import BombError, OptionError, install_command

SETTINGS = Pi0Settings(
    cameras=("head", "wrist"),
    image_size=(64, 64),
    text_tokens=20,
    convention=ActionConvention(rotation="zero", gripper="binary_close_positive", delta_scale=2.5),
    control_hz=10,
    trained_on=[{"split": "train", "task": "place_stone"}],
    training={"steps": 3},
)


def test_settings_come_back_as_they_were(tmp_path):
    SETTINGS.write(tmp_path)
    assert Pi0Settings.read(tmp_path) == SETTINGS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not of format"),
        ({"version": 2}, "not of format"),
        ({"camera": []}, "unknown entries: camera"),
        ({"cameras": ["side"]}, "unknown camera 'side'"),
        ({"cameras": []}, "cameras is empty"),
        ({"image_size": [64]}, "image_size"),
        ({"text_tokens": 0}, "text_tokens"),
        ({"control_hz": 7}, "control_hz must divide 500"),
        ({"convention": {"gripper": "close"}}, "unknown gripper"),
        ({"convention": {"speed": 1}}, "speed"),
    ],
)
def test_damaged_settings_are_refused_by_name(tmp_path, change, message):
    SETTINGS.write(tmp_path)
    file = tmp_path / FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(FileError, match=message):
        Pi0Settings.read(tmp_path)


def test_a_folder_without_settings_is_no_checkpoint(tmp_path):
    with pytest.raises(FileError, match=r"has no bomb\.json"):
        make_policy(f"pi0(checkpoint={str(tmp_path)!r})")


def test_noise_depends_on_seed_and_step_alone():
    first = noise(3, 10, (5, 4))
    assert first.shape == (5, 4) and first.dtype == np.float32
    np.random.default_rng(0).standard_normal(100)  # what else is drawn does not matter
    np.testing.assert_array_equal(first, noise(3, 10, (5, 4)))
    for other in (noise(3, 11, (5, 4)), noise(4, 10, (5, 4)), noise(10, 3, (5, 4))):
        assert abs(first - other).max() > 0.1
    many = np.stack([noise(seed, 0, (10, 4)) for seed in range(200)])
    assert abs(many.mean()) < 0.05 and abs(many.std() - 1) < 0.05


@pytest.fixture(scope="module")
def demonstrations():
    """One of each action mode, shortened."""
    import core

    made = {}
    for mode in ("delta", "absolute"):
        with core.make_task(
            "place_stone", backend="mujoco", cameras=(), split="ci", action_mode=mode, max_steps=30
        ) as env:
            made[mode] = record_episode(env, make_policy("expert"), 3)
    return made


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_chunks_are_what_followed_and_stand_still_after_the_end(demonstrations, mode):
    demonstration = demonstrations[mode]
    parts = chunks(demonstration, 8)
    assert parts.shape == (30, 8, 4) and parts.dtype == np.float32
    np.testing.assert_array_equal(parts[5], demonstration.actions[5:13])
    np.testing.assert_array_equal(parts[-1, 0], demonstration.actions[-1])
    after = parts[-1, 1:]
    assert (after[:, 3] == demonstration.actions[-1, 3]).all()
    still = np.zeros(3) if mode == "delta" else demonstration.actions[-1, :3]
    np.testing.assert_array_equal(after[:, :3], np.tile(still, (7, 1)))


def test_statistics_never_divide_by_next_to_nothing():
    actions = np.zeros((6, 2, 4), dtype=np.float32)
    actions[:, 0, 0] = [-1, 1] * 3
    found = Samples(
        pictures=np.zeros((6, 1, 8, 8, 3), np.uint8),
        states=np.ones((6, 4), np.float32),
        texts=["put"] * 6,
        actions=actions,
    ).statistics()
    assert found["actions_std"] == pytest.approx([1.0, *[SMALLEST_DEVIATION] * 3])
    assert found["state_mean"] == [1.0] * 4 and found["state_std"] == pytest.approx([SMALLEST_DEVIATION] * 4)


def test_the_learning_rate_rises_and_falls_to_nothing():
    rates = [schedule(share) for share in np.linspace(0, 1, 200)]
    assert 0 < rates[0] < 0.1 and max(rates) == pytest.approx(1, abs=0.05) and rates[-1] < 1e-3
    top = int(np.argmax(rates))
    assert rates[:top] == sorted(rates[:top]) and rates[top:] == sorted(rates[top:], reverse=True)


def test_sizes_and_training_are_checked():
    for wrong in ({"width": 50}, {"layers": 0}, {"patch": True}, {"chunk": 1.5}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            SmallPi0(**wrong)
    with pytest.raises(OptionError, match="patch must divide"):
        SmallPi0(patch=12).picture_tokens(64)
    assert SmallPi0(patch=8).picture_tokens(64) == 64
    for wrong in ({"steps": 0}, {"batch": -1}, {"rate": 0}, {"minutes": float("inf")}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            Training(**wrong)
    args = parser().parse_args(["--data", "a", "b", "--out", "c", "--minutes", "3", "--patch", "16"])
    assert (args.minutes, args.patch, args.steps, len(args.data)) == (3.0, 16, Training().steps, 2)


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
    with pytest.raises(BombError, match=re.escape(install_command("vla"))):
        make_policy(f"pi0(checkpoint={str(tmp_path)!r})")
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert install_command("vla") in capsys.readouterr().err


def test_options_of_the_policy_are_checked(tmp_path):
    with pytest.raises(OptionError, match="denoising_steps"):
        make_policy(f"pi0(checkpoint={str(tmp_path)!r}, denoising_steps=0)")
    with pytest.raises(OptionError, match="cannot be made"):
        make_policy("pi0")
    assert policy_class("pi0").wants_step and not policy_class("pi0").privileged


def test_nothing_but_a_checkpoint_is_overwritten(tmp_path):
    check_free(tmp_path / "new")
    check_free(tmp_path)
    SETTINGS.write(tmp_path)
    check_free(tmp_path)
    (tmp_path / FILE).rename(tmp_path / "thesis.tex")
    for taken in (tmp_path, tmp_path / "thesis.tex"):
        with pytest.raises(FileError, match="something else than a checkpoint"):
            check_free(taken)
