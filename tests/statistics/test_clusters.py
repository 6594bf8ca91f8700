"""Intervals where the same seed was played several times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bomb import statistics
from core.errors import OptionError

outcomes = st.lists(st.booleans(), min_size=1, max_size=60)


@settings(deadline=None, max_examples=50)
@given(outcomes)
def test_clusters_of_one_are_independent_trials(values):
    alone = range(len(values))
    mine, wilson = statistics.clustered_rate(values, alone), statistics.rate(values)
    assert (mine.value, mine.n) == (wilson.value, wilson.n)
    assert mine.interval == pytest.approx(wilson.interval)
    pair = statistics.clustered_difference(values, values[::-1], alone)
    assert pair.interval == pytest.approx(
        statistics.PairedTable.of(values, values[::-1]).difference().interval
    )


@settings(deadline=None, max_examples=50)
@given(outcomes, st.integers(2, 6))
def test_copies_of_an_episode_say_no_more_than_one(values, copies):
    many = statistics.clustered_rate(values * copies, list(range(len(values))) * copies)
    once = statistics.rate(values)
    assert many.value == pytest.approx(once.value)
    # The n / (n - 1) of the variance makes it wider still.
    assert many.low <= once.low + 1e-9 and many.high >= once.high - 1e-9
    assert many.n == copies * len(values)


def test_it_covers_where_independence_is_wrong():
    rng = np.random.default_rng(3)
    seeds, knobs, covered, naive = 40, 8, [], []
    for _ in range(400):
        ability = rng.beta(1.4, 0.6, seeds)  # mean 0.7: a seed is easy or hard under every knob
        played = rng.random((knobs, seeds)) < ability
        clusters = np.tile(np.arange(seeds), knobs)
        for estimate, into in (
            (statistics.clustered_rate(played.ravel(), clusters), covered),
            (statistics.rate(played.ravel()), naive),
        ):
            into.append(estimate.low <= 0.7 <= estimate.high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)
    assert np.mean(naive) < 0.85


def test_a_pooled_difference_covers_too():
    rng = np.random.default_rng(4)
    seeds, knobs, covered = 40, 6, []
    for _ in range(300):
        luck = rng.random(seeds)
        clean = np.tile(luck < 0.8, knobs)
        perturbed = (0.7 * luck + 0.3 * rng.random((knobs, seeds)) < 0.5).ravel()
        covered.append(statistics.clustered_difference(clean, perturbed, np.tile(np.arange(seeds), knobs)))
    # P(0.7 u + 0.3 v < 0.5) for independent uniforms: the mean over v of (0.5 - 0.3 v) / 0.7.
    truth = 0.35 / 0.7 - 0.8
    assert np.mean([e.low <= truth <= e.high for e in covered]) == pytest.approx(0.95, abs=0.035)


def test_all_the_same_counts_each_seed_once():
    clusters = list(range(20)) * 5
    sure = statistics.clustered_rate([True] * 100, clusters)
    assert (sure.value, sure.n) == (1.0, 100)
    assert sure.low == pytest.approx(statistics.wilson(20, 20).low)
    still = statistics.clustered_difference([True] * 100, [True] * 100, clusters)
    assert still.interval == pytest.approx(statistics.tango(0, 0, 20).interval) and still.n == 100


def test_kappa_of_clusters():
    rng = np.random.default_rng(0)
    a = rng.random(60) < 0.6
    b = np.where(rng.random(60) < 0.85, a, ~a)
    alone, copied = statistics.cohen_kappa(a, b), statistics.clustered_kappa(a, b, range(60))
    assert copied == alone
    many = statistics.clustered_kappa(np.tile(a, 5), np.tile(b, 5), list(range(60)) * 5)
    assert many.value == pytest.approx(alone.value)
    assert many.interval == pytest.approx(alone.interval, abs=0.05)
    perfect = statistics.clustered_kappa(np.tile(a, 5), np.tile(a, 5), list(range(60)) * 5)
    assert perfect.value == 1.0 and perfect.low == pytest.approx(statistics.cohen_kappa(a, a).low)
    assert statistics.clustered_kappa([True] * 4, [True] * 4, [1, 1, 2, 2]).value is None


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="2 and 1"):
        statistics.clustered_rate([True, False], [1])
    with pytest.raises(OptionError, match="2 pairs, got 1"):
        statistics.clustered_kappa([True, False], [True, False], [1])
    assert statistics.clustered_rate([], []).reason == "no trials"
