"""The same motion in either convention, and what counts as doing nothing."""

import numpy as np
import pytest

import core
from bomb.exports.actions import commanded_targets, converted, is_noop
from bomb.exports.lerobot import LeRobotWriter
from bomb.exports.plan import make_plan
from bomb.exports.settings import ExportSettings
from bomb.rollouts.rollout import replay
from core.control.actions import WORKSPACE_LOW, ActionSpec
from core.errors import UnknownNameError
from tests.exports.conftest import make_dataset

DELTA = ActionSpec(mode="delta", control_hz=20)
ABSOLUTE = ActionSpec(mode="absolute", control_hz=20)


@pytest.fixture(scope="module")
def walk() -> tuple[np.ndarray, np.ndarray]:
    """(actions in the delta convention, start): some of them run into the edge of the workspace."""
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (200, 4)).astype(np.float32)
    actions[:, 3] = rng.integers(0, 2, 200)
    actions[50:80, 2] = -1.0
    return actions, np.array([0.44, 0.0, 0.25])


def test_there_and_back(walk):
    actions, start = walk
    absolute = converted(actions, start, DELTA, "absolute")
    targets = commanded_targets(actions, start, DELTA)
    assert np.allclose(absolute[:, :3], targets[1:], atol=1e-7) and (absolute[:, 3] == actions[:, 3]).all()
    back = converted(absolute, start, ABSOLUTE, "delta")
    assert np.allclose(commanded_targets(back, start, DELTA), targets, atol=1e-6)
    inside = np.abs(np.diff(targets, axis=0) / DELTA.max_step - actions[:, :3]).max(axis=1) < 1e-9
    assert inside.sum() > 100 and not inside.all()  # the edge of the workspace is among them
    assert np.allclose(back[inside], actions[inside], atol=2e-5)  # float32 metres over 20 mm


def test_the_own_convention_stays_as_it_is(walk):
    actions, start = walk
    assert np.array_equal(converted(actions, start, DELTA, "delta"), actions)
    with pytest.raises(UnknownNameError, match="absolute, delta"):
        converted(actions, start, DELTA, "velocity")


def test_converted_actions_place_the_stone(whole):
    """Absolute actions made of a delta demonstration succeed in an environment of absolute actions."""
    (demonstration,) = whole
    actions = converted(demonstration.actions, demonstration.observations[0, :3], DELTA, "absolute")
    (backend,) = whole.settings["backends"]
    env = core.make_task(
        backend=backend, cameras=(), split="ci", action_mode="absolute", stop_on_success=True
    )
    result = replay(env, demonstration.seed, actions)
    ends = [env.observe()["state"][:3], demonstration.observations[-1, :3]]
    env.close()
    assert demonstration.about["verdict"]["success"] and result.info["success"]
    assert np.linalg.norm(ends[0] - ends[1]) < 1e-3


def test_converted_actions_reach_a_lower_table(tmp_path):
    """The workspace goes deeper where a knob lowers the table; so do exported targets."""
    levels = {"table_height": 5}
    dataset = make_dataset(tmp_path / "dataset", episodes=3, perturbations=levels)
    settings = ExportSettings(format="lerobot", backend="mujoco", actions="absolute")
    plan = make_plan(dataset, settings, LeRobotWriter.vectors)
    options = {"split": "ci", "action_mode": "absolute", "stop_on_success": True, "perturbations": levels}
    env = core.make_task(backend="mujoco", cameras=(), **options)
    low = min(episode.actions[:, 2].min() for episode in plan.episodes)
    assert low < WORKSPACE_LOW[2] - 0.005
    for episode in plan.episodes:
        assert replay(env, episode.seed, episode.actions).info["success"], episode.seed
    env.close()


def test_noops():
    actions = np.array(
        [
            [0, 0, 0, 1],  # the gripper is open to begin with
            [0.5, 0, 0, 1],
            [0, 0, 0, 0],  # closes
            [0, 0, 0, 0],
            [9e-4, -9e-4, 0, 0],
            [0, 2e-3, 0, 0],
            [0, 0, 0, 1],
        ]
    )
    assert is_noop(actions).tolist() == [True, False, False, True, True, False, False]
