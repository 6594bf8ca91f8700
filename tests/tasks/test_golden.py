"""Golden games come out the same in both engines: ``python -m tests.golden.regenerate`` writes them anew."""

import pytest

import core
from tests.golden.transcript import FOLDER, golden_file, transcript


@pytest.mark.parametrize("task", core.list_tasks())
def test_golden_game(task, backend):
    assert transcript(task, backend) == golden_file(task).read_text()


def test_every_task_has_one_and_no_other_is_kept():
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(core.list_tasks())
