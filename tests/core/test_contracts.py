"""BOMB's own parts keep the contracts that authors of plugins are held to, and a broken part is found."""

from dataclasses import replace

import numpy as np
import pytest

import bomb
import core
from core.perturbations import KNOBS
from core.registry import BACKENDS
from core.testing import ContractError, check_backend, check_knob, check_policy

POLICIES = ("expert", "varied_expert", "noisy_expert", "random", "hold", "mute(expert)", "blind(hold)")


@pytest.mark.render
def test_our_backends_keep_theirs(backend):
    check_backend(BACKENDS.load(backend))


@pytest.mark.parametrize("words", POLICIES)
def test_our_policies_keep_theirs(words):
    check_policy(bomb.make_policy(words), backends=["mujoco"], cameras=(), seeds=range(1), steps=12)


@pytest.mark.parametrize("name", KNOBS)
def test_our_knobs_keep_theirs(name):
    check_knob(KNOBS[name], backends=["mujoco"], seeds=range(1), cameras=())


# ---- parts that break one promise each -------------------------------------------------------


class Broken(core.Policy):
    """Returns what it is told to."""

    def __init__(self, answer):
        self.answer = answer

    def reset(self, instruction: str, seed: int) -> None:
        self.seed = seed

    def act(self, observation: dict) -> np.ndarray:
        return self.answer(observation)


def _meddling(observation: dict) -> np.ndarray:
    observation["state"][0] = 0.0
    return np.zeros((1, 4))


FRESH = np.random.default_rng(0)
POLICY_FAULTS = {
    "no array": (lambda observation: [[0.0] * 4], r"shape \(k, 4\)"),
    "one action": (lambda observation: np.zeros(4), r"shape \(k, 4\)"),
    "nothing": (lambda observation: np.zeros((0, 4)), "k >= 1"),
    "not a number": (lambda observation: np.full((1, 4), np.nan), "finite"),
    "another each time": (lambda observation: FRESH.uniform(-1, 1, (1, 4)), "same seed"),
    "meddling": (_meddling, "leaves the observation"),
}


@pytest.mark.parametrize("fault", POLICY_FAULTS)
def test_a_policy_that_breaks_a_promise_is_found(fault):
    answer, message = POLICY_FAULTS[fault]
    with pytest.raises(ContractError, match=f"policy Broken: not so: .*{message}"):
        check_policy(Broken(answer), backends=["mujoco"], cameras=(), seeds=range(1), steps=3)


def test_a_batch_that_mixes_up_its_episodes_is_found():
    class Mixed(core.BatchPolicy):
        def infer(self, requests):
            return [np.full((1, 4), 0.1 * len(requests))] * len(requests)

    with pytest.raises(ContractError, match="alone and in a batch"):
        check_policy(Mixed(), backends=["mujoco"], cameras=(), steps=3)


class Heavy(core.Perturbation):
    """Stones are heavier."""

    name, family, touches = "heavy", "physics", core.Touches.PHYSICS
    unit, levels, statistic = "percent", ("1", "2", "3", "4", "5"), "how much heavier"
    capabilities = frozenset({core.Capability.LIVE_PHYSICS})

    def draw(self, rng, level):
        return {"factor": 1 + 0.1 * level * rng.uniform(0.5, 1)}

    def dress(self, scene, draw):
        return replace(scene, physics=replace(scene.physics, gravity=9.81 * draw["factor"]))


class Undeclared(Heavy):
    capabilities = frozenset()


class Greedy(Heavy):
    def draw(self, rng, level):
        return {"factor": 1 + float(np.sum(rng.uniform(0, 1, level)))}


class Forgotten(Heavy):
    def dress(self, scene, draw):
        return scene


class Shapeless(Heavy):
    def draw(self, rng, level):
        return {"factor": np.float32(level)}


class Mislabelled(Heavy):
    touches = core.Touches.PICTURE


KNOB_FAULTS = {
    Undeclared: "declares the capabilities.*physics.gravity.*live_physics",
    Greedy: "takes the same from the stream",
    Forgotten: "changes something",
    Shapeless: "plain values",
    Mislabelled: "leaves physics alone",
}


def test_a_knob_of_ones_own_keeps_its_contract():
    check_knob(Heavy(), backends=["mujoco"], seeds=range(1), cameras=())


@pytest.mark.parametrize("kind", KNOB_FAULTS, ids=lambda kind: kind.__name__)
def test_a_knob_that_breaks_a_promise_is_found(kind):
    with pytest.raises(ContractError, match=f"perturbation {kind.__name__}: not so: .*{KNOB_FAULTS[kind]}"):
        kind.__doc__ = Heavy.__doc__
        check_knob(kind(), backends=["mujoco"], seeds=range(1), cameras=())


_Real = core.load_backend("mujoco")


class Drifting(_Real):
    """Remembers what came before."""

    def write_state(self, state):
        self.count = getattr(self, "count", 0) + 1
        super().write_state(state)

    def step(self, joint_targets):
        super().step(joint_targets + 1e-4 * self.count)


class Careless(_Real):
    """Takes every scene."""

    def reset(self, scene, state):
        self.write_state(state)


class Weightless(_Real):
    """Lets nothing fall."""

    def build(self, scene, *, image_size, supersample):
        super().build(self.lifted(scene), image_size=image_size, supersample=supersample)
        self.built = scene

    def dress(self, scene):
        super().dress(self.lifted(scene))

    @staticmethod
    def lifted(scene):
        return replace(scene, physics=replace(scene.physics, gravity=1e-6))


class Blinking(_Real):
    """Draws what was not asked for."""

    def render(self, camera, modalities):
        return super().render(camera, ("rgb", "depth", "segmentation"))


BACKEND_FAULTS = {
    Drifting: "same bytes, whatever ran before",
    Careless: "refuses another board",
    Weightless: "a stone falls",
    Blinking: "not asked for are None",
}


@pytest.mark.render
@pytest.mark.parametrize("kind", BACKEND_FAULTS, ids=lambda kind: kind.__name__)
def test_a_backend_that_breaks_a_promise_is_found(kind):
    with pytest.raises(ContractError, match=f"backend {kind.__name__}: not so: .*{BACKEND_FAULTS[kind]}"):
        check_backend(kind, cameras=("head",) if kind is Blinking else ())
