"""The store of a run: whole episodes, once each, by one writer."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from bomb.disk.files import FileError
from bomb.runs.store import RunStore
from core.errors import LifecycleError, OptionError, UnknownNameError
from tests.evaluation.rows import CLEAN, MOVED, episode, error

SETTINGS = {"policy": {"words": "hold"}, "episodes": 3, "max_steps": 10, "image_size": (64, 64)}


@pytest.fixture
def store(tmp_path):
    with RunStore.create(tmp_path / "run", SETTINGS, [MOVED, CLEAN]) as made:
        yield made


def test_what_goes_in_comes_out(store):
    rows = [
        episode(seed=2),
        episode(seed=0),
        episode(condition=MOVED.key, seed=0, distance_mm=None, reason="none"),
    ]
    for row in rows:
        store.add(row)
    store.add_error(error())
    read = RunStore.open(store.path)
    assert read.conditions() == [MOVED, CLEAN]
    assert read.episodes() == [rows[2], rows[1], rows[0]]
    assert read.episodes(CLEAN.key) == [rows[1], rows[0]]
    assert read.errors() == [error()] and read.settings()["max_steps"] == 10
    with pytest.raises(UnknownNameError, match=r"unknown condition 'nope'; valid: place_stone\|"):
        read.episodes("nope")
    read.close()


def test_an_episode_is_kept_once_and_whole(store):
    store.add(episode(seed=4), b"series", b"states")
    with pytest.raises(LifecycleError, match="seed 4 already"):
        store.add(episode(seed=4), b"other")
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.add(episode(seed=5, timing={"wall_s": float("nan")}), b"series")
    assert store.finished() == store.with_states() == {(CLEAN.key, 4)}
    assert store.states(CLEAN.key, 4) == b"states"
    with pytest.raises(FileError, match=r"no states of .*, seed 5; it has seeds 4"):
        store.states(CLEAN.key, 5)
    with pytest.raises(FileError, match=r"series of .*, seed 4 is damaged"):
        store.record(CLEAN.key, 4)


@pytest.mark.parametrize("sql", ["DELETE FROM episodes", "UPDATE episodes SET success = 1"])
def test_nothing_is_changed_or_deleted(store, sql):
    store.add(episode())
    with (
        sqlite3.connect(store.path / "run.sqlite") as connection,
        pytest.raises(sqlite3.Error, match="append-only"),
    ):
        connection.execute(sql)


def test_errors_that_remain_are_told_from_those_that_were_retried(store):
    for seed, attempt in ((1, 1), (1, 2), (2, 1)):
        store.add_error(error(seed=seed, attempt=attempt))
    store.add(episode(seed=2))
    assert [(e.seed, e.attempt) for e in store.unplayed()] == [(1, 2)]
    with pytest.raises(UnknownNameError, match="unknown kind of error 'bad'; valid: engine, policy"):
        store.add_error(error(kind="bad"))


def test_a_run_is_taken_up_again_with_the_same_settings_only(store):
    store.add(episode())
    with pytest.raises(FileError, match=f"being written by another process .process {os.getpid()}"):
        RunStore.create(store.path, SETTINGS)
    store.close()
    with pytest.raises(OptionError, match=r"max_steps = 10, not 11"):
        RunStore.create(store.path, {**SETTINGS, "max_steps": 11})
    with pytest.raises(OptionError, match=r"policy\.words = 'hold', not 'expert'"):
        RunStore.create(store.path, {**SETTINGS, "policy": {"words": "expert"}})
    with RunStore.create(
        store.path, {**SETTINGS, "episodes": 9, "hardware": {"cpu": "new"}}, [CLEAN]
    ) as again:
        assert again.finished() == {(CLEAN.key, 0)}
        assert again.settings()["episodes"] == 9 and len(again.sessions()) == 2
        assert again.conditions() == [MOVED, CLEAN]


def test_folders_that_hold_something_else_are_refused(tmp_path, store):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("dear")
    with pytest.raises(FileError, match="holds no run"):
        RunStore.create(tmp_path / "other", SETTINGS)
    with pytest.raises(FileError, match="does not exist"):
        RunStore.open(tmp_path / "nothing")
    (tmp_path / "other" / "run.sqlite").write_bytes(b"not a database, but long enough to look like one" * 9)
    with pytest.raises(FileError, match="cannot be read"):
        RunStore.open(tmp_path / "other")
    with RunStore.open(store.path) as reader, pytest.raises(LifecycleError, match="opened for reading"):
        reader.add(episode())


WRITER = """
    import sys
    from pathlib import Path
    from bomb.runs.store import RunStore
    from tests.evaluation.rows import CLEAN, episode
    store = RunStore.create(Path(sys.argv[1]), {"episodes": 10**6}, [CLEAN])
    for seed in range(10**6):
        store.add(episode(seed=seed), bytes(20_000))
        print(seed, flush=True)
"""


def test_kill_9_loses_nothing_that_was_kept(tmp_path):
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    told = [int(writer.stdout.readline()) for _ in range(50)]
    with RunStore.open(tmp_path / "run") as reader:  # while it is being written
        assert len(reader.finished()) >= len(told)
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    writer.wait()
    with RunStore.create(tmp_path / "run", {"episodes": 10**6}, [CLEAN]) as store:  # the lock is free again
        seeds = [row.seed for row in store.episodes()]
        assert seeds == list(range(len(seeds))) and len(seeds) >= len(told)
        assert store.database.read("SELECT count(*) FROM records") == [(len(seeds),)]
        assert store.database.read("PRAGMA integrity_check") == [("ok",)]
