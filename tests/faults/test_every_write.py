"""Every n-th write, flush and rename fails once: nothing that was kept is lost, and it can be resumed."""

import os
import subprocess
import sys

import pytest

from tests.conftest import PATIENCE_S
from tests.exports.conftest import make_dataset
from tests.test_imports import ROOT


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """The compiled shim."""
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    source = ROOT / "tests" / "faults" / "shim.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Three pieces of two frames."""
    return make_dataset(tmp_path_factory.mktemp("short") / "dataset", episodes=3, steps=2)


@pytest.mark.timeout(5 * PATIENCE_S)
@pytest.mark.parametrize(
    # Of exports some here; tests/interop/test_every_write.py takes every one.
    ("job", "step", "least"),
    [("store", 1, 60), ("demonstrations", 1, 20), ("export", 12, 15), ("videos", 48, 8)],
)
def test_a_write_that_fails_loses_nothing(shim, dataset, tmp_path, job, step, least):
    check(shim, dataset, tmp_path, job, step, least)


def check(shim, dataset, folder, job: str, step: int, least: int, *, packages: str = "") -> None:
    """Runs ``tests/faults/run.py``; at least so many writes must have failed in it.

    ``packages`` is a folder of more of them, behind this interpreter's own.
    """
    answer = subprocess.run(
        [sys.executable, "-m", "tests.faults.run", job, folder / "work", dataset.path, str(step)],
        cwd=ROOT, env={**os.environ, "LD_PRELOAD": str(shim), "OMP_NUM_THREADS": "1",
                       **({"PYTHONPATH": packages} if packages else {})},
        capture_output=True, text=True, timeout=5 * PATIENCE_S,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]
    assert int(answer.stdout) >= least
