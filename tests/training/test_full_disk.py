"""A training whose disk is full or broken says so in a line, and loses nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bomb.training.episodes import MomentFile
from tests.conftest import PATIENCE_S
from tests.faults.test_every_write import shim

__all__ = ["shim"]
ROOT = Path(__file__).resolve().parents[2]
EVERY = 70  # of its writes one fails


@pytest.mark.timeout(5 * PATIENCE_S)
def test_a_write_that_fails_loses_nothing(shim, demonstrations, store, tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "tests.training.write_faults", tmp_path, demonstrations, store, str(EVERY)],
        cwd=ROOT, env={**os.environ, "LD_PRELOAD": str(shim), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=5 * PATIENCE_S,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]
    assert int(answer.stdout) >= 4


def test_pictures_that_find_no_place_end_no_process(tmp_path, monkeypatch):
    def full(descriptor: int, start: int, size: int) -> None:
        assert size >= 10 * 64 * 64 * 3
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        MomentFile(tmp_path / "a.npy", (10, 64, 64, 3), "uint8")
    assert list(tmp_path.iterdir()) == []
