"""Knobs from outside: where they stand, what a broken one breaks, and that worker processes know them."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

import bomb
import core
from core.errors import RegistrationError
from core.perturbations import KNOBS, PERTURBATIONS
from core.perturbations.base import Touches
from core.perturbations.knobs import Knobs
from core.perturbations.presets import make_suite
from core.registry import Registry

HERE = "tests.perturbations.test_registered"


class Tilted(core.Perturbation):
    """Gravity leans: a little stronger."""

    name: ClassVar[str] = "heavy_air"
    family: ClassVar[str] = "physics"
    touches: ClassVar[core.Touches] = core.Touches.PHYSICS
    unit: ClassVar[str] = "percent of gravity"
    levels: ClassVar[tuple[str, ...]] = ("2", "4", "6", "8", "10")
    capabilities = frozenset({core.Capability.LIVE_PHYSICS})

    def draw(self, rng: np.random.Generator, level: core.Level) -> dict:
        return {"factor": 1 + 0.02 * level}


class First(Tilted):
    """The same, before its family."""

    name: ClassVar[str] = "heavier_air"
    after: ClassVar[str] = "table_texture"


class Nowhere(Tilted):
    """Stands after nothing of ours."""

    name: ClassVar[str] = "nowhere"
    after: ClassVar[str] = "heavy_air"


class Vague(Tilted):
    """Does not say what its severities mean."""

    name: ClassVar[str] = "vague"
    levels: ClassVar[tuple[str, ...]] = ()


@pytest.fixture
def knobs() -> Knobs:
    """BOMB's, and those of this file, in a registry of their own."""
    names = {"heavy_air": "Tilted", "heavier_air": "First", "nowhere": "Nowhere", "vague": "Vague"}
    registry = Registry("perturbation", "no.group", {name: PERTURBATIONS.target(name) for name in KNOBS})
    for name, kind in names.items():
        registry.register(name, f"{HERE}:{kind}")
    registry.register("gone", "no.such:Knob")
    registry.register("other", "core.errors:BombError")
    return Knobs([KNOBS[name] for name in KNOBS], registry)


def test_each_stands_at_its_place_and_ours_stay_where_they_were(knobs):
    order = list(knobs)
    assert [name for name in order if name in KNOBS] == list(KNOBS)
    assert order[order.index("table_texture") + 1] == "heavier_air"
    family = [name for name in order if knobs[name].family == "physics" and name != "heavier_air"]
    assert family[-1] == "heavy_air"


def test_one_that_cannot_be_used_is_left_out_and_says_why(knobs):
    messages = {
        "nowhere": "after 'heavy_air', which is none of BOMB's",
        "vague": "what severities 1 to 5 mean",
        "gone": r"no\.such.*cannot be imported",
        "other": "not a subclass of core.Perturbation",
    }
    assert set(knobs.problems()) == set(messages) and not set(messages) & set(knobs)
    for name, message in messages.items():
        assert name in knobs
        with pytest.raises(RegistrationError, match=message):
            knobs[name]
    with pytest.raises(KeyError):
        knobs["fog"]


@pytest.fixture
def registered():
    """``heavy_air``, registered as a user does; forgotten afterwards."""
    with PERTURBATIONS.temporarily():
        core.register_perturbation("heavy_air", f"{HERE}:Dense")
        yield


class Dense(Tilted):
    """Gravity is stronger."""

    def dress(self, scene: core.SceneSpec, draw: dict) -> core.SceneSpec:
        physics = replace(scene.physics, gravity=scene.physics.gravity * draw["factor"])
        return replace(scene, physics=physics)


def test_a_registered_one_works_in_both_engines_and_changes_no_other_draw(registered, make_env, backend):
    assert "heavy_air" in core.list_perturbations()
    both = make_suite({"heavy_air": 5, "friction": 2})
    assert list(both.levels) == ["friction", "heavy_air"]
    assert both.draw("ci", 3)["friction"] == make_suite("friction:2").draw("ci", 3)["friction"]
    env = make_env(backend, perturbations={"heavy_air": 5})
    env.reset(seed=0)
    assert env.episode.scene.physics.gravity == pytest.approx(1.1 * 9.81)
    env.step(env.hold_action())


def test_processes_that_are_spawned_know_it(registered):
    levels = {"heavy_air": 5}
    env = bomb.make_vec(1, backend="mujoco", asynchronous=True, cameras=(), perturbations=levels)
    try:
        _, info = env.reset(seed=[0])
    finally:
        env.close()
    assert info["perturbation"]["heavy_air"]["factor"][0] == pytest.approx(1.1)
    assert "heavy_air" in KNOBS


def test_what_is_forgotten_is_gone():
    assert "heavy_air" not in KNOBS and "heavy_air" not in core.list_perturbations()
    with pytest.raises(core.UnknownNameError, match="heavy_air"):
        make_suite("heavy_air:3")


def test_a_knob_of_sensors_says_that_it_is_per_camera():
    with pytest.raises(RegistrationError, match="Blur touches the SENSOR, so it needs per_camera"):

        class Blur(core.Perturbation):
            touches = Touches.SENSOR
