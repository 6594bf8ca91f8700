"""``EnvironmentSettings``: every option once, converted where it comes in, and plain values both ways."""

import inspect
import json
import pickle
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import core
from core.errors import OptionError, StateError, UnknownNameError
from core.perturbations.make_conditions import make_conditions
from core.settings import EnvironmentSettings
from tasks.place_stone import PlaceStone

NUMPY = {
    "control_hz": np.int64(25),
    "max_steps": np.int32(7),
    "supersample": np.uint8(2),
    "image_size": np.array([64, 96]),
    "stop_on_success": np.bool_(True),
    "perturbations": {"friction": np.int64(2)},
}
# What is not a value of an option, for every option: by kind, so that a new option is tried too.
FOREIGN = [None, 1.5, "no such value", b"bytes", ("no such",), {"a": 1}, {1}, object(), [[1]], np.zeros(3)]
ALLOWED = {  # what of these an option takes
    "max_steps": {0}, "supersample": {0}, "perturbations": {0}, "renderer": {0}, "device": {0},
}  # fmt: skip


def settings(**options) -> EnvironmentSettings:
    return EnvironmentSettings(**{"backend": "mujoco", **options})


def test_numpy_values_are_converted_and_can_be_written_down():
    made = settings(**NUMPY)
    assert made == settings(
        control_hz=25, max_steps=7, supersample=2, image_size=(64, 96), stop_on_success=True,
        perturbations={"friction": 2},
    )  # fmt: skip
    assert EnvironmentSettings.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_an_environment_takes_numpy_values_and_seeds(backend, make_env):
    env = make_env(backend, **{name: NUMPY[name] for name in ("control_hz", "max_steps", "stop_on_success")})
    first, _ = env.reset(seed=np.int64(3))
    second, _ = env.reset(seed=3)
    assert first["instruction"] == second["instruction"] and (first["state"] == second["state"]).all()
    ends = [env.step(env.hold_action())[3] for _ in range(7)]
    assert ends == [False] * 6 + [True]


@pytest.mark.parametrize("size", [224, np.int64(224), [224, 224], (np.int64(224), 224)])
def test_one_number_is_both_sides_of_a_picture(size):
    assert settings(image_size=size).image_size == (224, 224)


def test_lists_are_tuples_and_later_changes_do_not_reach_in():
    levels, cameras = {"friction": 2}, ["head"]
    made = settings(cameras=cameras, perturbations=[levels, "bomb:1"])
    levels["friction"], cameras[0] = 5, "wrist"
    assert made.cameras == ("head",) and made.perturbations == ({"friction": 2}, "bomb:1")
    assert made.suite.levels["friction"] == 2


@pytest.mark.parametrize("name", EnvironmentSettings.names())
def test_whatever_is_given_is_taken_or_refused_with_a_typed_error(name):
    for kind, value in enumerate(FOREIGN):
        if kind in ALLOWED.get(name, ()):
            settings(**{name: value})
            continue
        with pytest.raises((OptionError, UnknownNameError)):
            core.make_task(**{"backend": "mujoco", "cameras": (), name: value})


def test_a_missing_backend_and_an_unknown_option():
    with pytest.raises(OptionError, match="no backend"):
        core.make_task("place_stone")
    with pytest.raises(UnknownNameError, match="supersample"):
        EnvironmentSettings.from_dict({"backend": "mujoco", "supersampel": 2})
    for plain in ({}, [], None, {"backend": "mujoco", "max_steps": "7"}):
        with pytest.raises(OptionError):
            EnvironmentSettings.from_dict(plain)


def test_a_condition_set_is_written_down_whole_and_edits_are_noticed():
    conditions = make_conditions("place_stone", {"friction": 2}, split="ci", seeds=[4])
    made = settings(perturbations=conditions, split="ci")
    plain = json.loads(json.dumps(made.to_dict()))
    again = EnvironmentSettings.from_dict(plain)
    assert again.perturbations.hash == conditions.hash
    assert again.suite.draw("ci", 4) == made.suite.draw("ci", 4)
    plain["perturbations"]["episodes"][0]["seed"] = 5
    with pytest.raises(StateError, match="edited"):
        EnvironmentSettings.from_dict(plain)


def test_a_path_is_text_and_a_task_made_by_hand_cannot_be_written_down(tmp_path):
    file = tmp_path / "study.json"
    make_conditions("place_stone", {"friction": 2}, split="ci", seeds=[4]).write(file)
    made = settings(perturbations=Path(file))
    assert made.to_dict()["perturbations"] == str(file) and made.suite.levels == {"friction": 2}
    with pytest.raises(OptionError, match="register a task"):
        settings(task=PlaceStone()).to_dict()


def test_settings_travel_to_other_processes():
    made = settings(perturbations={"board_pose": 3}, cameras=())
    assert pickle.loads(pickle.dumps(made)) == made
    with core.make_environment(replace(made, split="ci")) as env:
        env.reset(seed=1)
        assert env.settings.split == "ci" and "board_pose" in env.episode.perturbation


def test_make_task_shows_every_option_with_its_default():
    shown = inspect.signature(core.make_task).parameters
    assert set(shown) == {option.name for option in fields(EnvironmentSettings)}
    assert shown["backend"].default is inspect.Parameter.empty and shown["control_hz"].default == 20
    assert all(f"    {name}: " in core.make_task.__doc__.replace(", ", ": ") for name in shown)
