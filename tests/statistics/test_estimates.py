"""Statistics against published values, and their behaviour at the edges."""

import json

import numpy as np
import pytest
import scipy.stats

from bomb import statistics
from core.errors import OptionError


def test_wilson_matches_a_published_example():
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for successes, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        estimate = statistics.wilson(successes, n)
        assert estimate.value == successes / n
        assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_covers_as_often_as_it_says():
    counts = np.random.default_rng(1).binomial(100, 0.9, 400)
    covered = [statistics.wilson(int(k), 100) for k in counts]
    assert np.mean([e.low <= 0.9 <= e.high for e in covered]) == pytest.approx(0.95, abs=0.035)


def test_kappa_matches_a_textbook_table():
    # 20 both yes, 5 and 10 split, 15 both no: observed 0.7, chance 0.5, kappa 0.4.
    a = [True] * 25 + [False] * 25
    b = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    estimate = statistics.cohen_kappa(a, b)
    assert estimate.value == pytest.approx(0.4)
    # The large-sample standard error of this table is 0.127 (Fleiss, Cohen and Everitt 1969).
    assert estimate.low == pytest.approx(0.4 - 1.96 * 0.127, abs=0.03)
    assert estimate.high == pytest.approx(0.4 + 1.96 * 0.127, abs=0.03)
    assert estimate == statistics.cohen_kappa(a, b)


def test_kappa_of_three_labels():
    a = ["x", "x", "y", "y", "z", "z"]
    assert statistics.cohen_kappa(a, a).value == 1.0
    assert statistics.cohen_kappa(a, ["x", "y", "y", "z", "z", "x"]).value == pytest.approx(0.25)


def test_perfect_kappa_is_not_certain():
    few = statistics.cohen_kappa([True, False] * 5, [True, False] * 5)
    many = statistics.cohen_kappa([True, False] * 500, [True, False] * 500)
    assert few.value == many.value == 1.0
    assert few.low < 0.5 < 0.98 < many.low < 1.0


def test_kappa_has_an_interval_where_one_side_never_varies():
    mixed = [True, False] * 10
    pooled = statistics.clustered_kappa([True] * 20, mixed, list(range(10)) * 2)
    for found in (
        statistics.cohen_kappa([True] * 20, mixed),
        statistics.cohen_kappa(mixed, [False] * 20),
        pooled,
    ):
        assert found.value == 0.0 and found.low < 0 < found.high < 0.5


@pytest.mark.parametrize(("share", "count"), [(0.5, 200), (0.5, 500), (0.5, 1000), (0.8, 200), (0.8, 1000)])
def test_the_interval_of_kappa_keeps_its_level_near_1(share, count):
    """Raters of the same margins who disagree rarely; a percentile bootstrap covered down to 90.8%."""
    rng, tries = np.random.default_rng(count), 500
    for kappa in (0.9, 0.95, 0.98, 0.99):
        apart = (1 - kappa) * share * (1 - share)
        held = 0
        for cells in rng.multinomial(count, [share - apart, apart, apart, 1 - share - apart], size=tries):
            a, b = np.repeat([True, True, False, False], cells), np.repeat([True, False, True, False], cells)
            found = statistics.cohen_kappa(a, b, resamples=400)
            held += found.low <= kappa <= found.high
        assert held / tries >= 0.94, (kappa, held / tries)


def test_kappa_of_20_pairs_is_nearly_always_defined():
    rng = np.random.default_rng(0)
    found = [statistics.cohen_kappa(a, b, resamples=50) for a, b in rng.random((300, 2, 20)) < 0.8]
    assert sum(e.low is None for e in found) <= 2  # where both raters never vary


def test_kappa_is_undefined_where_nothing_varies():
    estimate = statistics.cohen_kappa([True] * 9, [True] * 9)
    assert estimate.value is None and estimate.n == 9
    assert "True" in estimate.reason


def test_iou_counts_the_union_only():
    a = [True] * 9 + [False] * 91
    b = [True] * 10 + [False] * 90
    estimate = statistics.iou(a, b)
    assert (estimate.value, estimate.n) == (0.9, 10)
    assert estimate.low < 0.9 < estimate.high
    assert statistics.iou(a, a).low < 1.0
    assert statistics.iou([False], [False]).reason == "both sets are empty"


def test_median_interval_is_that_of_the_order_statistics():
    # For n = 20 the 95% interval of the median runs from the 6th to the 15th value.
    estimate = statistics.quantile(np.arange(1, 21), 0.5)
    assert (estimate.value, estimate.low, estimate.high) == (10.5, 6.0, 15.0)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("n", [7, 60, 200])
def test_quantile_intervals_are_those_of_scipy(n, q):
    values = np.random.default_rng(n).integers(0, n // 2, n)  # with ties
    expected = scipy.stats.quantile_test(values, p=q).confidence_interval(0.95)
    ends = [np.nan if end is None else end for end in statistics.quantile(values, q).interval]
    assert ends == pytest.approx([expected.low, expected.high], nan_ok=True)


def test_a_quantile_without_enough_values_says_so():
    estimate = statistics.quantile(range(20), 0.95)
    assert estimate.value is not None and estimate.low is not None
    assert estimate.high is None and "20 values" in estimate.reason
    assert statistics.quantile(range(100), 0.95).high is not None


def test_mean_agrees_with_the_normal_interval_on_many_values():
    values = np.random.default_rng(0).normal(3.0, 1.0, 500)
    estimate = statistics.mean(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(500)
    assert estimate.value == pytest.approx(values.mean())
    assert (estimate.low, estimate.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.01
    )
    same = statistics.mean([2.0, 2.0])  # two episodes that went alike make nothing certain
    assert same.value == 2.0 and same.interval == [None, None] and "the same" in same.reason


def test_agreement_and_rate():
    assert statistics.agreement(["a", "b", "c"], ["a", "b", "x"]).value == pytest.approx(2 / 3)
    assert statistics.rate([True, True, False, False]).value == 0.5


@pytest.mark.parametrize(
    "estimate",
    [
        statistics.wilson(0, 0),
        statistics.rate([]),
        statistics.agreement([], []),
        statistics.cohen_kappa([], []),
        statistics.quantile([], 0.5),
        statistics.mean([]),
        statistics.mean([1.0]),
    ],
)
def test_what_is_undefined_has_a_reason_and_survives_json(estimate):
    assert estimate.low is None and estimate.high is None and estimate.reason
    assert "NaN" not in json.dumps(estimate.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: statistics.wilson(3, 2), "got 3"),
        (lambda: statistics.wilson(1, 2, confidence=1.0), "got 1.0"),
        (lambda: statistics.rate([0.5]), "float64"),
        (lambda: statistics.agreement([1], [1, 2]), "1 and 2"),
        (lambda: statistics.quantile([1.0], 1.0), "got 1.0"),
        (lambda: statistics.mean([0.0, float("nan")]), r"values\[1\]"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(OptionError, match=words):
        call()
