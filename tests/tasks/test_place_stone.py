"""place_stone: words that name the goal exactly, and layouts that can be played."""

import numpy as np
import pytest

from core.errors import EpisodeInitializationError, OptionError
from core.task import Intersection
from core.world.scene import BoardSpec
from core.world.stage import clean_scene
from tasks.place_stone import PlaceStone
from tasks.place_stone.layout import LayoutSpec
from tasks.place_stone.words import PHRASINGS, instruct, parse

SCENE = clean_scene()
EPISODES = [PlaceStone().make_episode(SCENE, split="ci", seed=seed) for seed in range(300)]


def test_canonical_words():
    text = instruct(Intersection(color="black", row=3, column=4), PHRASINGS[0]).text
    assert text == "place the black stone on the board at row 3, column 4"
    assert instruct(Intersection(color="black", row=3, column=4), PHRASINGS[1]).text == (
        "place the black stone at position (3,4)"
    )


@pytest.mark.parametrize("phrasing", PHRASINGS, ids=lambda phrasing: phrasing.name)
@pytest.mark.parametrize("color", ["black", "white"])
def test_every_phrasing_names_the_goal_exactly(phrasing, color):
    for row in range(5):
        for column in range(5):
            goal = Intersection(color=color, row=row, column=column)
            assert parse(instruct(goal, phrasing).text) == goal


@pytest.mark.parametrize("phrasing", PHRASINGS, ids=lambda phrasing: phrasing.name)
def test_spans_say_where_the_words_are(phrasing):
    said = instruct(Intersection(color="white", row=3, column=1), phrasing)
    words = {name: said.text[span.start : span.end] for name, span in said.spans.items()}
    assert words["color"] == "white"
    assert words["row_digit"] == "3" and words["column_digit"] == "1"
    assert "3" in words["row"] and "1" in words["column"]
    if "board" in words:
        assert words["board"] == "the board"
    assert said.text.isascii() and said.text.isprintable()


def test_foreign_words_are_refused():
    with pytest.raises(OptionError, match="dance"):
        parse("dance with the black stone")


def test_all_goals_and_phrasings_are_drawn():
    assert len({(e.goal.color, e.goal.row, e.goal.column) for e in EPISODES}) == 50
    shapes = {"".join(c for c in e.instruction.text if not c.isdigit()) for e in EPISODES}
    assert len(shapes) == 2 * len(PHRASINGS)


def on_board(episode) -> list[np.ndarray]:
    return [p for p in episode.state.stone_poses if p[2] > 0.75]


def test_some_boards_are_empty_and_some_have_neighbours_of_the_goal():
    counts = [len(on_board(episode)) for episode in EPISODES]
    assert counts.count(0) > 100 and max(counts) >= 4
    near = 0
    for episode in EPISODES:
        p_BG = np.array([*SCENE.board.point(episode.goal.row, episode.goal.column), 0.0])
        goal = np.asarray(SCENE.board.X_WB.p) + p_BG * [-1, -1, 1]
        distances = [np.hypot(*(p[:2] - goal[:2])) for p in on_board(episode)]
        assert all(d > 0.054 for d in distances), "the goal itself is free"
        near += any(d < 0.056 for d in distances)
    assert near > 40


def test_table_stones_leave_room_for_the_open_fingers():
    board = BoardSpec()
    for episode in EPISODES:
        table = [p for p in episode.state.stone_poses if p[2] < 0.75]
        assert 4 <= len(table) <= 8
        for i, p in enumerate(table):
            assert abs(p[0]) - board.width / 2 >= 0.0599
            assert p[2] == pytest.approx(0.744)
            assert all(np.hypot(*(p - q)[:2]) >= 0.0599 for q in table[:i])


def test_the_nearest_stone_of_the_colour_is_nearest_by_20_mm():
    for episode in EPISODES:
        home = np.array(
            [0.0, -0.65 + 0.44]
        )  # tool centre point at home, in W (core/world/scene.py: RobotSpec.home)
        distances = sorted(
            float(np.hypot(*(pose[:2] - home)))
            for k, pose in zip(episode.state.stone_ids, episode.state.stone_poses, strict=True)
            if SCENE.stones[k].color == episode.goal.color and pose[2] < 0.75
        )
        assert distances[1] - distances[0] >= 0.0199


def test_an_impossible_layout_says_so():
    crowded = PlaceStone(layout=LayoutSpec(per_color=(12, 12), on_board=0))
    with pytest.raises(EpisodeInitializationError, match="fewer stones"):
        crowded.make_episode(SCENE, split="ci", seed=0)
