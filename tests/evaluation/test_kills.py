"""kill -9 of anybody at any moment: every finished episode is there, once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from bomb.disk.files import FileError
from bomb.processes.statuses import CANNOT_WRITE
from bomb.runs.store import RunStore
from tests.conftest import PATIENCE_S
from tests.evaluation.conftest import ONE
from tests.evaluation.policies import HERE

EPISODES = 16


class Run:
    """``bomb evaluate`` in a process of its own."""

    def __init__(self, folder: Path, policy: str, *more: str):
        self.folder, self.process = folder, None
        self.command = [
            sys.executable, "-m", "bomb", "evaluate", "--policy", f"{HERE}:{policy}", "--backend", ONE,
            "--cameras", "none", "--episodes", str(EPISODES), "--max-steps", "25", "--split", "ci",
            "--workers", "2", "--out", str(folder / "run"), *more,
        ]  # fmt: skip

    def start(self) -> "Run":
        paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            self.command, env={**os.environ, **paths}, stderr=subprocess.PIPE, start_new_session=True
        )
        return self

    def rows(self) -> list:
        try:
            with RunStore.open(self.folder / "run") as store:
                return store.episodes()
        except FileError:
            return []  # it is just beginning

    def errors(self) -> list:
        with RunStore.open(self.folder / "run") as store:
            return store.errors()

    def until(self, episodes: int) -> list:
        """Waits for so many finished episodes; returns them."""
        deadline = time.monotonic() + PATIENCE_S
        while len(rows := self.rows()) < episodes:
            assert self.process.poll() is None, self.process.stderr.read().decode()
            assert time.monotonic() < deadline, f"{len(rows)} episodes in {PATIENCE_S} s"
            time.sleep(0.02)
        return rows

    def finish(self) -> int:
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode


@pytest.fixture
def slow(tmp_path):
    run = Run(tmp_path, "Slow(0.01)")
    yield run
    if run.process is not None and run.process.poll() is None:
        run.process.kill()


def children(pid: int) -> set[int]:
    """Processes that ``pid`` started."""
    return {int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in _words(task / "children")}


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def check_whole(run: Run, before: list) -> None:
    """Every episode is there once with its series, and those that were there before are as they were."""
    rows = run.rows()
    assert [row.seed for row in rows] == list(range(EPISODES))
    kept = {row.seed: row for row in before}
    assert [row for row in rows if row.seed in kept] == [kept[seed] for seed in sorted(kept)]
    with RunStore.open(run.folder / "run") as store:
        assert all(len(store.record(row.condition, row.seed).actions) == 25 for row in rows)


def test_kill_9_of_workers(slow):
    slow.start().until(2)
    killed = {int(row.worker.rpartition(":")[2]) for row in slow.until(4)}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert slow.finish() == 0
    check_whole(slow, [])
    kinds = Counter((error.kind, error.value) for error in slow.errors())
    assert set(kinds) == {("worker", "was ended by SIGKILL")} and 1 <= sum(kinds.values()) <= len(killed)
    last = sorted(slow.rows(), key=lambda row: row.finished)[-2:]
    assert not killed & {int(row.worker.rpartition(":")[2]) for row in last}


def test_ctrl_c_and_kill_9_of_the_parent(slow):
    slow.start().until(2)
    os.killpg(slow.process.pid, signal.SIGINT)  # as a terminal does: to everybody
    words = slow.process.communicate(timeout=PATIENCE_S)[1].decode()
    assert slow.process.returncode == 130 and "Traceback" not in words
    first = slow.rows()
    assert 2 <= len(first) < EPISODES

    slow.start().until(len(first) + 2)
    offspring = children(slow.process.pid)
    assert len(offspring) >= 2
    slow.process.kill()
    slow.process.wait()
    deadline = time.monotonic() + PATIENCE_S
    while any(alive(pid) for pid in offspring):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.05)
    before = slow.rows()
    assert len(first) + 2 <= len(before) < EPISODES and [row for row in before if row in first] == first

    assert slow.start().finish() == 0
    check_whole(slow, before)
    assert slow.errors() == []


def test_kill_9_of_the_policy_process(tmp_path):
    run = Run(tmp_path, f"Batched({str(tmp_path)!r}, 0.02)").start()
    before = run.until(3)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert run.finish() == 0
    check_whole(run, before)
    assert {error.kind for error in run.errors()} == {"policy"}
    assert all("went away" in error.message and error.step is not None for error in run.errors())


def test_a_policy_process_that_hangs_is_replaced(tmp_path):
    words = f"Batched({str(tmp_path)!r}, 0.0, True)"
    run = Run(tmp_path, words, "--policy-timeout", "3", "--batch", "1").start()
    assert run.finish() == 0
    check_whole(run, [])
    # Whoever asked first runs out of time first; for who waits with it, the process then goes away.
    kinds = {error.seed: error.kind for error in run.errors()}
    assert 4 in kinds and "timeout" in kinds.values() and set(kinds.values()) <= {"timeout", "policy"}
    assert (tmp_path / "hung").exists()


def test_two_parents_do_not_write_one_run(slow):
    slow.start().until(1)
    slow.process.send_signal(signal.SIGSTOP)  # it holds the run, however long the second one takes to begin
    second = subprocess.run(slow.command, capture_output=True, text=True, timeout=PATIENCE_S)
    slow.process.send_signal(signal.SIGCONT)
    assert second.returncode == CANNOT_WRITE
    assert f"being written by another process (process {slow.process.pid}" in second.stderr
    assert slow.finish() == 0
    check_whole(slow, [])
