"""Without words a layout tells neither colour nor intersection; benchmarks/words_blind.py at length."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.words_blind import candidates, conditions, measure, within
from core.board.layout import board_of
from core.perturbations.presets import make_suite
from core.perturbations.stones import with_board_stones
from core.registry import TASKS
from core.world.kinematics import home_position
from core.world.stage import clean_scene
from tasks.place_stone import PlaceStone

COUNT = 400


def episodes(perturbation, count=COUNT):
    task, suite = PlaceStone(), make_suite(perturbation)
    scene = suite.prepare(task.stage(clean_scene()))
    return [suite.episode(task, scene, split="ci", seed=seed) for seed in range(count)]


def test_the_nearest_stone_of_either_colour_leads_by_20_mm():
    for made in episodes(None):
        home, state = home_position(made.scene.robot)[:2], made.state
        low = state.stone_poses[:, 2] < made.scene.table.height + made.scene.board.thickness
        for color in ("black", "white"):
            chosen = low & [made.scene.stones[k].color == color for k in state.stone_ids]
            near = np.sort(np.linalg.norm(state.stone_poses[chosen, :2] - home, axis=1))
            assert near[1] - near[0] >= 0.020 - 1e-6


@pytest.mark.parametrize("chosen", ["around_goal", "row", "column"])
def test_every_free_intersection_has_the_surroundings_of_the_goal(chosen):
    """What a set promises of the goal holds of each intersection that could be it."""
    places = []
    for made in episodes({"stone_layout": chosen}, 100):
        grid = np.array(board_of(made.state, made.scene)) > 0
        free = [tuple(cell) for cell in np.argwhere(~grid)]
        goal = made.goal.row, made.goal.column
        assert goal in free and len(free) >= 4
        for r, c in free:
            near = grid[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2]
            full = {"around_goal": near.sum() == near.size - 1, "row": grid[r].sum() == 4,
                    "column": grid[:, c].sum() == 4}  # fmt: skip
            assert full[chosen]
        places.append(free.index(goal) / len(free))
    assert 0.3 < np.mean(places) < 0.6  # neither always the first of them nor the last


def test_where_stones_stand_together_the_goal_is_no_likelier_than_elsewhere():
    """Neighbours of the goal against those of all free intersections, which are as likely to be it."""
    at_goal, at_free = [], []
    for made in episodes(None, 1500):
        board = board_of(made.state, made.scene)
        free = [(int(r), int(c)) for r, c in np.argwhere(np.array(board) == 0)]
        if len(free) < 25:
            at_free.append(candidates(board, free)[:, 4].mean())
            at_goal.append(candidates(board, [(made.goal.row, made.goal.column)])[0, 4])
    difference = np.subtract(at_goal, at_free)
    assert abs(difference.mean()) < 3.5 * difference.std() / len(difference) ** 0.5
    assert len(difference) > 600 and np.mean(at_goal) > 0.3  # stones do stand next to goals


def test_the_guesser_finds_what_is_there_to_find(monkeypatch):
    """Layouts as they were: stones around the goal alone, and a lead of the named colour alone."""
    found = measure("place_stone", "clean", COUNT)
    assert within(found) and found["chance"] == pytest.approx(0.042, abs=0.003)

    class Telling(PlaceStone):
        def make_episode(self, scene, *, split, seed):
            made = super().make_episode(scene, split=split, seed=seed)
            poses = made.state.stone_poses.copy()
            home = np.array(home_position(scene.robot)[:2])
            other = [k for k, i in enumerate(made.state.stone_ids)
                     if scene.stones[i].color != made.goal.color and poses[k, 2] < 0.76]  # fmt: skip
            near = sorted(other, key=lambda k: np.linalg.norm(poses[k, :2] - home))[:2]
            poses[near[1], :2] = poses[near[0], :2]
            free = np.argwhere(np.array(board_of(made.state, made.scene)) == 0)
            row = made.goal.row
            shown = [tuple(cell) for cell in free if cell[0] == row and cell[1] != made.goal.column]
            made = replace(made, state=replace(made.state, stone_poses=poses))
            return with_board_stones(made, [(cell, "black", 0.0) for cell in shown])

    load = TASKS.load
    monkeypatch.setattr(TASKS, "load", lambda name: Telling if name == "place_stone" else load(name))
    told = measure("place_stone", "clean", COUNT)
    assert not within(told) and told["colour"]["value"] > 0.75 and told["goal"]["value"] > 0.75


def test_every_preset_and_every_value_of_a_layout_knob_is_measured():
    found = conditions("place_stone")
    assert {"clean", "bomb", "libero_plus", "all", "stone_layout:row", "stone_amount:5"} <= set(found)
    assert not any(name.startswith("stone_layout") for name in conditions("move_stone"))
