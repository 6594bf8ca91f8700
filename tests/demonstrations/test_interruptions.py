"""Ctrl-C, kill -9, a full disk: what was finished is whole, what was not is absent, and it resumes."""

import errno
import os
import resource
import signal
from pathlib import Path

import pytest

from bomb.collecting.collecting import SeedPlayer, collect
from bomb.demonstrations.dataset import Dataset
from bomb.disk.files import FileError
from bomb.processes.statuses import CANNOT_WRITE
from tests.conftest import PATIENCE_S
from tests.demonstrations.conftest import BACKENDS, alive, bomb, children, files, settings, wait_for

EPISODES = 8


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """What the dataset holds when nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "dataset"
    assert collect(settings(backends=(BACKENDS[0],)), EPISODES, out, workers=2).complete
    return files(out)


def words(out: Path, episodes: int = EPISODES) -> list[str]:
    return [
        *("collect", "--split", "ci", "--backend", BACKENDS[0], "--workers", "2"),
        *("--episodes", str(episodes), "--out", str(out)),
    ]


def episodes_of(out: Path) -> list[Path]:
    return list((out / "episodes").glob("episode_*.npz"))


def check_whole_and_go_on(out: Path, whole: dict[str, bytes]) -> None:
    """Every episode there is as it would have been; the same command makes the rest."""
    there = {file.name: file.read_bytes() for file in episodes_of(out)}
    assert there and there.items() <= whole.items() and len(there) < EPISODES
    again = bomb(*words(out))
    _, errors = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0, errors
    assert files(out) == whole


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_collection_that_is_ended_goes_on(tmp_path, whole, how):
    out = tmp_path / "dataset"
    process = bomb(*words(out))
    wait_for(lambda: len(episodes_of(out)) >= 2)
    workers = children(process.pid)
    process.send_signal(how)
    _, errors = process.communicate(timeout=PATIENCE_S)
    if how is signal.SIGINT:
        assert process.returncode == 130 and "the same command resumes" in errors
        assert "Traceback" not in errors
    assert len(workers) >= 2
    wait_for(lambda: not any(alive(pid) for pid in workers))  # nobody is left behind
    check_whole_and_go_on(out, whole)


def test_a_worker_that_is_killed_is_replaced(tmp_path, whole):
    out = tmp_path / "dataset"
    process = bomb(*words(out))
    wait_for(lambda: len(episodes_of(out)) >= 2)
    playing = [pid for pid in children(process.pid) if b"spawn_main" in _command(pid)]
    os.kill(playing[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert files(out) == whole


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_only_one_writes_to_a_dataset(tmp_path):
    out = tmp_path / "dataset"
    process = bomb(*words(out))
    try:
        wait_for(lambda: episodes_of(out))
        with pytest.raises(FileError, match="is being written by another process"):
            collect(settings(backends=(BACKENDS[0],)), EPISODES, out)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)


def test_a_file_that_cannot_be_finished_is_not_there(tmp_path):
    """The system itself ends the write half-way: no file of this process may grow beyond 4 kB."""

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    out = tmp_path / "dataset"
    process = bomb(*words(out, 1), preexec_fn=little_room)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == CANNOT_WRITE
    assert "episode_000000.npz cannot be written: File too large" in errors.replace("000001", "000000")
    assert "the same command resumes" in errors and "Traceback" not in errors
    assert not [*out.glob("*/*.npz"), *out.glob("*/.*.part")]
    again = bomb(*words(out, 1))
    _, errors = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0, errors
    assert len(Dataset.open(out)) == 1


def test_a_full_disk_is_told_and_leaves_nothing_half(tmp_path, monkeypatch):
    player = SeedPlayer(settings(backends=(BACKENDS[0],)), tmp_path)
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> None:
        real(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FileError, match=r"episode_000000.npz cannot be written: No space left on device"):
        player(0)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    monkeypatch.undo()
    assert player(0).kind == "kept" and [file.name for file in episodes_of(tmp_path)] == [
        "episode_000000.npz"
    ]
