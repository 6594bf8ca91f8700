"""A store that is damaged, emptied, removed, replaced or cannot be written says so; nothing is lost."""

import os
import shutil
import sqlite3

import numpy as np
import pytest

from bomb.cli import USAGE_ERROR, main
from bomb.disk.files import FileError
from bomb.runs.rescoring import rescore
from bomb.runs.schema import FORMAT
from bomb.runs.store import FILE, RunStore
from core.errors import BombError
from tests.evaluation.rows import CLEAN, MOVED, episode, error

SETTINGS = {"policy": {"words": "hold", "privileged": False}, "episodes": 3, "max_steps": 10}
DAMAGES = 160


@pytest.fixture
def run(tmp_path):
    """A finished run."""
    with RunStore.create(tmp_path / "run", SETTINGS, [CLEAN, MOVED]) as store:
        for seed in range(6):
            store.add(episode(seed=seed, distance_mm=float(seed)), bytes([seed]) * 700, b"states")
            store.add(episode(condition=MOVED.key, seed=seed), b"series")
        store.add_error(error(seed=9))
    return tmp_path / "run"


def everything(path) -> list:
    """All that a report, a rescoring and another session read."""
    with RunStore.open(path) as store:
        store.check()
        found = [store.sessions(), store.conditions(), store.episodes(), store.errors(), store.unplayed()]
        found += [store.finished(), store.with_states()]
        for row in store.episodes():
            found.append(store.series(row.condition, row.seed))
        return [*found, *(store.states(CLEAN.key, seed) for seed in range(6))]


def test_one_damaged_byte_is_said_or_harmless(run, tmp_path):
    whole, data = everything(run), bytearray((run / FILE).read_bytes())
    (tmp_path / "copy").mkdir()
    rng, refused = np.random.default_rng(0), 0
    for place in rng.choice(len(data), DAMAGES, replace=False):
        damaged = bytearray(data)
        damaged[place] ^= int(rng.integers(1, 256))
        (tmp_path / "copy" / FILE).write_bytes(damaged)
        try:
            found = everything(tmp_path / "copy")
        except BombError as told:
            assert "\n" not in str(told)
            refused += 1
        else:
            assert found == whole, f"byte {place} reads as something else"
    assert refused > DAMAGES / 4


def test_report_rescore_and_resume_refuse_a_damaged_row(run, capsys):
    data = (run / FILE).read_bytes()
    place = data.index(b'"distance_mm": 55.25')
    (run / FILE).write_bytes(data[:place] + b'"distance_mm": 15.25' + data[place + 20 :])
    for words in (["report", str(run)], ["rescore", str(run)]):
        assert main(words) == USAGE_ERROR
        told = capsys.readouterr().err
        assert "is damaged: a row of episodes" in told and "copy that is whole" in told
        assert told.count("\n") == 1
    with pytest.raises(FileError, match="a row of episodes"):
        RunStore.create(run, SETTINGS, [CLEAN])


def test_an_empty_file_is_no_new_run(run, tmp_path):
    (run / FILE).write_bytes(b"")
    for begin in (lambda: RunStore.create(run, SETTINGS), lambda: RunStore.open(run)):
        with pytest.raises(FileError, match="is empty: a run was there and is lost"):
            begin()
    assert (run / FILE).stat().st_size == 0


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_or_replaced_during_a_run_is_noticed(run, tmp_path, replaced):
    with RunStore.create(run, SETTINGS) as store:
        store.add(episode(seed=100))
        (run / FILE).rename(tmp_path / "moved")
        if replaced:
            shutil.copy(tmp_path / "moved", run / FILE)
        with pytest.raises(FileError, match="was deleted or replaced"):
            store.add(episode(seed=101))
        with pytest.raises(FileError, match="was deleted or replaced"):
            store.add_error(error())


def test_a_full_disk_loses_no_finished_episode(run):
    with RunStore.create(run, SETTINGS) as store:
        pages = store.database.read("PRAGMA page_count")[0][0]
        store.database.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(FileError, match="database or disk is full; what was finished"):
            for seed in range(100, 200):
                store.add(episode(seed=seed), bytes(5000))
        kept = store.finished()
        store.database.connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        store.add(episode(seed=999), bytes(5000))
        assert store.finished() == kept | {(CLEAN.key, 999)}
        store.check()


def test_another_ones_lock_is_said_in_a_line(run, monkeypatch):
    with RunStore.create(run, SETTINGS) as store:
        store.database.connection.execute("PRAGMA busy_timeout = 10")
        with sqlite3.connect(run / FILE, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(FileError, match="cannot be written: database is locked"):
                store.add(episode(seed=50))
            other.execute("ROLLBACK")
        store.add(episode(seed=50))


def test_a_run_without_digests_still_opens_and_resumes(run, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    with sqlite3.connect(run / FILE) as source, sqlite3.connect(old / FILE) as target:
        for (sql,) in source.execute("SELECT sql FROM sqlite_master WHERE type = 'table'").fetchall():
            target.execute(sql.replace(", digest TEXT NOT NULL", ""))
        for table in ("sessions", "conditions", "episodes", "errors", "records", "states"):
            for row in source.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall():
                target.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * (len(row) - 1))})", row[:-1])
        target.execute("PRAGMA user_version = 2")
    assert everything(old) == everything(run)
    with RunStore.create(old, SETTINGS) as store:
        store.add(episode(seed=77), b"series")
        store.check()
        assert (CLEAN.key, 77) in store.finished() and store.database.format < FORMAT
    with sqlite3.connect(old / FILE) as target:
        target.execute("PRAGMA user_version = 7")
    with pytest.raises(FileError, match="format 7, not 2 or 3"):
        RunStore.open(old)


def test_a_folder_that_may_not_be_written_is_said_in_a_line(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied", str(tmp_path / "run"))

    monkeypatch.setattr(os, "open", refuse)  # as the root that tests may run as, permissions do not bind
    with pytest.raises(FileError, match=r"run cannot be written: Permission denied"):
        RunStore.create(tmp_path / "run", SETTINGS)


def test_rescoring_checks_first(run):
    with RunStore.open(run) as store, pytest.raises(FileError, match="series of"):
        rescore(store)
