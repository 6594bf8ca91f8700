"""Runs side by side: policies, their blind and mute twins, and training x testing."""

import pytest

from bomb.report.loading import load_runs
from bomb.report.summary import summarise
from tests.report.stores import condition, make_run

MATRIX = [condition(), condition("bomb:3"), condition("bomb:3", "robotwin")]


def up_to(clean, perturbed):
    return lambda where, seed: seed < (clean if where.perturbation == "clean" else perturbed)


def run(path, play, policy="clever", **options):
    return make_run(path, play, conditions=MATRIX, seeds=range(40), policy=policy, **options)


def test_a_policy_stands_beside_its_blind_and_mute_twins(tmp_path):
    paths = [
        run(tmp_path / "p", up_to(36, 30)),
        run(tmp_path / "m", up_to(35, 30), "mute(clever)"),
        run(tmp_path / "b", up_to(4, 4), "blind(clever)"),
        run(tmp_path / "other", up_to(4, 4), "blind(stupid)"),
    ]
    summary = summarise(load_runs(paths))
    assert [r.baseline for r in summary.runs] == [None, "mute", "blind", "blind"]
    kinds = {(c.first, c.second): c.kind for c in summary.comparisons}
    assert kinds["b", "p"] == "blind" and kinds["m", "p"] == "mute"
    assert list(kinds.values()).count("policies") == 4
    blind = next(c for c in summary.comparisons if c.kind == "blind")
    row = blind.rows[0]
    assert (row.first, row.second, row.difference.value) == ("b", "p", 0.8)
    assert row.verdict == "higher" and row.tests == 3
    mute = next(c for c in summary.comparisons if c.kind == "mute")
    assert {r.verdict for r in mute.rows} == {"no difference shown"}
    assert "other is a baseline of stupid, of which no run was given" in summary.notes


def test_different_settings_are_named(tmp_path):
    one = run(tmp_path / "p", up_to(36, 30), terms={"chunk": "full", "max_steps": 250, "cameras": ["head"]})
    two = run(
        tmp_path / "b",
        up_to(4, 4),
        "blind(clever)",
        terms={"chunk": "first", "max_steps": 250, "cameras": []},
    )
    notes = [note for note in summarise(load_runs([one, two])).notes if "settings" in note]
    assert notes == ['p and b were played under different settings: chunk is "full" and "first"']


def test_runs_without_a_common_condition_are_not_compared(tmp_path):
    one = make_run(tmp_path / "a", up_to(9, 9), conditions=MATRIX[:1], seeds=range(10))
    two = make_run(tmp_path / "b", up_to(9, 9), conditions=MATRIX[1:], seeds=range(10))
    assert summarise(load_runs([one, two])).comparisons == ()


CLEAN_DATA = {"trained_on": [{"split": "train"}]}
PERTURBED_DATA = {"trained_on": [{"split": "train", "perturbations": {"bomb": 3}}]}


def test_trained_on_times_tested_on(tmp_path):
    paths = [
        run(tmp_path / "plain", up_to(36, 12), "a", **CLEAN_DATA),
        run(tmp_path / "robust", up_to(32, 28), "b", **PERTURBED_DATA),
        run(tmp_path / "blind", up_to(2, 2), "blind(b)", **PERTURBED_DATA),
    ]
    summary = summarise(load_runs(paths))
    (grid,) = summary.training  # the other simulator has no clean condition
    assert (grid.trained_clean, grid.trained_perturbed, grid.backend) == ("plain", "robust", "mujoco")
    assert {name: cell.value for name, cell in grid.cells.items()} == {
        "clean/clean": 0.9,
        "clean/perturbed": 0.3,
        "perturbed/clean": 0.8,
        "perturbed/perturbed": 0.7,
    }
    assert grid.interaction.value == pytest.approx(0.6 - 0.1)
    assert grid.interaction.low < 0.5 < grid.interaction.high


def test_an_interaction_that_never_varies_has_no_interval(tmp_path):
    paths = [
        run(tmp_path / "plain", up_to(40, 0), "a", **CLEAN_DATA),
        run(tmp_path / "robust", up_to(40, 40), "b", **PERTURBED_DATA),
    ]
    (grid,) = summarise(load_runs(paths)).training
    assert (grid.interaction.value, grid.interaction.low) == (1.0, None)
    assert "all values are the same" in grid.interaction.reason


def test_a_grid_takes_both_kinds_of_training(tmp_path):
    paths = [run(tmp_path / name, up_to(30, 20), name, **CLEAN_DATA) for name in ("a", "b")]
    summary = summarise(load_runs(paths))
    assert summary.training == () and any("no 2 x 2" in note for note in summary.notes)
