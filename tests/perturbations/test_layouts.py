"""Knobs that move things: materials stay, effects grow, and stones lie where hands fit."""

from dataclasses import replace

import numpy as np
import pytest

import core
from bomb.pictures.gallery import levels_of
from core.board.layout import board_reach
from core.perturbations import KNOBS
from core.perturbations.base import Touches
from core.perturbations.objects import FROM_STONES, SIZES
from core.perturbations.presets import make_suite
from core.perturbations.suite import Suite
from core.registry import TASKS
from core.task import Episode, Task
from core.world.kinematics import Kinematics, home_position
from core.world.meshes import stone_shape
from core.world.rotations import matrix_from_quaternion
from core.world.scene import MaterialSpec, SceneSpec
from core.world.stage import MOST_STONES, clean_scene
from tasks.place_stone import PlaceStone
from tests.perturbations.conftest import SEED, graded, highest, of

SEEDS = range(30)
MOVING = (Touches.LAYOUT, Touches.SHAPE, Touches.OBJECTS, Touches.ROBOT)


def episode(perturbations, seed: int, task: Task | None = None) -> Episode:
    suite: Suite = make_suite(perturbations)
    task = task or PlaceStone()
    scene = suite.prepare(task.stage(clean_scene(("head",))))
    return suite.episode(task, scene, split="ci", seed=seed)


def looks(scene: SceneSpec) -> tuple:
    """Everything that is only seen, and the physics."""
    stones = [stone.material for stone in scene.stones]
    surfaces = [part.material for part in (scene.table, scene.wall, scene.floor, scene.board)]
    return stones, surfaces, scene.lights, scene.cameras, scene.physics


def effect(knob: str, seed: int, severity: int) -> object:
    """The knob's statistic, as its documentation names it: a number, or two."""
    clean, moved = episode({}, seed), episode({knob: severity}, seed)
    if knob == "board_pose":
        shift = np.subtract(moved.scene.board.X_WB.p, clean.scene.board.X_WB.p)
        before, after = (matrix_from_quaternion(made.scene.board.X_WB.q) for made in (clean, moved))
        turn = before.T @ after
        return float(np.hypot(*shift[:2])), abs(float(np.arctan2(turn[1, 0], turn[0, 0])))
    if knob == "friction":
        return 1.0 - moved.scene.physics.pad_stone
    if knob == "stone_mass":
        return abs(float(np.log(moved.scene.stones[0].mass / 0.005)))
    if knob == "stone_amount":
        return len(moved.state.stone_ids) - len(clean.state.stone_ids)
    if knob == "stone_position":
        table = clean.state.stone_poses[:, 2] < 0.75
        return float(
            np.linalg.norm((moved.state.stone_poses - clean.state.stone_poses)[table, :2], axis=1).mean()
        )
    if knob == "distractors":
        return sum(thing.X_WO is not None for thing in moved.scene.objects)
    if knob == "arm_start":
        tool = Kinematics(clean.scene.robot).tool_pose(moved.state.joint_positions.astype(float))[0]
        return float(np.linalg.norm(tool - home_position(clean.scene.robot)))
    assert knob == "table_height"
    return clean.scene.table.height - moved.scene.table.height


@pytest.mark.parametrize("knob", graded(*MOVING, Touches.PHYSICS))
def test_the_effect_grows_with_every_severity(knob):
    """Of control knobs, pictures and cameras: test_engines.py and test_pictures.py."""
    for seed in SEEDS[:5]:
        effects = np.array([effect(knob, seed, severity) for severity in range(6)])
        assert (np.diff(effects, axis=0) > 0).all(), effects
        assert abs(effects[0]).max() < 1e-6, "severity 0 is clean"


@pytest.mark.parametrize("knob", of(Touches.LAYOUT, Touches.ROBOT))
def test_looks_and_physics_stay(studio, knob):
    clean, _ = studio.reset({}, SEED)
    for level in levels_of(KNOBS[knob]):
        moved, _ = studio.reset({knob: level}, SEED)
        assert looks(moved.scene) == looks(clean.scene)
        assert studio.backend.read_state() == moved.state
        assert moved.goal == clean.goal and moved.instruction == clean.instruction
        if KNOBS[knob].name != "arm_start":
            assert (moved.state.joint_positions == clean.state.joint_positions).all()


@pytest.mark.parametrize("kind", KNOBS["stone_kind"].sets)
def test_kinds_of_stones_change_the_stones_alone(studio, kind):
    clean, _ = studio.reset({}, SEED)
    other, _ = studio.reset({"stone_kind": kind}, SEED)
    assert studio.backend.read_state() == other.state
    assert replace(other.scene, stones=clean.scene.stones) == clean.scene
    for before, after in zip(clean.scene.stones, other.scene.stones, strict=True):
        assert after.radius == before.radius and stone_shape(after) != stone_shape(before)
        assert (after.color, after.mass, after.inertia) == (before.color, before.mass, before.inertia)
    assert (other.state.stone_poses[:, :2] == clean.state.stone_poses[:, :2]).all()


def test_distractors_add_objects_and_nothing_else(studio):
    clean, _ = studio.reset({}, SEED)
    crowded, _ = studio.reset({"distractors": 5}, SEED)
    assert crowded.state == clean.state == studio.backend.read_state()
    assert replace(crowded.scene, objects=clean.scene.objects) == clean.scene


def test_objects_bar_no_stones_way():
    for seed in SEEDS:
        for others in ({}, {"board_pose": 5, "stone_amount": 5, "stone_position": 5}):
            made = episode({"distractors": 5, **others}, seed)
            things = [np.array(thing.X_WO.p) for thing in made.scene.objects]
            assert len(things) == 10
            for thing in things:
                assert (
                    np.linalg.norm(made.state.stone_poses[:, :2] - thing[:2], axis=1).min()
                    >= FROM_STONES - 1e-6
                )
                assert abs(thing[0]) < 0.6 - max(SIZES[0]) and abs(thing[1]) < 0.35


def test_stones_lie_where_hands_fit_on_a_board_that_moved():
    for seed in SEEDS:
        for perturbations in (
            {"board_pose": 5},
            {"stone_position": 5},
            {"board_pose": 5, "stone_position": 5},
        ):
            made = episode(perturbations, seed)
            board, poses = made.scene.board, made.state.stone_poses
            R_WB = matrix_from_quaternion(board.X_WB.q)
            reach = abs(R_WB[0, :2]).sum() * board.width / 2
            table = poses[poses[:, 2] < 0.75]
            assert (abs(table[:, 0] - board.X_WB.p[0]) >= reach + 0.0599 - 0.003).all()
            assert (
                (abs(table[:, 0]) < 0.335).all()
                and (table[:, 1] > -0.325).all()
                and (table[:, 1] < 0.0).all()
            )
            for k, p in enumerate(table):
                assert all(np.hypot(*(p - q)[:2]) >= 0.0599 for q in table[:k])
            home = np.array(home_position(made.scene.robot)[:2])
            colored = [
                float(np.hypot(*(pose[:2] - home)))
                for k, pose in zip(made.state.stone_ids, poses, strict=True)
                if made.scene.stones[k].color == made.goal.color and pose[2] < 0.75
            ]
            nearest, second = sorted(colored)[:2]
            assert second - nearest >= 0.0199


def on_board(made: Episode) -> dict[int, tuple[float, float]]:
    """p_B of the stones on the board, by pool index, in mm."""
    board = made.scene.board
    R_WB, p_WB = matrix_from_quaternion(board.X_WB.q), np.array(board.X_WB.p)
    return {
        int(k): tuple(np.round((R_WB.T @ (pose[:3] - p_WB))[:2] * 1e3, 3))
        for k, pose in zip(made.state.stone_ids, made.state.stone_poses, strict=True)
        if pose[2] > made.scene.table.height + made.scene.board.thickness
    }


def test_stones_stay_on_their_intersections_when_the_board_moves():
    counts = 0
    for seed in SEEDS:
        clean, moved = on_board(episode({}, seed)), on_board(episode({"board_pose": 5}, seed))
        assert moved.keys() == clean.keys()
        assert all(np.allclose(moved[k], clean[k], atol=0.01) for k in clean)
        counts += len(clean)
    assert counts > 20


def test_more_stones_leave_the_goal_and_the_clean_ones():
    for seed in SEEDS:
        clean, full = episode({}, seed), episode({"stone_amount": 5}, seed)
        board, goal = clean.scene.board, clean.goal
        assert on_board(clean).items() <= on_board(full).items()
        assert len(full.state.stone_ids) == len(clean.state.stone_ids) + 10
        cell = ((goal.column - 2) * board.pitch * 1e3, (2 - goal.row) * board.pitch * 1e3)
        places = list(on_board(full).values())
        assert all(np.hypot(*np.subtract(p, cell)) > 50 for p in places)
        assert len({tuple(np.round(p)) for p in places}) == len(places)


def test_a_full_table_a_full_neighbourhood_and_more_stones_are_not_too_many():
    for seed in range(100):
        made = episode({"stone_layout": "around_goal", "stone_amount": 5}, seed)
        around = episode({"stone_layout": "around_goal"}, seed)
        # Four intersections stay free: the last one would be the goal.
        assert len(on_board(made)) == min(len(on_board(around)) + 10, 21)
        assert len(made.scene.stones) == MOST_STONES
        assert on_board(around).items() <= on_board(made).items()


@pytest.mark.parametrize("name", core.list_tasks())
def test_every_task_lays_out_around_a_board_that_moved(name):
    """That stones are on their intersections and beside the board is in ``core.testing.check_task``."""
    task = TASKS.load(name)()
    for seed in SEEDS[:10]:
        clean = episode({}, seed, task)
        for severity in (1, 3, 5):
            made = episode({"board_pose": severity}, seed, task)
            board, ids = made.scene.board, made.state.stone_ids
            assert ids.tolist() == clean.state.stone_ids.tolist()
            table = made.state.stone_poses[made.state.stone_poses[:, 2] < 0.75, :2].astype(float)
            # Along x_W, as the fingers lie: half an open hand is 39 mm.
            room = abs(table[:, 0] - board.X_WB.p[0]) - board_reach(made.scene)
            assert room.min() >= 0.0599 and abs(table[:, 0]).max() < 0.301
            apart = abs(table[:, None] - table[None])
            fits = (apart[..., 0] >= 0.0499) | (apart[..., 1] >= 0.0329)
            assert fits[~np.eye(len(table), dtype=bool)].all()
            for mark in made.scene.marks:
                assert (board.X_WB.p[0] - clean.scene.board.X_WB.p[0]) * mark.center[0] <= 0, "away from it"
                gap = abs(mark.center[0] - board.X_WB.p[0]) - mark.half_size[0] - board_reach(made.scene)
                assert gap > 0.039


@pytest.mark.parametrize("layout", KNOBS["stone_layout"].sets)
def test_layouts_of_the_board(layout):
    for seed in SEEDS:
        clean, other = episode({}, seed), episode({"stone_layout": layout}, seed)
        goal, table = clean.goal, clean.state.stone_poses[:, 2] < 0.75
        count = {
            "empty": 0,
            "row": 20,  # each row and each column has one free intersection
            "column": 20,
            "around_goal": 25 - (3 - goal.row % 2) * (3 - goal.column % 2),  # what is free lies two apart
        }[layout]
        assert len(on_board(other)) == count
        assert set(clean.state.stone_ids[table].tolist()) <= set(other.state.stone_ids.tolist())


def test_what_an_episode_shares_with_its_clean_twin_is_recorded():
    twin = episode({"stone_amount": 2, "words": "negation"}, SEED).perturbation["twin"]
    assert twin["goal"] and twin["arm"] and not twin["instruction"]
    clean = episode({}, SEED)
    assert twin["stones"]["same"] == clean.state.stone_ids.tolist()
    assert len(twin["stones"]["added"]) == 4 and not twin["stones"]["moved"] and not twin["stones"]["removed"]
    moved = episode({"board_pose": 3}, SEED).perturbation["twin"]
    assert moved["instruction"] and moved["stones"]["moved"] and not moved["stones"]["added"]
    for seed in SEEDS:
        clean, record = episode({}, seed), episode({"board_pose": 2}, seed).perturbation["twin"]["stones"]
        assert record["moved"] == clean.state.stone_ids.tolist() and not record["same"]
    assert not episode({"arm_start": 1}, SEED).perturbation["twin"]["arm"]


def test_reflectivity_and_color_leave_shapes_alone():
    clean = episode({}, SEED).scene
    plain = MaterialSpec()
    for knob in of(Touches.PICTURE):
        scene = episode({knob: highest(knob)}, SEED).scene
        for part in ("table", "wall", "floor", "board"):
            before, after = getattr(clean, part), getattr(scene, part)
            assert replace(before, material=plain) == replace(after, material=plain)
        assert [stone_shape(s) for s in scene.stones] == [stone_shape(s) for s in clean.stones]
        assert scene.physics == clean.physics and scene.robot == clean.robot
