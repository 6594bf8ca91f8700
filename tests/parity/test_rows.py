"""Rows out of planted results: simulators that disagree must fail, those that agree must pass."""

import numpy as np
import pytest

from bomb.parity.arm import ArmStudy, worst
from bomb.parity.envelope import EnvelopeStudy, Grasp
from bomb.parity.expert import EpisodeEnding, ExpertComparison, ExpertStudy, rest_offset
from bomb.parity.near_misses import NearMiss, NearMissStudy
from bomb.parity.scorer import ScorerStudy
from bomb.parity.study import StudyPlan
from bomb.parity.table import FAILS, PASSES, UNDECIDED

PLAN = StudyPlan(backends=("a", "b"))


def verdicts(study, results) -> dict[str, str]:
    rows = study.rows(PLAN, results)
    return {row.key if row.part is None else f"{row.key}/{row.part}": row.verdict for row in rows}


def outcome(success=True, released=True, at=0.0) -> EpisodeEnding:
    return EpisodeEnding(
        success=success, released=released, stone=1, positions=np.array([[9, 9, 9], [at, 0, 0.0]])
    )


def compared(n: int, **replayed) -> list[ExpertComparison]:
    again = outcome(**replayed)
    offset = rest_offset(outcome(), again)
    return [
        ExpertComparison(played=(outcome(), outcome()), source=k % 2, replayed=again, offset_mm=offset)
        for k in range(n)
    ]


def test_an_expert_that_always_succeeds_and_replays_well_passes():
    assert set(verdicts(ExpertStudy(), compared(1000, at=0.0002)).values()) == {PASSES}


def test_replays_that_fail_break_agreement_alone():
    found = verdicts(ExpertStudy(), compared(1000, success=False))
    assert found["replay_agreement"] == FAILS
    assert found["expert_success/a"] == found["expert_success/b"] == PASSES


def test_stones_that_rest_elsewhere_fail():
    found = verdicts(ExpertStudy(), compared(200, at=0.004))
    assert found["rest_offset_median_mm"] == found["rest_offset_p95_mm"] == FAILS


def test_stones_that_were_not_let_go_of_do_not_count():
    assert rest_offset(outcome(), outcome(released=False, at=1.0)) is None
    assert verdicts(ExpertStudy(), compared(50, released=False))["rest_offset_median_mm"] == UNDECIDED


def test_twenty_episodes_are_too_few_for_99_percent():
    assert verdicts(ExpertStudy(), compared(20))["expert_success/a"] == UNDECIDED


def near_misses(disagreements: int, n: int = 1000, share: float = 0.6) -> list[NearMiss]:
    first = [k < share * n for k in range(n)]
    second = [not held if k % (n // disagreements) == 0 else held for k, held in enumerate(first)]
    return [NearMiss(lifted=pair, placed=pair) for pair in zip(first, second, strict=True)]


@pytest.mark.parametrize(("disagreements", "verdict"), [(20, PASSES), (200, FAILS)])
def test_near_misses(disagreements, verdict):
    assert set(verdicts(NearMissStudy(), near_misses(disagreements)).values()) == {verdict}


def test_near_misses_that_almost_always_succeed_say_nothing():
    rows = NearMissStudy().rows(PLAN, near_misses(1, share=0.97))
    assert {row.verdict for row in rows} == {FAILS}
    assert "outside" in rows[0].remarks[0]


@pytest.mark.parametrize(("lost", "verdict"), [(0, PASSES), (300, FAILS)])
def test_envelope(lost, verdict):
    grasps = [Grasp(offset=(0.0, 0.0, 0.0), held=(True, k >= lost)) for k in range(1000)]
    assert verdicts(EnvelopeStudy(), grasps) == {"grasp_envelope_iou": verdict}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([0.1, 0.12, 0.11, 0.13], PASSES), ([0.1, 0.12, 0.11, 0.6], FAILS), ([0.1, 0.45, 0.2, 0.4], UNDECIDED)],
)
def test_the_worst_sequence_counts(values, verdict):
    assert verdicts(ArmStudy(), values) == {"arm_rms_mm": verdict}


def test_the_interval_of_the_worst_begins_at_the_worst():
    found = worst([0.1, 0.2, 0.3])
    assert found.value == found.low == 0.3
    assert found.high > 0.3


@pytest.mark.parametrize(("same", "verdict"), [([True] * 5, PASSES), ([True] * 4 + [False], FAILS)])
def test_one_state_that_is_scored_otherwise_is_one_too_many(same, verdict):
    assert verdicts(ScorerStudy(), [same]) == {"scorer_identical": verdict}


@pytest.mark.parametrize(
    "study", [ArmStudy(), ExpertStudy(), NearMissStudy(), EnvelopeStudy(), ScorerStudy()]
)
def test_without_results_every_row_is_there_and_undecided(study):
    rows = study.rows(PLAN, [])
    assert list(dict.fromkeys(row.key for row in rows)) == list(study.keys)
    assert {row.verdict for row in rows} == {UNDECIDED}
