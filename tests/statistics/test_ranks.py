"""Correlations against scipy, and MMRV against worked values."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from bomb import statistics
from bomb.statistics import correlations, mmrv
from core.errors import OptionError

rates = st.integers(2, 9).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=n, max_size=n)] * 2)
)


@settings(deadline=None, max_examples=50)
@given(rates)
def test_correlations_are_those_of_scipy(sides):
    a, b = map(np.array, sides)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert np.isnan([statistics.pearson(a, b), statistics.spearman(a, b), statistics.kendall(a, b)]).all()
        return
    assert statistics.pearson(a, b) == pytest.approx(scipy.stats.pearsonr(a, b).statistic)
    assert statistics.spearman(a, b) == pytest.approx(scipy.stats.spearmanr(a, b).statistic)
    assert statistics.kendall(a, b) == pytest.approx(scipy.stats.kendalltau(a, b).statistic)


def test_mmrv_by_hand():
    reference = [0.9, 0.5, 0.1]
    assert mmrv([0.8, 0.6, 0.2], reference) == 0
    # The last two change places: each is violated by 0.4, the first by nothing.
    assert mmrv([0.8, 0.2, 0.6], reference) == pytest.approx(0.8 / 3)
    # The whole order is turned around.
    assert mmrv([0.1, 0.5, 0.9], reference) == pytest.approx((0.8 + 0.4 + 0.8) / 3)
    # A tie: the better of two is no longer strictly above, the worse is where it was.
    assert mmrv([0.8, 0.3, 0.3], reference) == pytest.approx(0.4 / 3)
    # A violation weighs what the reference says, so the two sides are no mirror of each other.
    assert mmrv([0.5, 0.6], [0.9, 0.1]) == pytest.approx(0.8)
    assert mmrv([0.9, 0.1], [0.5, 0.6]) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("real", "simulated", "violation", "r"),
    [
        (
            [0.907, 0.853, 0.920, 0.760, 0.133, 0.293],
            [0.787, 0.857, 0.710, 0.567, 0.027, 0.170],
            0.031,
            0.976,
        ),
        (
            [0.733, 0.633, 0.583, 0.450, 0.017, 0.350],
            [0.779, 0.442, 0.354, 0.317, 0.050, 0.042],
            0.111,
            0.855,
        ),
    ],
    ids=["pick coke can", "move near"],
)
def test_mmrv_and_pearson_as_simplerenv_published_them(real, simulated, violation, r):
    # Rates of six policies out of SimplerEnv's metrics.py; results of "visual matching" out of Li et al.
    # 2024, which were computed from rates before rounding.
    assert mmrv(simulated, real) == pytest.approx(violation, abs=6e-4)
    assert statistics.pearson(simulated, real) == pytest.approx(r, abs=2e-3)


@settings(deadline=None, max_examples=50)
@given(rates)
def test_mmrv_of_the_same_order_is_zero(sides):
    a = np.array(sides[0])
    assert mmrv(a, a) == 0
    assert mmrv(a**2 / 2, a) == 0
    assert 0 <= mmrv(sides[1], a) <= np.ptp(a)


@settings(deadline=None, max_examples=50)
@given(rates, st.integers(1, 4))
def test_many_rows_at_once_are_the_same_as_one_by_one(sides, shift):
    a, b = (np.array([side, np.roll(side, shift)]) for side in sides)
    for statistic in (mmrv, statistics.pearson, statistics.spearman, statistics.kendall):
        assert statistic(a, b) == pytest.approx(
            [statistic(*pair) for pair in zip(a, b, strict=True)], nan_ok=True
        )


def outcomes(points, seeds=80, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((len(points), seeds)) < np.array(points)[:, None]).astype(float)


def test_simulators_that_order_alike():
    p = [0.1, 0.3, 0.5, 0.7, 0.9]
    found = correlations(outcomes(p, seed=1), outcomes(p, seed=2))
    assert found.pearson.value > 0.95 and found.pearson.n == 5
    assert found.spearman.low > 0.8 and found.kendall.low > 0.5
    assert found.mmrv_first.low <= found.mmrv_first.value <= found.mmrv_first.high
    turned = correlations(outcomes(p, seed=1), outcomes(p[::-1], seed=2))
    assert turned.pearson.high < -0.8 and turned.mmrv_first.low > 0.3


def test_intervals_are_reproducible_and_hold_the_value():
    a, b = outcomes([0.2, 0.4, 0.8], seed=1), outcomes([0.3, 0.3, 0.7], seed=2)
    found = correlations(a, b)
    assert found == correlations(a, b)
    for estimate in (found.pearson, found.spearman, found.kendall, found.mmrv_first, found.mmrv_second):
        assert estimate.low <= estimate.value <= estimate.high


def test_the_references_are_the_two_sides():
    a, b = outcomes([0.9, 0.1], seeds=10, seed=1), outcomes([0.4, 0.6], seeds=10, seed=2)
    found, first, second = correlations(a, b), a.mean(1), b.mean(1)
    assert found.mmrv_first.value == pytest.approx(mmrv(second, first))
    assert found.mmrv_second.value == pytest.approx(mmrv(first, second))


def test_only_episodes_of_both_count():
    a, b = outcomes([0.2, 0.5, 0.9], seed=1), outcomes([0.2, 0.5, 0.9], seed=2)
    gap = a.copy()
    gap[:, 40:] = np.nan
    assert correlations(gap, b) == correlations(gap, np.where(np.isnan(gap), np.nan, b))
    assert correlations(gap, b).pearson.value == pytest.approx(
        statistics.pearson(a[:, :40].mean(1), b[:, :40].mean(1))
    )
    gap[1] = np.nan  # a point without episodes is no point
    assert correlations(gap, b).mmrv_first.n == 2


def test_columns_of_a_cluster_are_drawn_together():
    p = [0.3, 0.5, 0.7]
    a, b = outcomes(p, 60, 1), outcomes(p, 60, 2)
    alone = correlations(a, b).pearson
    copied = correlations(np.tile(a, 4), np.tile(b, 4), clusters=list(range(60)) * 4).pearson
    apart = correlations(np.tile(a, 4), np.tile(b, 4)).pearson
    assert copied.value == pytest.approx(alone.value)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high), abs=0.05)
    assert apart.high - apart.low < copied.high - copied.low


def test_what_is_undefined_says_why():
    two = correlations(outcomes([0.2, 0.8]), outcomes([0.2, 0.8], seed=3))
    assert two.pearson.value is None and "takes 3 points, there are 2" in two.pearson.reason
    assert two.mmrv_first.value is not None
    one = correlations(outcomes([0.2]), outcomes([0.2]))
    assert one.mmrv_first.reason == "takes 2 points, there are 1"
    flat = correlations(np.ones((3, 9)), outcomes([0.2, 0.5, 0.8], 9))
    assert flat.pearson.value is None and "same rate" in flat.pearson.reason
    nothing = correlations(np.full((3, 4), np.nan), np.ones((3, 4)))
    assert nothing.pearson.reason == "takes 3 points, there are 0"


def test_identical_outcomes_are_not_certain():
    a = outcomes([0.1, 0.5, 0.9], 30)
    found = correlations(a, a)
    assert found.pearson.value == pytest.approx(1.0) and found.mmrv_first.value == 0
    assert found.mmrv_first.low is None and "see the agreement" in found.mmrv_first.reason


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: correlations(np.ones((2, 3)), np.ones((3, 3))), r"\(2, 3\) and \(3, 3\)"),
        (lambda: correlations(np.full((2, 3), 0.5), np.ones((2, 3))), "0, 1 or NaN"),
        (lambda: correlations(np.ones((2, 3)), np.ones((2, 3)), clusters=[1]), "3 columns, got 1"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(OptionError, match=words):
        call()
