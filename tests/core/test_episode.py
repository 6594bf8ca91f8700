"""An episode is its moves, the first like the others."""

from dataclasses import replace

import pytest

from core.board.layout import board_of
from core.errors import OptionError
from core.registry import TASKS
from core.task import Episode
from core.world.stage import clean_scene


def drawn(name: str) -> Episode:
    task = TASKS.load(name)()
    return task.make_episode(task.stage(clean_scene()), split="ci", seed=0)


@pytest.mark.parametrize("name", ["place_stone", "tic_tac_toe", "go_sequence"])
def test_the_first_move_is_what_a_task_says_of_the_first_board(name):
    episode = drawn(name)
    first = TASKS.load(name)().next_move(episode, (board_of(episode.state, episode.scene),))
    assert first is episode.moves[0]
    assert (episode.goal, episode.instruction) == (first.goal, first.instruction)


@pytest.mark.parametrize("change", [{"moves": ()}, {"moves": 3}, {"moves": ("a",)}, {"later_moves": -1}])
def test_an_episode_without_moves_is_refused(change):
    with pytest.raises(OptionError, match="move"):
        replace(drawn("place_stone"), **change)
