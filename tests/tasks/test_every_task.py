"""Every registered task keeps the contract, in both engines."""

import pytest

import core
from core.registry import TASKS
from core.testing import check_task


@pytest.mark.parametrize("name", core.list_tasks())
def test_the_contract(name):
    check_task(TASKS.load(name)())
