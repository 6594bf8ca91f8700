"""Two simulators: agreement, kappa, and whether they order conditions and policies alike."""

import numpy as np
import pytest

from bomb.report.loading import load_runs
from bomb.report.summary import summarise
from bomb.statistics import cohen_kappa, mmrv
from tests.report.stores import condition, make_run

BACKENDS = ("mujoco", "robotwin")
LABELS = ("clean", "table_color:3", "board_pose:3", "board_pose:5")
MATRIX = [condition(label, backend) for label in LABELS for backend in BACKENDS]
LIMIT = {"clean": 36, "table_color:3": 32, "board_pose:3": 20, "board_pose:5": 8}


def outcome(where, seed):
    """Seeds below a limit succeed; the second simulator turns every tenth around."""
    success = seed < LIMIT[where.perturbation]
    return success != (where.backend == "robotwin" and seed % 10 == 9)


def run(path, play=outcome, conditions=MATRIX, **options):
    return make_run(path, play, conditions=conditions, seeds=range(40), **options)


def entries(summary):
    return {(entry.run, entry.seeds): entry for entry in summary.simulators}


def test_outcome_by_outcome(tmp_path):
    found = entries(summarise(load_runs([run(tmp_path / "x")])))
    entry = found["x", "all"]
    assert (entry.first, entry.second, entry.reason) == (*BACKENDS, None)
    pose = next(a for a in entry.conditions if a.perturbation == "board_pose:3")
    sides = [[outcome(condition("board_pose:3", b), s) for s in range(40)] for b in BACKENDS]
    assert pose.agreement.value == pytest.approx(0.9)
    assert pose.kappa == cohen_kappa(*sides)
    assert pose.comparison.tests == 4 and pose.comparison.verdict == "no difference shown"
    assert entry.pooled.agreement.value == pytest.approx(0.9) and entry.pooled.comparison.pairs == 160
    # Seeds disagree under every condition or under none: 160 pairs are worth 40.
    assert entry.pooled.agreement.interval == pytest.approx(pose.agreement.interval, abs=0.01)


def test_over_conditions(tmp_path):
    ranks = entries(summarise(load_runs([run(tmp_path / "x")])))["x", "all"].ranks
    assert ranks.over == "conditions" and [p.label for p in ranks.points] == list(LABELS)
    first, second = ([getattr(p, side) for p in ranks.points] for side in ("first", "second"))
    assert first == [LIMIT[label] / 40 for label in LABELS]
    assert ranks.pearson.value == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert ranks.mmrv_first.value == mmrv(second, first) and ranks.spearman.value == pytest.approx(1.0)
    assert ranks.pearson.low < 1


def test_the_expert_s_seeds_are_those_it_solves_in_both(tmp_path):
    def expert(where, seed):
        return seed >= 10 and (where.backend == "mujoco" or seed < 30)

    runs = load_runs([run(tmp_path / "x"), run(tmp_path / "e", expert, policy="expert")])
    found = entries(summarise(runs))
    assert {a.comparison.pairs for a in found["x", "expert"].conditions} == {20}
    assert found["e", "expert"].reason == "this run is the expert's own"


def test_without_an_expert_the_report_says_so(tmp_path):
    summary = summarise(load_runs([run(tmp_path / "x")]))
    entry = entries(summary)["x", "expert"]
    assert "give its run" in entry.reason and entry.conditions == () and entry.ranks is None


def test_over_policies(tmp_path):
    def worse(where, seed):
        return seed < LIMIT[where.perturbation] // 2

    def worst(where, seed):
        return seed < LIMIT[where.perturbation] // 4

    paths = [
        run(tmp_path / "a"),
        run(tmp_path / "b", worse, policy="b"),
        run(tmp_path / "c", worst, policy="c"),
    ]
    entry = entries(summarise(load_runs(paths)))[None, "all"]
    assert entry.ranks.over == "policies" and [p.label for p in entry.ranks.points] == ["a", "b", "c"]
    assert [p.episodes for p in entry.ranks.points] == [160] * 3
    assert entry.ranks.points[1].first == pytest.approx((18 + 16 + 10 + 4) / 160)
    assert entry.ranks.mmrv_first.value == 0 and entry.ranks.kendall.value == pytest.approx(1.0)


def test_policies_are_compared_on_what_all_of_them_played(tmp_path):
    few = [condition("clean", backend) for backend in BACKENDS]
    paths = [run(tmp_path / "a"), run(tmp_path / "b", conditions=few, policy="b")]
    entry = entries(summarise(load_runs(paths)))[None, "all"]
    assert [p.episodes for p in entry.ranks.points] == [40, 40]


def test_one_simulator_is_none_to_compare(tmp_path):
    alone = [c for c in MATRIX if c.backend == "mujoco"]
    summary = summarise(load_runs([run(tmp_path / "x", conditions=alone)]))
    assert summary.simulators == () and "x was played in one simulator only" in summary.notes


def test_two_conditions_are_too_few_for_a_correlation(tmp_path):
    ranks = entries(summarise(load_runs([run(tmp_path / "x", conditions=MATRIX[:4])])))["x", "all"].ranks
    assert ranks.pearson.reason == "takes 3 points, there are 2" and ranks.mmrv_first.value is not None


def test_several_tasks_are_told_apart(tmp_path):
    both = [condition("clean", b, task) for task in ("place_stone", "move_stone") for b in BACKENDS]
    ranks = entries(summarise(load_runs([run(tmp_path / "x", conditions=both)])))["x", "all"].ranks
    assert [p.label for p in ranks.points] == ["place_stone clean", "move_stone clean"]
