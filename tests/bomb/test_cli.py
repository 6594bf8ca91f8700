"""The command line: what it prints, what it writes, how it fails."""

import json
import subprocess
import sys

import pytest

import core
from bomb.cli import VERBS, main
from bomb.machine import diagnosis
from tests.conftest import PATIENCE_S

BACKENDS = core.list_backends()


def test_help_names_every_verb(capsys):
    with pytest.raises(SystemExit) as status:
        main(["--help"])
    words = capsys.readouterr().out
    assert status.value.code == 0
    assert all(verb in words for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as status:
        main([verb, "--help"])
    assert status.value.code == 0
    assert f"bomb {verb}" in capsys.readouterr().out


def test_without_a_verb_it_prints_help_and_fails(capsys):
    assert main([]) == 2
    assert "VERB" in capsys.readouterr().out


def test_it_runs_as_a_module():
    answer = subprocess.run(
        [sys.executable, "-m", "bomb", "tasks"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert "\nplace_stone " in answer.stdout


def test_the_lists(capsys):
    assert main(["tasks"]) == main(["backends"]) == main(["policies"]) == 0
    words = capsys.readouterr().out
    assert all(name in words for name in [*core.list_tasks(), *BACKENDS, "expert", "random", "hold"])
    assert "privileged" in words


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (
            ["evaluate", "--policy", "exprt", "--backend", BACKENDS[0]],
            "unknown policy 'exprt'; valid: blind, expert",
        ),
        (["evaluate", "--policy", "hold", "--backend", "bullet"], "unknown backend 'bullet'; valid: mujoco"),
        (["evaluate", "--policy", "hold", "--backend", BACKENDS[0], "--episodes", "0"], "got 0"),
        (
            ["evaluate", "--policy", "hold", "--backend", BACKENDS[0], "--cameras", "tail"],
            "unknown camera 'tail'",
        ),
        (["rescore", "/nowhere"], "/nowhere/run.sqlite does not exist"),
        (["view", "--out", "x.gif"], "one of .png, .mp4"),
        (["view", "/nowhere"], "does not exist"),
    ],
)
def test_a_wrong_question_is_one_line_and_status_2(argv, words, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1 and "Traceback" not in error


def test_evaluate_and_rescore(tmp_path, capsys):
    run, file = tmp_path / "run", tmp_path / "result.json"
    ask = ["evaluate", "--policy", "expert", "--backend", BACKENDS[0], "--episodes", "2", "--split", "ci"]
    assert main([*ask, "--out", str(run), "--json", str(file)]) == 0
    result = json.loads(file.read_text())
    assert result["n"] == 2 and result["success_rate"] == 1.0 and result["privileged"]
    assert len(result["interval"]) == 2 and result["reasons"] == {}
    assert json.loads((run / "summary.json").read_text()) == result
    assert main(["rescore", str(run)]) == 0
    printed = capsys.readouterr().out
    assert (
        "0 of 2 verdicts changed" in printed and "\nexpert (privileged: it sees the true state)\n" in printed
    )
    assert main(["rescore", str(run), "--distance-mm", "0.001", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["success_rate"] == 0.0
    assert main(["rescore", str(run), "--distance-mm", "-1"]) == 2


def test_the_doctor_reports_what_a_child_died_of(monkeypatch):
    monkeypatch.setattr(diagnosis, "TRIAL", "import os; os.abort() # {backend!r} {cameras!r}")
    for ok, advice in ((True, "BOMB_RENDER=cpu"), (False, "what the driver needs")):
        driver = diagnosis.Finding(what="driver", ok=ok, found="", advice="" if ok else advice)
        monkeypatch.setattr(diagnosis, "graphics_driver", lambda driver=driver: driver)
        finding = diagnosis.try_backend(BACKENDS[0], ("head",), 60.0)
        assert not finding.ok and "signal 6" in finding.found and advice in finding.advice
    monkeypatch.setattr(diagnosis, "TRIAL", "raise SystemExit('no driver') # {backend!r} {cameras!r}")
    assert diagnosis.try_backend(BACKENDS[0], (), 60.0).found == "no driver"
    monkeypatch.setattr(diagnosis, "TRIAL", "import time; time.sleep(60) # {backend!r} {cameras!r}")
    assert "no answer within 0.5 s" in diagnosis.try_backend(BACKENDS[0], (), 0.5).found


def test_the_doctor_names_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr(diagnosis, "package_version", lambda name: None if name == "sapien" else "1.0")
    broken = [finding for finding in diagnosis.packages() if not finding.ok and finding.what == "sapien"]
    assert broken and "pip install sapien" in broken[0].advice


def test_the_doctor_lists_extras(monkeypatch):
    monkeypatch.setattr(diagnosis, "package_version", lambda name: None if name == "torch" else "1.0")
    finding = diagnosis.extras()
    there, _, lacking = finding.found.partition("; not installed: ")
    assert finding.ok and "report" in there.split(", ") and lacking == "vla (torch)"
    assert "[vla]" in finding.advice


def test_an_odd_device_is_not_answered_with_drivers(monkeypatch):
    monkeypatch.setenv("BOMB_RENDER", "odd")
    finding = diagnosis.try_backend(BACKENDS[0], ("head",), PATIENCE_S)
    assert not finding.ok and "BOMB_RENDER must be" in finding.found
    assert finding.advice == "set BOMB_RENDER to one of them"


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_doctor_finds_physics(backend):
    assert diagnosis.try_backend(backend, (), PATIENCE_S).ok


@pytest.mark.render
def test_the_doctor_finds_a_renderer():
    finding = diagnosis.try_backend(BACKENDS[0], ("head",), PATIENCE_S)
    there = diagnosis.graphics_driver().found.partition("; devices: ")[2]
    drawn, _, device = finding.found.partition(" on ")
    assert finding.ok and drawn == "drew a 64x64 picture" and device in there
