"""What `bomb report` writes: JSON without NaN, tidy CSV, tables that are tables."""

import csv
import io
import json
import re

import pytest

from bomb.cli import main
from bomb.report.loading import load_runs
from bomb.report.markdown import to_markdown
from bomb.report.summary import summarise
from bomb.report.tidy import conditions_csv, episodes_csv
from tests.report.stores import condition, error, make_run

LABELS = ("clean", "board_pose:3", "board_pose:5", "words:letters")
MATRIX = [condition(label, backend) for label in LABELS for backend in ("mujoco", "robotwin")]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """A policy, its blind twin, one trained on perturbed data, and a run that has just begun."""
    folder = tmp_path_factory.mktemp("runs")

    def good(where, seed):
        return (seed * 7 + len(where.key)) % 10 < (8 if where.perturbation == "clean" else 5)

    def change(where, seed):
        return {"instruction": "place the stone | here,\nplease"}

    clean, perturbed = {"split": "train"}, {"split": "train", "perturbations": {"bomb": 3}}
    return [
        make_run(
            folder / "good", good, conditions=MATRIX, seeds=range(20), trained_on=[clean], change=change,
            errors=[error(MATRIX[0], 99)],
        ),
        make_run(
            folder / "blind", lambda where, seed: seed == 3, conditions=MATRIX, seeds=range(20),
            policy="blind(clever)",
        ),
        make_run(
            folder / "robust", good, conditions=MATRIX, seeds=range(20), policy="r", trained_on=[perturbed]
        ),
        make_run(folder / "begun", lambda where, seed: None, conditions=MATRIX, policy="expert"),
    ]  # fmt: skip


def test_json_is_plain_and_the_same_every_time(paths):
    summary = summarise(load_runs(paths), margin=0.05)
    text = json.dumps(summary.to_dict(), allow_nan=False)
    assert text == json.dumps(summarise(load_runs(paths), margin=0.05).to_dict(), allow_nan=False)
    plain = json.loads(text)
    assert plain["format"] == 1 and plain["margin"] == 0.05 and len(plain["runs"]) == 4
    assert plain["runs"][0]["conditions"][0]["success"]["interval"][0] < 0.8
    assert "begun has no completed episode" in plain["notes"]


def test_csv_has_a_row_per_condition(paths):
    summary = summarise(load_runs(paths))
    rows = list(csv.DictReader(io.StringIO(conditions_csv(summary))))
    assert len(rows) == 4 * len(MATRIX)
    first, perturbed = rows[0], rows[2]
    assert (first["run"], first["perturbation"], first["versus_clean"]) == ("good", "clean", "")
    assert float(first["success"]) == summary.runs[0].conditions[0].success.value
    assert first["unplayed"] == "1" and first["reason_never_reached"] == "0"
    assert float(perturbed["versus_clean_high"]) == pytest.approx(
        summary.runs[0].conditions[2].versus_clean.difference.high
    )
    assert all(row["success"] == "" for row in rows if row["run"] == "begun")
    assert not re.search(r"\bnan\b", conditions_csv(summary), re.IGNORECASE)


def test_csv_has_a_row_per_episode(paths):
    rows = list(csv.DictReader(io.StringIO(episodes_csv(load_runs(paths)))))
    assert len(rows) == 3 * 20 * len(MATRIX)
    assert rows[0]["instruction"] == "place the stone | here,\nplease"
    assert (rows[6]["seed"], rows[6]["goal_row"], rows[6]["goal_column"]) == ("6", "1", "1")
    assert {row["success"] for row in rows} == {"0", "1"}


def test_markdown_is_made_of_whole_tables(paths):
    text = to_markdown(summarise(load_runs(paths), margin=0.05))
    for title in (
        "Success at the end", "Category x severity x simulator", "Perturbed against clean twins",
        "First reason of failures", "Simulators: outcome by outcome", "Simulators: do they order alike?",
        "Without pictures", "Policies side by side", "Trained on x tested on", "Efficiency", "Errors",
    ):  # fmt: skip
        assert f"\n## {title}" in text
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        widths = {line.replace("\\|", "").count("|") for line in lines}
        assert len(widths) <= 1, block
    assert not re.search(r"\bnan\b", text) and "undefined (1)" in text and "\n(1) no trials\n" in text
    assert "5 points" in text and "does not mean equal" in text


def test_equality_is_not_spoken_of_without_a_margin(paths):
    text = to_markdown(summarise(load_runs(paths)))
    assert "equality is not claimed" in text and "equal within" not in text


def test_the_command_line(paths, tmp_path, capsys):
    out = tmp_path / "deep" / "summary.json"
    arguments = ["report", str(paths[0]), str(paths[1])]
    assert main([*arguments, "--format", "json", "--out", str(out), "--margin", "0.1"]) == 0
    assert json.loads(out.read_text())["margin"] == 0.1
    assert capsys.readouterr().out.strip() == str(out)
    assert main([*arguments, "--format", "csv", "--rows", "episodes"]) == 0
    assert capsys.readouterr().out.count("\n") > 2 * 20 * len(MATRIX)
    assert main([*arguments, "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("# Results")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere"),
        (["RUN", "RUN", "--format", "csv"], "given twice"),
        (["RUN", "--format", "json", "--margin", "5"], "got 5.0"),
        (["RUN", "--format", "json", "--rows", "episodes"], "for --format csv"),
        (["RUN", "OTHER"], "needs --out"),
        (["RUN", "--format", "json", "--out", "RUN"], "is a folder"),
    ],
)
def test_a_wrong_question_is_one_line_and_status_2(paths, arguments, words, capsys):
    names = {"RUN": str(paths[0]), "OTHER": str(paths[1])}
    assert main(["report", *(names.get(word, word) for word in arguments)]) == 2
    error_line = capsys.readouterr().err
    assert words in error_line and error_line.count("\n") == 1
