"""Real processes that end while they draw: killed, interrupted, out of space."""

import json
import os
import signal
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from bomb.cli import main
from bomb.exports import export
from bomb.inspection.open_source import open_source
from bomb.processes.statuses import CANNOT_WRITE
from tests.test_imports import ROOT

pytestmark = pytest.mark.render

OPTIONS = {"image_size": (16, 16), "shard_frames": 6, "pictures": "png"}
# The second of three shards is half written when it happens.
SCRIPT = """
import os, resource, signal, sys
import bomb.cli, bomb.exports as exports, bomb.exports.shards as shards

# Under a shell that runs the tests in the background, Ctrl-C would be ignored from birth.
signal.signal(signal.SIGINT, signal.default_int_handler)
drawn, count, how = shards.drawn_frames, 0, sys.argv[3]

def until(*arguments):
    global count
    for frame in drawn(*arguments):
        count += 1
        if count == 9 and how == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        elif count == 9:
            os.kill(os.getpid(), getattr(signal, how))
        yield frame

shards.drawn_frames = until
whole = exports.export
exports.export = lambda *words, **options: whole(*words, shard_frames=6, **options)
_, dataset, out, _ = sys.argv
words = "--format lerobot --image-size 16 --pictures png"
sys.exit(bomb.cli.main(["export", dataset, "--out", out, *words.split()]))
"""


@pytest.fixture(scope="module")
def whole_export(short, tmp_path_factory):
    """The export that nothing ended."""
    out = tmp_path_factory.mktemp("whole") / "export"
    export(short.path, "lerobot", out, bars=False, **OPTIONS)
    return out


@pytest.mark.parametrize(
    ("how", "status", "message"),
    [
        ("SIGKILL", -9, ""),
        ("SIGINT", 130, "bomb export: interrupted"),
        ("full", CANNOT_WRITE, "File too large; what was finished before is whole, and the same command"),
    ],
)
def test_what_was_finished_stays(short, whole_export, tmp_path, how, status, message):
    out = tmp_path / "out"
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, short.path, out, how], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == status, answer.stderr
    assert message in answer.stderr
    info = json.loads((out / "meta" / "info.json").read_text())
    assert info["total_episodes"] == 1 and info["total_frames"] == 6 and info["total_tasks"] == 1
    assert pq.read_table(out / "data")["episode_index"].to_pylist() == [0] * 6
    assert not json.loads((out / "bomb_export.json").read_text())["complete"]

    made = export(short.path, "lerobot", out, bars=False, **OPTIONS)
    assert made.written == 12
    for name in ("data", "meta/episodes", "meta/tasks.parquet"):
        assert pq.read_table(out / name).equals(pq.read_table(whole_export / name))
    for name in ("info.json", "stats.json"):
        assert (out / "meta" / name).read_text() == (whole_export / "meta" / name).read_text()
    assert export(short.path, "lerobot", out, bars=False, **OPTIONS).written == 0


# Every shard is out of patience after its first episode; the first is in place when the process ends.
IMPATIENT = """
import os, signal, sys
import bomb.exports.folder as folder
from bomb.cli import main
from bomb.exports import export
from bomb.inspection.open_source import open_source

commit, count = folder.ExportFolder.commit, 0

def until(self, *arguments):
    global count
    commit(self, *arguments)
    count += 1
    if count == 1:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    folder.ExportFolder.commit = until
    export(sys.argv[1], sys.argv[2], sys.argv[3], image_size=(16, 16), pictures="png", bars=False,
           shard_seconds=1e-9, workers=int(sys.argv[4]))
"""


@pytest.mark.parametrize(("format", "workers"), [("lerobot", 2), ("lerobot-v2.1", 1)])
def test_shards_end_by_time(short, tmp_path, format, workers):
    """An export far below ``shard_frames`` keeps what it has drawn, however many processes draw."""
    (tmp_path / "program.py").write_text(IMPATIENT)
    words = [sys.executable, tmp_path / "program.py", short.path, format, tmp_path / "out", str(workers)]
    out, path = tmp_path / "out", {"PYTHONPATH": str(ROOT)}
    answer = subprocess.run(words, env={**os.environ, **path}, capture_output=True, text=True)
    assert answer.returncode == -signal.SIGKILL, answer.stderr
    assert pq.read_table(out / "data")["episode_index"].to_pylist() == [0] * 6
    assert open_source(out).about["state"] == "unfinished export: the same `bomb export` resumes it"
    options = {"image_size": (16, 16), "pictures": "png", "bars": False}
    assert export(short.path, format, out, **options, shard_seconds=1e-9, workers=workers).written == 12
    marker = json.loads((out / "bomb_export.json").read_text())
    assert [shard["episodes"] for shard in marker["shards"]] == [1, 1, 1] and marker["complete"]
    assert "state" not in open_source(out).about
    export(short.path, format, tmp_path / "whole", **options)
    assert pq.read_table(out / "data").equals(pq.read_table(tmp_path / "whole" / "data"))
    if format == "lerobot":
        rows = pq.read_table(out / "meta" / "episodes").to_pylist()
        assert [row["data/file_index"] for row in rows] == [0, 1, 2]
        assert [row["meta/episodes/file_index"] for row in rows] == [0, 1, 2]


def test_an_export_without_a_finished_shard_is_called_unfinished(short, tmp_path, capsys, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("bomb.exports.run.write_shards", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export(short.path, "lerobot", tmp_path / "out", bars=False)
    assert main(["inspect", str(tmp_path / "out"), "--out", str(tmp_path / "page.html")]) == 2
    assert "is an unfinished export, without a finished shard yet" in capsys.readouterr().err


def test_the_bar_moves_with_every_episode(short, tmp_path, monkeypatch):
    """Not with every shard: one may take minutes."""
    moved = []

    class Bar:
        def __init__(self, *seeds, **options):
            self._seeds = seeds

        def __iter__(self):
            return iter(*self._seeds)

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def update(self, frames):
            moved.append(frames)

    monkeypatch.setattr("tqdm.tqdm", Bar)
    export(short.path, "lerobot", tmp_path / "out", image_size=(16, 16), pictures="png")
    assert moved == [6, 6, 6]


def test_two_processes_write_the_same(short, tmp_path):
    export(short.path, "lerobot-v2.1", tmp_path / "one", bars=False, **OPTIONS)
    export(short.path, "lerobot-v2.1", tmp_path / "two", bars=False, workers=2, **OPTIONS)
    for name in ("meta/info.json", "meta/episodes.jsonl", "meta/episodes_stats.jsonl", "meta/tasks.jsonl"):
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "two" / name).read_text()
    assert pq.read_table(tmp_path / "one" / "data").equals(pq.read_table(tmp_path / "two" / "data"))
