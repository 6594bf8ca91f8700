"""Perturbed against clean: who is whose twin, and what the tests say."""

import pytest

from bomb.report.loading import load_runs
from bomb.report.pairing import compare, pair, pool, settle
from bomb.report.summary import summarise
from bomb.statistics import PairedTable
from tests.report.stores import condition, make_run, row

CLEAN, POSE, COLOR = condition(), condition("board_pose:3"), condition("table_color:3")


def rows(where, outcomes, **changes):
    return {seed: row(where, seed, success, **changes) for seed, success in outcomes.items()}


def test_pairs_are_of_the_same_seed():
    pairs = pair(rows(CLEAN, {0: True, 1: True, 2: False}), rows(POSE, {1: False, 2: False, 7: True}))
    assert (pairs.first, pairs.second, pairs.unpaired) == ([True, False], [False, False], 2)


def test_another_goal_is_no_twin():
    other = rows(POSE, {0: False, 1: False})
    other[1] = row(POSE, 1, False, goal={"kind": "intersection", "color": "white", "row": 0, "column": 0})
    pairs = pair(rows(CLEAN, {0: True, 1: True}), other)
    assert (pairs.first, pairs.other_goal, pairs.unpaired) == ([True], 1, 0)


def test_what_the_draw_says_of_the_twin_is_respected():
    perturbed = rows(POSE, {0: False, 1: True, 2: True})
    perturbed[1] = row(POSE, 1, True, draws={"twin": {"goal": False}})
    perturbed[2] = row(
        POSE,
        2,
        True,
        draws={"twin": {"goal": True, "instruction": True, "arm": False, "stones": {"same": [0]}}},
    )
    pairs = pair(rows(CLEAN, {0: True, 1: True, 2: True}), perturbed, twins=True)
    assert pairs.clusters == [(0,), (2,)] and pairs.other_goal == 1
    assert dict(pairs.shared) == {"instruction": 2, "arm": 1, "stones": 1}


def test_one_condition_is_tested_and_several_are_not():
    clean, other = rows(CLEAN, dict.fromkeys(range(20), True)), rows(POSE, dict.fromkeys(range(20), False))
    one = compare(pair(clean, other), first="clean", second="board_pose:3")
    assert (one.pairs, one.only_first, one.p_value) == (20, 20, pytest.approx(2 / 2**20))
    both = compare(pool([pair(clean, other)] * 2), first="clean", second="perturbed")
    assert (both.pairs, both.p_value, both.tests) == (40, None, 0)
    # Twice the same episodes say no more than once.
    assert both.difference.interval == pytest.approx(one.difference.interval)


def test_a_family_is_corrected_together():
    table = {False: 0, True: 1}
    one = compare(
        pair(rows(CLEAN, dict.fromkeys(range(8), True)), rows(POSE, {s: s < 2 for s in range(8)})),
        first="clean",
        second="board_pose:3",
    )
    assert one.p_value == pytest.approx(0.03125) and one.verdict == "lower" and table
    family = settle([one, one], None)
    assert [c.p_holm for c in family] == pytest.approx([0.0625, 0.0625])
    assert {c.tests for c in family} == {2} and {c.verdict for c in family} == {"no difference shown"}


def planted(where, seed):
    return {"clean": True, "board_pose:3": seed % 2 == 0, "table_color:3": seed != 3}[where.perturbation]


def test_a_run_against_its_own_clean_twins(tmp_path):
    path = make_run(tmp_path / "x", planted, conditions=[CLEAN, POSE, COLOR], seeds=range(40))
    summary = summarise(load_runs([path]), margin=0.2)
    clean, pose, color = summary.runs[0].conditions
    assert clean.versus_clean is None
    versus = pose.versus_clean
    assert (versus.first, versus.second, versus.tests) == ("clean", "board_pose:3", 2)
    assert (versus.both, versus.only_first, versus.only_second, versus.neither) == (20, 20, 0, 0)
    assert versus.difference == PairedTable(both=20, only_first=20, only_second=0, neither=0).difference()
    assert versus.verdict == "lower" and versus.shared == {"arm": 40, "instruction": 40}
    assert color.versus_clean.verdict == "equal within the margin"
    assert color.versus_clean.within_margin is True


def test_clean_twins_may_lie_in_another_run_of_the_same_policy(tmp_path):
    clean = make_run(tmp_path / "clean", planted, conditions=[CLEAN], seeds=range(30))
    perturbed = make_run(tmp_path / "perturbed", planted, conditions=[POSE], seeds=range(30))
    stranger = make_run(tmp_path / "stranger", planted, conditions=[CLEAN], seeds=range(30), policy="other")
    summary = summarise(load_runs([perturbed, clean]))
    assert summary.runs[0].conditions[0].versus_clean.pairs == 30
    (curve,) = summary.runs[0].curves
    assert [(p.severity, p.success.value) for p in curve.points] == [(0, 1.0), (3, 0.5)]
    alone = summarise(load_runs([perturbed, stranger]))
    assert alone.runs[0].conditions[0].versus_clean is None
    assert any("has no twins" in note for note in alone.notes)
    group = next(g for g in alone.runs[0].groups if g.category == "perturbed")
    assert group.versus_clean.reason == "no clean episodes to pair with"


def test_groups_and_curves(tmp_path):
    steps = [condition("board_pose:1"), condition("board_pose:5"), condition("words:letters")]

    def outcome(where, seed):
        return {"clean": 36, "board_pose:1": 30, "board_pose:5": 12, "words:letters": 24}[
            where.perturbation
        ] > seed

    path = make_run(tmp_path / "x", outcome, conditions=[CLEAN, *steps], seeds=range(40))
    (run,) = summarise(load_runs([path])).runs
    groups = {(g.category, g.severity): g for g in run.groups}
    assert list(groups) == [
        ("clean", None), ("perturbed", None), ("board", 1), ("board", 5), ("words", None),
    ]  # fmt: skip
    perturbed = groups["perturbed", None]
    assert perturbed.episodes == 120 and perturbed.success.value == pytest.approx(66 / 120)
    assert perturbed.versus_clean.value == pytest.approx(66 / 120 - 36 / 40)
    (curve,) = run.curves
    assert (curve.name, curve.category) == ("board_pose", "board")
    assert [(p.severity, p.success.value) for p in curve.points] == [(0, 0.9), (1, 0.75), (5, 0.3)]
    assert [p.versus_clean.value for p in curve.points] == [None, pytest.approx(-0.15), pytest.approx(-0.6)]
