"""Marks on the table: drawn in both engines where the checker thinks they are, and touched by nothing."""

from dataclasses import replace

import numpy as np
import pytest

import core
from core.world.stage import TRAY
from core.world.state import SceneState
from tests.conftest import BACKENDS

ALL = ("rgb", "depth", "segmentation")
MARK = core.SegmentationId.MARK
MARKED = ("remove_stone", "go_sequence")


def outline(env) -> np.ndarray:
    """Pixels (column, row) of the mark's corners, projected by hand from the camera's numbers."""
    spec = env.episode.scene.cameras[0]
    forward = np.array(spec.forward) / np.linalg.norm(spec.forward)
    right = np.cross(forward, spec.up)
    right /= np.linalg.norm(right)
    up, z = np.cross(right, forward), env.episode.scene.table.height
    corners = np.array([[TRAY.center[0] + sx * TRAY.half_size[0], TRAY.center[1] + sy * TRAY.half_size[1], z]
                        for sx in (-1, 1) for sy in (-1, 1)])  # fmt: skip
    ray = corners - spec.eye
    focal = 128 / np.tan(spec.fovy / 2)
    depth = ray @ forward
    return np.stack([128 + focal * (ray @ right) / depth, 128 - focal * (ray @ up) / depth], axis=1)


def stone_on_table(state: SceneState, x: float, y: float) -> SceneState:
    """The same robot, and one black stone at (x, y) of the world."""
    return replace(
        state,
        stone_ids=np.zeros(1, dtype=np.int16),
        stone_poses=np.array([[x, y, 0.744, 1, 0, 0, 0]], dtype=np.float32),
        stone_velocities=np.zeros((1, 6), dtype=np.float32),
    ).validated()


@pytest.mark.render
def test_it_is_drawn_alike_where_it_is(backend, make_env):
    pictures = {}
    for name in BACKENDS if backend == BACKENDS[0] else (backend,):
        env = make_env(name, task="remove_stone", cameras=("head",), modalities=ALL)
        observation, _ = env.reset(seed=0)
        mask = observation["segmentation"]["head"] == MARK
        corners = outline(env)
        rows, columns = np.nonzero(mask)
        assert (
            abs(columns.min() - corners[:, 0].min()) < 1.5
            and abs(columns.max() + 1 - corners[:, 0].max()) < 1.5
        )
        assert abs(rows.min() - corners[:, 1].min()) < 1.5 and abs(rows.max() + 1 - corners[:, 1].max()) < 1.5
        color = observation["images"]["head"][mask].mean(axis=0)
        assert color[2] > 1.5 * color[0], "the mark is blue"
        pictures[name] = observation["images"]["head"], mask
    if len(pictures) == 2:
        (one, mask), (other, mask_2) = pictures.values()
        assert (mask & mask_2).sum() / (mask | mask_2).sum() > 0.98
        both = mask & mask_2
        assert abs(one[both].astype(float) - other[both]).mean() < 10


@pytest.mark.render
def test_a_stone_in_it_is_seen_whole(backend, make_env):
    """As much of it as of a stone on the bare table, at the other side of the board."""
    env = make_env(backend, task="remove_stone", cameras=("head",), modalities=ALL)
    env.reset(seed=0)
    seen = []
    for x in (TRAY.center[0], -TRAY.center[0]):
        env.debug.backend.write_state(stone_on_table(env.scene_state, x, TRAY.center[1]))
        mask = env.render_camera("head", ALL).segmentation == core.SegmentationId.STONE
        seen.append(int(mask.sum()))
    assert min(seen) > 30 and abs(seen[0] - seen[1]) <= 4


@pytest.mark.parametrize("task", ["place_stone", "move_stone"])
def test_other_tasks_have_none(task, make_env):
    env = make_env(BACKENDS[0], task=task)
    env.reset(seed=0)
    assert env.episode.scene.marks == ()


@pytest.mark.parametrize("task", MARKED)
def test_nothing_collides_with_it(backend, make_env, task):
    """A stone at rest in the middle of the mark lies on the table, and stays."""
    env = make_env(backend, task=task)
    env.reset(seed=0)
    state = stone_on_table(env.scene_state, *TRAY.center)
    env.debug.backend.write_state(state)
    env.debug.backend.step(np.tile(state.joint_positions.astype(float), (100, 1)))
    moved = abs(env.debug.backend.read_state().stone_poses[0, :3] - state.stone_poses[0, :3])
    assert moved.max() < 1e-4  # m
