"""Goal pictures: what stands where, which way is up, and who gets them."""

import numpy as np
import pytest

from bomb.policies.expert import Expert
from bomb.rollouts.rollout import play
from core.board.boards import empty_board, with_cell
from core.board.goal_picture import goal_picture
from core.errors import OptionError
from core.world.stage import clean_scene
from tasks.copy_pattern import CopyPattern

SCENE = clean_scene()


def pixel(row: int, column: int, size: int) -> tuple[int, int]:
    """The pixel of an intersection: the board is 270 mm wide, its lines 55 mm apart."""
    return tuple(round((0.135 + (k - 2) * 0.055) / 0.27 * size) for k in (row, column))


def test_stones_stand_where_they_should():
    board = with_cell(with_cell(empty_board(5), (0, 4), 1), (3, 1), 2)
    picture = goal_picture(SCENE, board)
    assert picture.shape == (256, 256, 3) and picture.dtype == np.uint8
    assert picture[pixel(0, 4, 256)].max() < 60 and picture[pixel(3, 1, 256)].min() > 200
    changed = (picture != goal_picture(SCENE, empty_board(5))).any(axis=2)
    area = changed.sum() * (0.27 / 256) ** 2
    assert area == pytest.approx(2 * np.pi * 0.011**2, rel=0.12)


def test_a_policy_that_wants_it_gets_it(backend, make_env):
    """And one that plays from it needs no words: they say nothing of the stones."""

    class Looker(Expert):
        wants_goal_picture = True

        def reset(self, instruction, seed, *, goal_picture, **extras):
            super().reset(instruction, seed, **extras)
            self.said, self.seen = instruction, goal_picture

    policy = Looker()
    env = make_env(backend, task=CopyPattern(given="picture"), stop_on_success=True)
    result = play(env, policy, 0)
    assert result.info["success"] and not any(letter.isdigit() for letter in policy.said)
    for stone in env.episode.goal.stones:
        value = policy.seen[pixel(stone.row, stone.column, 256)]
        assert value.max() < 60 if stone.color == "black" else value.min() > 200
    assert set(env.reset(seed=1)[0]) == {"state", "instruction"}


def test_bad_input():
    with pytest.raises(OptionError, match="'song'; valid: words, picture"):
        CopyPattern(given="song")
