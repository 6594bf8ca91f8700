"""Bounds, verdicts, exit statuses and the two faces of the table."""

import pytest

from bomb.parity.table import (
    FAILS,
    PASSES,
    UNDECIDED,
    Bound,
    Row,
    exit_status,
    not_measured,
    to_json,
    to_text,
)
from bomb.statistics import Estimate

AT_LEAST = Bound(value=0.9, at_least=True)
AT_MOST = Bound(value=1.0, at_least=False)


def estimate(value, low, high, n=100):
    return Estimate(value=value, low=low, high=high, n=n)


def row(verdict: str) -> Row:
    low = {PASSES: 0.95, FAILS: 0.1, UNDECIDED: 0.5}[verdict]
    high = {PASSES: 0.99, FAILS: 0.2, UNDECIDED: 0.99}[verdict]
    return Row(key=verdict.split()[0], estimate=estimate((low + high) / 2, low, high), bound=AT_LEAST)


@pytest.mark.parametrize(
    ("bound", "low", "high", "verdict"),
    [
        (AT_LEAST, 0.9, 1.0, PASSES),
        (AT_LEAST, 0.89, 1.0, UNDECIDED),
        (AT_LEAST, 0.5, 0.9, UNDECIDED),
        (AT_LEAST, 0.5, 0.899, FAILS),
        (AT_LEAST, None, 1.0, UNDECIDED),
        (AT_LEAST, 0.95, None, PASSES),
        (AT_MOST, 0.1, 1.0, PASSES),
        (AT_MOST, 0.1, 1.01, UNDECIDED),
        (AT_MOST, 1.01, 2.0, FAILS),
        (AT_MOST, 1.01, None, FAILS),
        (AT_MOST, 0.1, None, UNDECIDED),
    ],
)
def test_the_interval_decides(bound, low, high, verdict):
    assert bound.judge(estimate(0.95, low, high)) == verdict


def test_a_bound_at_the_end_of_the_scale_is_met_until_something_contradicts_it():
    everything = Bound(value=1.0, at_least=True, extreme=True)
    assert everything.judge(estimate(1.0, 0.8, 1.0)) == PASSES
    assert everything.judge(estimate(0.99, 0.9, 0.999)) == FAILS


def test_what_was_not_measured_is_undecided():
    missing = not_measured("ssim", AT_LEAST, "no driver")
    assert missing.verdict == UNDECIDED
    assert missing.to_dict()["value"] is None
    assert missing.to_dict()["notes"] == ["no driver"]


def test_a_broken_row_fails_whatever_its_interval_says():
    broken = Row(key="kappa", estimate=estimate(0.95, 0.94, 0.96), bound=AT_LEAST, broken="rates are off")
    assert broken.verdict == FAILS
    assert broken.to_dict()["notes"] == ["rates are off"]


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([PASSES, PASSES], 0),
        ([PASSES, UNDECIDED], 2),
        ([UNDECIDED, FAILS, PASSES], 1),
        ([], 2),
    ],
)
def test_exit_status(verdicts, status):
    assert exit_status([row(verdict) for verdict in verdicts]) == status


def test_json_has_the_promised_keys_and_nests_backends():
    rows = [
        row(PASSES),
        *(Row(key="success", part=name, estimate=estimate(1, 0.99, 1), bound=AT_LEAST) for name in "ab"),
    ]
    table = to_json(rows)
    assert list(table["passes"]) == ["value", "interval", "n", "bound", "verdict"]
    assert table["passes"]["interval"] == [0.95, 0.99]
    assert set(table["success"]) == {"a", "b"}


def test_text_has_a_line_for_each_row_and_each_remark():
    text = to_text([row(PASSES), not_measured("ssim", AT_LEAST, "no driver")])
    assert "passes" in text
    assert "  ssim: no driver" in text.splitlines()
