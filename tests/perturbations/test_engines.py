"""The same draw in both engines: the same episode, the same picture, the same physics."""

from dataclasses import replace

import numpy as np
import pytest

from bomb.parity.pictures import PERTURBED, compare
from core.perturbations import KNOBS
from core.perturbations.base import Touches
from core.world.rotations import quaternion_about_z
from core.world.state import SceneState
from tests.conftest import BACKENDS, play, wave
from tests.perturbations.conftest import SEED, middle, of

ALL = ("rgb", "depth", "segmentation")
SLIDE = 0.5  # m/s


@pytest.mark.render
@pytest.mark.parametrize("knob", [name for name, knob in KNOBS.items()])
def test_the_pictures_agree(studios, knob):
    """One frame here; ``bomb parity --perturbation`` measures every camera and moment of many episodes."""
    pair = [studios(backend, 256) for backend in BACKENDS]
    pictures = [studio.picture({knob: middle(knob)}, SEED, modalities=ALL) for studio in pair]
    states = [studio.backend.read_state() for studio in pair]
    assert states[0] == states[1]
    numbers = compare(*pictures, states[0])
    for name, value in numbers.items():
        bound = PERTURBED[name.split("/")[0]]
        assert value >= bound.value if bound.at_least else value <= bound.value, (name, value, str(bound))


@pytest.mark.parametrize(
    "perturbations", ["bomb", "all", "robotwin_randomized", "libero_plus", "board_pose:5"]
)
def test_both_engines_get_the_same_episode(make_env, perturbations):
    one, other = (make_env(backend, perturbations=perturbations) for backend in BACKENDS)
    for seed in range(5):
        observation, info = one.reset(seed=seed)
        observation_2, info_2 = other.reset(seed=seed)
        assert one.scene_state == other.scene_state and info == info_2
        assert observation["instruction"] == observation_2["instruction"]
        assert one.episode.scene == other.episode.scene


def test_a_perturbed_state_moves_to_the_other_engine(make_env):
    for perturbations in ("all", {"action_latency": 5, "action_noise": 3, "stone_kind": "coin"}):
        env, other = (make_env(backend, perturbations=perturbations) for backend in BACKENDS)
        play(env, seed=3, steps=40)
        saved = env.save_state()
        _, info = other.load_state(saved)
        assert other.save_state() == saved and other.scene_state == env.scene_state
        _, here = env.load_state(saved)
        assert env.save_state() == saved and info == here


def sliding(state: SceneState) -> SceneState:
    """The first stone in play alone, far from everything, sliding over the table."""
    z = state.stone_poses[state.stone_poses[:, 2] < 0.75][0, 2]
    pose = [[-0.25, 0.25, z, *quaternion_about_z(0.0)]]
    return replace(
        state,
        stone_ids=state.stone_ids[:1],
        stone_poses=np.array(pose, dtype=np.float32),
        stone_velocities=np.array([[SLIDE, 0, 0, 0, 0, 0]], dtype=np.float32),
    ).validated()


def slide(studio, perturbations) -> tuple[float, float, object]:
    """How far a stone slides (m), what it weighs on the table (N), and the episode."""
    episode, _ = studio.reset(perturbations, SEED)
    studio.backend.write_state(sliding(episode.state))
    targets = np.tile(episode.state.joint_positions.astype(float), (200, 1))
    weights = []
    for row in targets[:50]:  # 0.1 s, in which it slides; on average the table bears its weight
        studio.backend.step(row[None])
        touching = [
            c for c in studio.backend.contact_forces() if any(name.startswith("stone") for name in c.bodies)
        ]
        weights.append(sum(abs(contact.normal[2]) for contact in touching))
    studio.backend.step(targets)
    return float(studio.backend.read_state().stone_poses[0, 0] + 0.25), float(np.mean(weights)), episode


def test_friction_and_mass_are_those_of_the_draw(studio):
    far, weight, clean = slide(studio, {})
    expected = SLIDE**2 / (2 * clean.scene.physics.surface_stone * 9.81)
    assert far == pytest.approx(expected, rel=0.06) and weight == pytest.approx(0.005 * 9.81, rel=0.15)
    slippery, same, episode = slide(studio, {"friction": 5})
    factor = episode.perturbation["friction"]["surfaces_factor"]
    assert slippery == pytest.approx(far / factor, rel=0.06) and same == pytest.approx(weight, rel=0.15)
    assert episode.scene.physics.pad_stone < 0.75
    alike, heavy, episode = slide(studio, {"stone_mass": 5})
    factor = episode.perturbation["stone_mass"]["factor"]
    assert alike == pytest.approx(far, rel=0.06) and heavy == pytest.approx(factor * weight, rel=0.15)
    assert slide(studio, {})[:2] == (far, weight), "the way back is exact"


@pytest.mark.parametrize("knob", of(Touches.PHYSICS))
def test_physics_knobs_leave_the_start_and_the_picture_alone(studio, knob):
    clean = studio.picture({}, SEED, modalities=ALL)
    state = studio.backend.read_state()
    for severity in range(1, 6):
        other = studio.picture({knob: severity}, SEED, modalities=ALL)
        assert studio.backend.read_state() == state
        assert all((getattr(other, name) == getattr(clean, name)).all() for name in ALL)


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_actions_arrive_late(backend, make_env, mode):
    def paths(severity: int) -> list:
        env = make_env(backend, action_mode=mode, perturbations={"action_latency": severity})
        env.reset(seed=SEED)
        start = env.hold_action() if mode == "absolute" else np.zeros(4, dtype=np.float32)
        states = [env.scene_state.joint_positions]
        for step in range(10 + severity):
            env.step(start + np.float32([0.02, 0, 0, 0]) * step if mode == "absolute" else wave(step))
            states.append(env.scene_state.joint_positions)
        return states

    clean = paths(0)
    for severity in (1, 3, 5):
        late = paths(severity)
        # The arm rests for as many steps as the severity, and then does the same.
        assert abs(late[severity] - late[0]).max() < 1e-5
        assert abs(late[severity + 5] - late[0]).max() > 1e-3
        assert all(np.allclose(a, b, atol=2e-5) for a, b in zip(late[severity:], clean, strict=False))


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_actions_jitter_and_do_not_drift(backend, make_env, mode):
    spreads, still = [], np.zeros(3)
    for severity in range(6):
        env = make_env(backend, action_mode=mode, perturbations={"action_noise": severity})
        env.reset(seed=SEED)
        hold, targets = env.hold_action(), []
        for _ in range(60):
            env.step(hold)
            targets.append(env.debug.target)
        if severity == 0:
            still = np.array(targets[0])
        offset = np.array(targets) - still
        spreads.append(float(np.linalg.norm(offset, axis=1).mean()))
        assert abs(offset.mean(axis=0)).max() < 0.0003 * severity + 1e-9
    assert spreads[0] == 0 and spreads == sorted(set(spreads))
    assert spreads[5] == pytest.approx(0.0015 * np.sqrt(8 / np.pi), rel=0.25)


def test_what_follows_a_load_is_what_would_have_followed(backend, make_env):
    env = make_env(backend, perturbations={"action_latency": 3, "action_noise": 2, "board_pose": 3})
    play(env, seed=5, steps=20)
    saved = env.save_state()

    def after() -> bytes:
        env.load_state(saved)
        for step in range(10):
            env.step(wave(step))
        return env.save_state()

    assert after() == after()
