"""``make_task``: every bad option is a typed error that names the value and what is valid."""

import pytest

import core
from core.errors import BombError, OptionError, RegistrationError, UnknownNameError
from core.registry import Registry

UNKNOWN = {
    "task": ({"task": "place_stnoe"}, "place_stone"),
    "backend": ({"backend": "bullet"}, "mujoco, robotwin"),
    "camera": ({"cameras": ("overhead",)}, "front, head, wrist"),
    "modality": ({"modalities": ("rgbd",)}, "depth, extrinsics, intrinsics, rgb, segmentation"),
    "action mode": ({"action_mode": "joints"}, "absolute, delta"),
    "split": ({"split": "dev"}, "test, train"),
    "option": ({"supersampel": 2}, "supersample"),
    "perturbation": ({"perturbations": {"fog": 3}}, "unknown perturbation 'fog'"),
}
INVALID = {
    "cameras as a string": ({"cameras": "head"}, "head"),
    "a camera twice": ({"cameras": ("head", "head")}, "twice"),
    "control rate": ({"control_hz": 30}, "divide 500"),
    "no steps": ({"max_steps": 0}, "max_steps"),
    "half a step": ({"max_steps": 1.5}, "max_steps"),
    "flat picture": ({"image_size": (0, 256)}, "image_size"),
    "one side": ({"image_size": (256,)}, "image_size"),
    "supersample": ({"supersample": 0}, "supersample"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_names_list_the_valid_ones(name):
    options, message = UNKNOWN[name]
    with pytest.raises(UnknownNameError, match=message) as error:
        core.make_task(**{"backend": "mujoco", "cameras": (), **options})
    assert isinstance(error.value, BombError)


@pytest.mark.parametrize("name", INVALID)
def test_invalid_values_are_named(name):
    options, message = INVALID[name]
    with pytest.raises(OptionError, match=message):
        core.make_task(**{"backend": "mujoco", "cameras": (), **options})


@pytest.mark.parametrize("seed", [-1, True, 1.5, "7"])
def test_bad_seeds(backend, make_env, seed):
    with pytest.raises(OptionError, match="seed"):
        make_env(backend).reset(seed=seed)


def test_reset_options_are_refused(backend, make_env):
    with pytest.raises(OptionError, match="color"):
        make_env(backend).reset(seed=0, options={"color": "black"})


def test_built_in_names():
    assert set(core.list_backends()) >= {"mujoco", "robotwin"}
    assert "place_stone" in core.list_tasks()


def test_registering_a_name_twice_names_both():
    registry = Registry("task", "bomb.no_such_group", {"one": "a:B"})
    registry.register("one", "a:B")  # the same again is harmless
    with pytest.raises(RegistrationError, match=r"a:B.*c:D"):
        registry.register("one", "c:D")


def test_a_plugin_that_fails_to_import_is_named_and_the_others_still_load():
    registry = Registry(
        "task", "bomb.no_such_group", {"good": "tasks.place_stone:PlaceStone", "bad": "no.such:Task"}
    )
    with pytest.raises(RegistrationError, match=r"'bad'.*no\.such:Task"):
        registry.load("bad")
    assert registry.load("good").name == "place_stone"


def test_what_is_registered_temporarily_is_forgotten():
    registry = Registry("task", "bomb.no_such_group", {"one": "a:B"})
    with registry.temporarily({"two": "c:D"}):
        registry.register("three", "e:F")
        assert registry.names() == ["one", "three", "two"]
        assert registry.added == {"two": "c:D", "three": "e:F"}
    assert registry.names() == ["one"] and registry.added == {}
    with pytest.raises(RegistrationError), registry.temporarily({"two": "c:D", "one": "c:D"}):
        pass
    assert registry.names() == ["one"]
    registry.register("two", "another:Target")  # the name is free again


@pytest.mark.parametrize("target", ["nothing", ":B", "a:"])
def test_malformed_targets(target):
    with pytest.raises(RegistrationError, match="module:attribute"):
        Registry("task", "bomb.no_such_group", {}).register("x", target)


def test_a_name_that_core_lacks():
    with pytest.raises(AttributeError, match="no_such_name"):
        core.no_such_name  # noqa: B018
