"""Holm's correction, and what may be said of a difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from bomb.statistics import holm, judge, tango, undefined
from core.errors import OptionError

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_holm_matches_a_worked_example():
    # Sorted: 3 x 0.01, then 2 x 0.03, then the larger of 0.04 and what came before.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_holm_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    for count in (2, 5, 40):
        values = rng.random(count).round(2)
        assert holm(values.tolist()) == multipletests(values, method="holm")[1].tolist()


@settings(deadline=None, max_examples=30)
@given(p_values)
def test_holm_keeps_the_order_and_never_helps(values):
    adjusted = holm(values)
    assert all(p <= q <= 1 for p, q in zip(values, adjusted, strict=True))
    for p, q in zip(values, adjusted, strict=True):
        assert q <= min(1, p * len(values)) + 1e-12 or any(
            other < p and r >= q - 1e-12 for other, r in zip(values, adjusted, strict=True)
        )
        assert all(q <= r + 1e-12 for other, r in zip(values, adjusted, strict=True) if other >= p)


@settings(deadline=None, max_examples=30)
@given(p_values, st.integers(0, 12))
def test_a_test_that_could_not_be_made_does_not_count(values, where):
    with_gap = [*values[:where], None, *values[where:]]
    adjusted = holm(with_gap)
    assert adjusted[min(where, len(values))] is None
    assert [p for p in adjusted if p is not None] == pytest.approx(holm(values))


def test_holm_of_little():
    assert holm([]) == [] and holm([None]) == [None] and holm([0.2]) == [0.2]


def test_no_difference_shown_is_not_equal():
    little = tango(3, 5, 40)
    finding = judge(little, 0.7)
    assert finding.verdict == "no difference shown" and finding.within_margin is None
    assert "interval" in finding.words and "equal" not in finding.words
    assert judge(little, 0.7, margin=0.05).verdict == "no difference shown"


def test_equality_takes_a_margin_that_holds_the_interval():
    many = tango(10, 10, 1000)
    assert judge(many, 1.0, margin=0.05).verdict == "equal within the margin"
    assert "equal within 5 points" in judge(many, 1.0, margin=0.05).words
    assert judge(many, 1.0, margin=0.005).verdict == "no difference shown"


def test_a_difference_may_be_shown_and_not_matter():
    finding = judge(tango(0, 20, 1000), 1e-5, margin=0.05)
    assert finding.verdict == "lower" and finding.within_margin is True
    assert "inside the margin" in finding.words
    assert judge(tango(20, 0, 1000), 1e-5).verdict == "higher"


def test_the_corrected_test_decides_not_the_interval():
    difference = tango(1, 9, 100)
    assert difference.high < 0
    assert judge(difference, 0.04).verdict == "lower"
    assert judge(difference, 0.2).verdict == "no difference shown"
    assert judge(difference, None).verdict == "lower"  # no test was made: the interval speaks


def test_what_is_undefined_stays_so():
    finding = judge(undefined("no pairs"), None, margin=0.05)
    assert (finding.verdict, finding.within_margin) == ("undefined", None)
    assert finding.words == "undefined: no pairs"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: holm([0.1, 1.5]), "got 1.5"),
        (lambda: judge(tango(1, 1, 9), 1.0, margin=5), "got 5"),
        (lambda: judge(tango(1, 1, 9), 1.0, margin=0), "got 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(OptionError, match=words):
        call()
