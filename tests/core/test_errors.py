"""Numbers in options: what is taken, and the words in which the rest is refused."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import (
    NATURAL,
    POSITIVE,
    Number,
    OptionError,
    check_integer,
    check_numbers,
    install_command,
    missing_extra,
)

SHARE = Number(whole=False, least=0, most=1)
SECONDS = Number(whole=False, above=0, unit="seconds", optional=True)


@pytest.mark.parametrize(
    ("constraint", "value"),
    [
        (POSITIVE, 1),
        (NATURAL, 0),
        (SHARE, 0),
        (SHARE, 1.0),
        (SECONDS, None),
        (SECONDS, 1e-9),
        (Number(whole=False), -4.5),
        (Number(least=0), 10**400),
    ],
)
def test_numbers_that_hold(constraint, value):
    constraint.check("x", value)


@pytest.mark.parametrize(
    ("constraint", "value", "words"),
    [
        (POSITIVE, 0, "x must be an integer from 1 up, got 0"),
        (POSITIVE, True, "x must be an integer from 1 up, got True"),
        (POSITIVE, 2.0, "x must be an integer from 1 up, got 2.0"),
        (POSITIVE, "2", "x must be an integer from 1 up, got '2'"),
        (POSITIVE, None, "x must be an integer from 1 up, got None"),
        (POSITIVE, np.int64(2), "x must be an integer from 1 up, got"),  # JSON does not take it
        (NATURAL, -1, "x must be an integer from 0 up, got -1"),
        (SHARE, math.nan, "x must be a number from 0 to 1, got nan"),
        (SHARE, 1.5, "x must be a number from 0 to 1, got 1.5"),
        (SECONDS, 0, "x must be a positive number of seconds, got 0"),
        (SECONDS, math.inf, "x must be a positive number of seconds, got inf"),
        (Number(whole=False), -math.inf, "x must be a number, got -inf"),
        (Number(least=3), 2, "x must be an integer from 3 up, got 2"),
        (Number(whole=False, most=1e18), 10**20, "x must be a number to 1e+18, got 1"),
        (Number(least=8, most=4096, unit="pixels"), 4, "an integer of pixels from 8 to 4096, got 4"),
    ],
)
def test_numbers_that_are_refused(constraint, value, words):
    with pytest.raises(OptionError) as refused:
        constraint.check("x", value)
    assert words in str(refused.value)


def test_several_options_at_once():
    check_numbers({"a": 1, "b": None}, {"a": POSITIVE, "b": SECONDS})
    with pytest.raises(OptionError, match="b must be a positive number of seconds, got -1"):
        check_numbers({"a": 1, "b": -1}, {"a": POSITIVE, "b": SECONDS})


def test_integers_of_any_kind_become_plain():
    assert type(check_integer("x", np.int64(3), least=0)) is int
    for value in (np.bool_(True), True, 3.0, "3", None, -1, 7):
        with pytest.raises(OptionError, match="x must be an integer from 0 to 6, got"):
            check_integer("x", value, least=0, most=6)


def test_a_missing_extra_is_named_by_a_command_for_where_this_is_installed():
    root = Path(__file__).parents[2]
    assert str(missing_extra("a page", "report")) == (
        f"a page needs more packages: {sys.executable} -m pip install -e '{root}[report]'"
    )
    assert " install torch && " in install_command("vla")
