"""Real runs in both simulators, from `bomb evaluate` to `bomb report`."""

import csv
import io
import json

import pytest

import core
from bomb.cli import main
from bomb.evaluation import EvaluationSettings, ExecutionSettings, evaluate
from bomb.report.loading import load_runs
from bomb.report.summary import summarise

BACKENDS = tuple(core.list_backends())
SEEDS = 2


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """A clumsy expert on two conditions, and the expert itself, in every simulator."""
    folder, found = tmp_path_factory.mktemp("real"), []
    for name, policy in (("clumsy", "noisy_expert(sigma=0.03)"), ("expert", "expert")):
        settings = EvaluationSettings(
            policy=policy,
            backends=BACKENDS,
            perturbations=("clean", "board_pose:3"),
            split="ci",
            episodes=SEEDS,
            stop_on_success=True,
            max_steps=250,
        )
        result = evaluate(settings, folder / name, execution=ExecutionSettings(workers=1))
        assert result["complete"]
        found.append(folder / name)
    return found


def test_the_numbers_are_those_of_the_rows(paths):
    loaded = load_runs(paths)
    summary = summarise(loaded)
    for run, source in zip(summary.runs, loaded, strict=True):
        assert run.episodes == 2 * len(BACKENDS) * SEEDS and run.privileged
        for condition in run.conditions:
            rows = source.episodes[condition.key].values()
            assert condition.success.value == pytest.approx(sum(row.success for row in rows) / SEEDS)
            assert sum(condition.reasons.values()) == sum(not row.success for row in rows)
            assert condition.board.size == 5 and condition.path_m.value > 0.1
            assert condition.stages["reached"].n == SEEDS
    expert = summary.runs[1]
    assert all(condition.success.value == 1.0 for condition in expert.conditions)
    assert all(0 < condition.distance_median_mm.value < 10 for condition in expert.conditions)


def test_twins_and_simulators_are_paired(paths):
    summary = summarise(load_runs(paths), margin=0.05)
    for run in summary.runs:
        for condition in run.conditions:
            if condition.perturbation != "clean":
                versus = condition.versus_clean
                assert (versus.pairs, versus.other_goal, versus.unpaired) == (SEEDS, 0, 0)
                # The board went elsewhere and every stone with it; words and arm are the twin's.
                assert versus.shared == {"arm": SEEDS, "instruction": SEEDS}
                assert versus.verdict != "equal within the margin"  # three seeds cannot show it
    clumsy, mine, _, its_own, *_ = summary.simulators
    assert {a.comparison.pairs for a in clumsy.conditions} == {SEEDS}
    assert mine.seeds == "expert" and {a.comparison.pairs for a in mine.conditions} == {SEEDS}
    assert its_own.reason == "this run is the expert's own"
    (pair,) = summary.comparisons
    assert len(pair.rows) == 2 * len(BACKENDS)


def test_what_it_cost(paths):
    for run in summarise(load_runs(paths)).runs:
        assert [entry.backend for entry in run.efficiency] == list(BACKENDS)
        for entry in run.efficiency:
            assert entry.policy_hz > 1 and entry.steps_per_s > 1
            assert sum(entry.shares.values()) == pytest.approx(1, abs=0.02)
        assert run.provenance["versions"]["numpy"] and run.started < run.finished


def test_the_command_line_writes_every_format(paths, tmp_path, capsys):
    names = [str(path) for path in paths]
    assert main(["report", *names, "--format", "json", "--out", str(tmp_path / "r.json")]) == 0
    assert len(json.loads((tmp_path / "r.json").read_text())["runs"]) == 2
    capsys.readouterr()
    assert main(["report", *names, "--format", "csv", "--rows", "episodes"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 4 * len(BACKENDS) * SEEDS and {row["backend"] for row in rows} == set(BACKENDS)
    assert main(["report", *names, "--format", "markdown"]) == 0
    assert "## Perturbed against clean twins" in capsys.readouterr().out
    assert main(["report", names[0], "--pairs", "0"]) == 0
    page = (paths[0] / "report.html").read_text()
    assert "noisy_expert(sigma=0.03)" in page and "http://" not in page.replace("http://www.w3.org", "")
