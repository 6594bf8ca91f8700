"""Paired differences: published values, symmetry, coverage, and the edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from bomb import statistics
from bomb.statistics import PairedTable
from core.errors import OptionError

counts = st.tuples(*[st.integers(0, 60)] * 4).filter(any)


def test_tango_matches_a_published_example():
    # Airway hyper-responsiveness before and after transplantation (Bentur 2009), as worked out by Fagerland,
    # Lydersen and Laake 2014, Statistics in Medicine 33: 1, 1, 7 and 12 of 21 pairs.
    estimate = statistics.tango(1, 7, 21)
    assert estimate.value == pytest.approx(-0.286, abs=5e-4)
    assert (estimate.low, estimate.high) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_without_discordant_pairs_tango_has_a_closed_form():
    # Tango 1998: with b = c = 0 the ends are +- z^2 / (n + z^2).
    z2 = 1.959963984540054**2
    for n in (1, 20, 500):
        assert statistics.tango(0, 0, n).interval == pytest.approx([-z2 / (n + z2), z2 / (n + z2)])


@settings(deadline=None, max_examples=50)
@given(counts)
def test_a_difference_turns_its_sign_with_the_sides(table):
    both, only_first, only_second, neither = table
    there = PairedTable(both=both, only_first=only_first, only_second=only_second, neither=neither)
    back = PairedTable(both=both, only_first=only_second, only_second=only_first, neither=neither)
    a, b = there.difference(), back.difference()
    assert a.value == -b.value
    assert (a.low, a.high) == pytest.approx((-b.high, -b.low), abs=1e-9)
    assert there.p_value() == pytest.approx(back.p_value())


@settings(deadline=None, max_examples=50)
@given(counts)
def test_an_interval_holds_its_estimate_and_stays_on_the_scale(table):
    estimate = PairedTable(
        both=table[0], only_first=table[1], only_second=table[2], neither=table[3]
    ).difference()
    assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.low < estimate.high


@settings(deadline=None, max_examples=50)
@given(counts)
def test_the_ends_are_where_the_score_test_rejects(table):
    (b, c), n = table[1:3], sum(table)
    wide, narrow = statistics.tango(b, c, n, 0.99), statistics.tango(b, c, n, 0.5)
    middle = statistics.tango(b, c, n)
    assert wide.low <= middle.low <= narrow.low and narrow.high <= middle.high <= wide.high
    # At a difference of 0 the statistic is McNemar's (b - c) / sqrt(b + c).
    if b + c:
        rejected = abs(b - c) / np.sqrt(b + c) > 1.959963984540054
        assert rejected == (not middle.low <= 0 <= middle.high)


@pytest.mark.parametrize("cells", [(0.7, 0.15, 0.05, 0.1), (0.9, 0.04, 0.01, 0.05), (0.3, 0.2, 0.2, 0.3)])
def test_tango_covers_as_often_as_it_says(cells):
    truth = cells[2] - cells[1]
    draws = np.random.default_rng(5).multinomial(80, cells, size=600)
    covered = [e.low <= truth <= e.high for _, b, c, _ in draws for e in [statistics.tango(c, b, 80)]]
    # Counts are few and whole, so the level cannot be met exactly; here it lies between 93% and 98%.
    assert 0.93 <= np.mean(covered) <= 0.985


def test_mcnemar_matches_a_published_example():
    # Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91: the exact conditional test
    # of the table above.
    assert statistics.mcnemar_exact(1, 7) == pytest.approx(0.0703, abs=5e-5)
    assert statistics.mcnemar_exact(0, 0) == 1.0
    assert statistics.mcnemar_exact(59, 6) == pytest.approx(binomtest(6, 65).pvalue)


def test_mcnemar_never_exceeds_its_level():
    rng = np.random.default_rng(2)
    n = rng.binomial(60, 0.3, 2000)
    b = rng.binomial(n, 0.5)
    tables, counts = np.unique(np.stack([b, n - b], axis=1), axis=0, return_counts=True)
    rejected = [statistics.mcnemar_exact(*table) < 0.05 for table in tables.tolist()]
    assert np.average(rejected, weights=counts) <= 0.06


def test_the_table_counts_pairs():
    table = PairedTable.of([True, True, False, False, False], [True, False, True, True, False])
    assert (table.both, table.only_first, table.only_second, table.neither) == (1, 1, 2, 1)
    assert (table.n, table.discordant, table.difference().value) == (5, 3, pytest.approx(0.2))


def test_without_pairs_nothing_is_claimed():
    table = PairedTable.of([], [])
    assert table.difference().reason == "no pairs" and table.p_value() is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: statistics.tango(3, 3, 5), "n = 5"),
        (lambda: statistics.tango(-1, 3, 5), "got -1 and 3"),
        (lambda: statistics.mcnemar_exact(-1, 0), "got -1"),
        (lambda: PairedTable.of([True], [True, False]), "1 and 2"),
        (lambda: PairedTable.of([0.5], [True]), "first must be booleans"),
        (lambda: statistics.clustered_difference([True], [True], []), "1 pairs, got 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(OptionError, match=words):
        call()
