"""One engine moves, another draws: physics to the last bit, pictures as the drawing engine makes them."""

import itertools

import numpy as np
import pytest

import core
from core.backend import Capability
from core.registry import BACKENDS
from core.rendering.separate import separately_drawn
from tests.conftest import wave

PAIRS = list(itertools.permutations(core.list_backends(), 2))
SMALL = {"image_size": 48, "cameras": ("head", "wrist")}


@pytest.mark.render
@pytest.mark.parametrize(("backend", "renderer"), PAIRS)
def test_physics_is_untouched_and_the_other_engine_draws(make_env, backend, renderer):
    modalities = ("rgb", "depth", "segmentation")
    seen = {"modalities": modalities, "perturbations": {"light_color": 3}, **SMALL}
    split = make_env(backend, renderer=renderer, **seen)
    plain = make_env(backend, perturbations=seen["perturbations"])
    own = make_env(renderer, **seen)
    split.reset(seed=5), plain.reset(seed=5), own.reset(seed=5)
    for step in range(25):
        split.step(wave(step)), plain.step(wave(step))
        assert split.scene_state.to_bytes() == plain.scene_state.to_bytes()
    own.show(split.scene_state, period=25)
    for camera in SMALL["cameras"]:
        drawn, expected = (env.render_camera(camera, modalities) for env in (split, own))
        for kind in modalities:
            np.testing.assert_array_equal(getattr(drawn, kind), getattr(expected, kind))
    assert split.backend_name == backend and split.settings.renderer == renderer


@pytest.mark.render
@pytest.mark.parametrize(("backend", "renderer"), PAIRS)
def test_a_reset_is_drawn_though_the_state_is_the_one_before(make_env, backend, renderer):
    env = make_env(backend, renderer=renderer, image_size=48, cameras=("head",))
    first = env.reset(seed=3)[0]["images"]["head"]
    env.step(wave(3))
    env.reset(seed=4)
    np.testing.assert_array_equal(env.reset(seed=3)[0]["images"]["head"], first)


def test_without_cameras_nothing_draws(make_env):
    env = make_env("mujoco", renderer="robotwin")
    assert type(env.debug.backend) is BACKENDS.load("mujoco")


def test_a_renderer_that_does_not_exist_is_named(make_env):
    with pytest.raises(core.UnknownNameError, match="blender"):
        make_env("mujoco", renderer="blender", cameras=("head",))


def test_capabilities_are_those_that_count():
    physics, drawing = BACKENDS.load("mujoco"), BACKENDS.load("robotwin")
    blind = type("Blind", (physics,), {"capabilities": physics.capabilities - {Capability.RGB}})
    numb = type("Numb", (drawing,), {"capabilities": drawing.capabilities - {Capability.CONTACT_FORCES}})
    assert separately_drawn(blind, numb).capabilities == physics.capabilities
    assert Capability.RGB not in separately_drawn(numb, blind).capabilities
