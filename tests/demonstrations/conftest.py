"""Small datasets that several tests read."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import core
from bomb.collecting.collecting import collect
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.settings import CollectionSettings

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = core.list_backends()


def settings(**changes) -> CollectionSettings:
    """What the tests collect, on the split that is theirs."""
    return CollectionSettings(**{"backends": tuple(BACKENDS), "split": "ci", **changes})


@pytest.fixture(scope="session")
def mixed(tmp_path_factory) -> Dataset:
    """Four episodes of the varied expert, the two engines in turn."""
    out = tmp_path_factory.mktemp("mixed") / "dataset"
    assert collect(settings(diversity=1.0), 4, out, workers=2).complete
    return Dataset.open(out)


@pytest.fixture(scope="session")
def games(tmp_path_factory) -> Dataset:
    """A game of several moves, with an opponent's stones."""
    out = tmp_path_factory.mktemp("games") / "dataset"
    one = settings(backends=(BACKENDS[0],), task="tic_tac_toe", held_out=())
    assert collect(one, 1, out).complete
    return Dataset.open(out)


def cut(made: Demonstration, rows: list[int]) -> Demonstration:
    """Some moments of an episode, as an episode of its own; the last of ``rows`` is its end."""
    changed = {
        "observations": made.observations[rows],
        "actions": made.actions[rows[:-1]],
        "periods": made.periods[rows],
        "instruction_index": made.instruction_index[rows[:-1]],
        "joints": made.joints[rows],
        "stones": made.stones[rows],
        "first_rows": np.searchsorted(rows, made.first_rows).astype(np.int32),
    }
    short = replace(made, **changed)
    return replace(short, about={**made.about, "fingerprint": short.fingerprint()}).validated()


def files(folder: Path) -> dict[str, bytes]:
    """What the episodes of a dataset hold, by file."""
    return {file.name: file.read_bytes() for file in sorted((folder / "episodes").iterdir())}


def bomb(*words: str, **options) -> subprocess.Popen:
    """A command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "bomb", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def wait_for(what, seconds: float = 120.0):
    """The first true value of ``what()``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not come true in {seconds} s")


def children(pid: int) -> list[int]:
    """Processes that ``pid`` started and that live, read from /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(words[1]) == pid and words[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
