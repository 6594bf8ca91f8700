"""The suite for authors of tasks finds promises that are broken."""

import pytest

from core.board.goals import Intersection
from core.testing import TaskCheckError, check_task
from tasks.move_stone import MoveStone


class Mumbling(MoveStone):
    """Breaks a promise: its words do not name the goal."""

    def read(self, text, board):
        return (Intersection(color="black", row=0, column=0),)


class Forgetful(MoveStone):
    """Breaks a promise: the same seed gives another episode each time."""

    count = 0

    def make_episode(self, scene, *, split, seed):
        Forgetful.count += 1
        return super().make_episode(scene, split=split, seed=seed + Forgetful.count)


class Overlapping(MoveStone):
    """Breaks a promise: two stones in one place."""

    def make_episode(self, scene, *, split, seed):
        drawn = super().make_episode(scene, split=split, seed=seed)
        drawn.state.stone_poses[0] = drawn.state.stone_poses[1]
        return drawn


@pytest.mark.parametrize(
    ("task", "promise"),
    [
        (
            Mumbling(),
            "'move_stone', split 'ci', seed 0: not so: .* names",
        ),
        (Forgetful(), "the same seed gives the same episode"),
        (Overlapping(), "no two stones overlap"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_suite_finds_broken_promises(task, promise):
    with pytest.raises(TaskCheckError, match=promise):
        check_task(task, backends=())
