"""A full disk, or a place where nobody may write, is one line and status 3 in every verb that writes."""

import json
import os
import subprocess
import sys

import pytest

import bomb
from bomb.processes.statuses import CANNOT_WRITE
from tests.conftest import PATIENCE_S
from tests.evaluation.conftest import ONE
from tests.faults.test_every_write import dataset, shim
from tests.faults.verbs import QUICK
from tests.report.test_results import stored
from tests.test_imports import ROOT

__all__ = ["dataset", "shim"]
# What writes through libraries of its own, or makes folders first.
ELSEWHERE = ("evaluate", "report", "collect", "render, mp4", "export, lerobot", "explain", "view, mp4")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run that was played, and one as results want it."""
    played, whole = tmp_path_factory.mktemp("played") / "run", tmp_path_factory.mktemp("whole") / "run"
    asked = bomb.EvaluationSettings(
        policy="hold", backends=(ONE,), episodes=1, split="ci", max_steps=2, cameras=()
    )
    bomb.evaluate(asked, out=played, execution=bomb.ExecutionSettings(workers=1))
    stored(whole)
    return played, whole


def check(folder, dataset, runs, names, env) -> None:
    """Runs ``tests/faults/verbs.py``."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.faults.verbs", folder, dataset.path, *runs, *names],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", **env}, capture_output=True, text=True,
        timeout=5 * PATIENCE_S,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]
    found = {entry["name"]: entry for entry in map(json.loads, answer.stdout.splitlines())}
    assert list(found) == list(names)
    for entry in found.values():
        assert entry["status"] == CANNOT_WRITE, entry
        last = entry["err"].strip().splitlines()[-1]
        assert " cannot be written: " in last and str(folder) in last, entry
        assert "Traceback" not in entry["err"], entry


@pytest.mark.render
@pytest.mark.timeout(5 * PATIENCE_S)
def test_a_full_disk(shim, dataset, runs, tmp_path):
    check(tmp_path, dataset, runs, QUICK, {"LD_PRELOAD": str(shim), "FAULTS_FULL": str(tmp_path)})


@pytest.mark.render
@pytest.mark.timeout(5 * PATIENCE_S)
def test_a_folder_that_cannot_be_made(dataset, runs, tmp_path):
    (tmp_path / "file").touch()
    check(tmp_path / "file" / "below", dataset, runs, ELSEWHERE, {})
