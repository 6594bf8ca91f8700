"""The main job in both engines: stones are picked, carried and set down exactly."""

from dataclasses import replace

import numpy as np
import pytest

from bomb.policies.expert import Expert
from core.task import Episode, Intersection
from core.world.rotations import quaternion_about_z
from core.world.state import SceneState
from tasks.place_stone import PlaceStone
from tests.conftest import play


def test_expert_places_stones(backend, make_env):
    env = make_env(backend, stop_on_success=True)
    infos = [play(env, seed=seed) for seed in range(12)]
    assert [info["success"] for info in infos] == [True] * 12
    for info in infos:
        assert info["placement"]["distance_mm"] < 3
        assert info["stage"]["used_nearest"] and not info["stage"]["wrong_stone"]


def test_expert_in_absolute_mode(backend, make_env):
    env = make_env(backend, stop_on_success=True, action_mode="absolute")
    assert play(env, seed=1)["success"]


def test_doing_nothing_fails_with_a_reason(backend, make_env):
    env = make_env(backend, max_steps=5)
    env.reset(seed=0)
    for _ in range(5):
        *_, info = env.step(env.hold_action())
    assert not info["success"] and info["placement"]["reason"] == "never_reached"


@pytest.mark.parametrize("axis", ["row", "column"])
def test_a_stone_fits_between_two_neighbours(backend, make_env, monkeypatch, axis):
    """On each axis, with a gripper that only opens and closes fully."""

    def crowded(self, scene, *, split, seed) -> Episode:
        goal = Intersection(color="black", row=2, column=2)
        episode = make_episode(self, scene, split=split, seed=0)
        cells = [(2, 1), (2, 3)] if axis == "row" else [(1, 2), (3, 2)]
        poses, ids = [], []
        p_WB = np.asarray(scene.board.X_WB.p)
        for index, (row, column) in enumerate(cells):
            p_BS = np.array([*scene.board.point(row, column), scene.stones[0].height / 2])
            poses.append([*(p_WB + p_BS * [-1, -1, 1]), *quaternion_about_z(0.3)])
            ids.append(index)
        poses.append([0.24, -0.15, scene.table.height + 0.004, 1, 0, 0, 0])
        state = SceneState(
            joint_positions=episode.state.joint_positions,
            joint_velocities=episode.state.joint_velocities,
            stone_ids=np.array([*ids, 2], dtype=np.int16),
            stone_poses=np.array(poses, dtype=np.float32),
            stone_velocities=np.zeros((3, 6), dtype=np.float32),
        )
        return Episode(
            task="place_stone", split=split, seed=seed, scene=scene, state=state,
            moves=(replace(episode.moves[0], goal=goal),),
        )  # fmt: skip

    make_episode = PlaceStone.make_episode
    monkeypatch.setattr(PlaceStone, "make_episode", crowded)
    env = make_env(backend, stop_on_success=True)
    info = play(env, seed=0)
    assert info["success"], info["placement"]
    assert info["placement"]["others_moved_mm"] < 1


def test_expert_grasps_again_after_a_drop(backend, make_env):
    """The gripper is opened once on the way: the stone falls, the expert fetches it and finishes."""

    class Butterfingers(Expert):
        def act(self, observation, truth=None):
            action = super().act(observation, truth)
            held = observation["state"][3] < 0.6 and observation["state"][2] > 0.04
            if held and getattr(self, "slips", 0) < 4:
                self.slips = getattr(self, "slips", 0) + 1
                action[0, 3] = 1.0
            return action

    env = make_env(backend, stop_on_success=True)
    policy = Butterfingers()
    info = play(env, seed=6, policy=policy)
    assert policy.slips == 4
    assert info["success"], info["placement"]
