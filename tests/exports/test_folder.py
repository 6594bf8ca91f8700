"""The folder of an export: what is in place is whole whenever the process ends, and is resumed."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bomb.disk.files import FileError
from bomb.exports.folder import MARKER, PARTS, open_export
from bomb.exports.plan import EpisodePlan, ExportPlan
from bomb.exports.settings import ExportSettings
from bomb.exports.statistics import PictureHistogram
from bomb.exports.writer import ShardReport, Writer
from core.errors import OptionError

SETTINGS = ExportSettings(format="lerobot", backend="mujoco")
ABOUT = {"settings": SETTINGS.to_dict(), "versions": {"numpy": "1"}}


class Plain(Writer):
    """Two files per shard and one of metadata: what `ExportFolder` needs, without pictures."""

    words, pictures = "plain", ("png",)

    @classmethod
    def check(cls) -> None:
        pass

    @staticmethod
    def vectors(demonstration, actions):
        return actions, actions

    def data_files(self, root: Path) -> Iterable[Path]:
        return [file for file in (root / "data").rglob("*") if file.is_file()]

    def write_shard(self, folder: Path, episodes) -> ShardReport:
        for name in ("a", "b"):
            target = folder / "data" / name / "draft.txt"
            target.parent.mkdir(parents=True)
            target.write_text(f"{name}{[plan.seed for plan in episodes]}")
        histogram = PictureHistogram()
        histogram.add(np.full((2, 2, 3), len(episodes), np.uint8))
        lines = [{"seed": plan.seed} for plan in episodes]
        return ShardReport(episodes=len(lines), histograms={"head": histogram}, lines=lines)

    def finish(self, folder: Path, shard: int) -> None:
        for draft in folder.rglob("draft.txt"):
            draft.rename(draft.with_name(f"{shard}.txt"))

    def write_meta(self, root, plan, shards, pictures, lines) -> None:
        text = json.dumps([[len(shard) for shard in shards], lines, pictures["head"].pictures])
        (root / "meta.json").write_text(text)


def make_plan(count: int) -> ExportPlan:
    rows = np.arange(4)
    episodes = [
        EpisodePlan(
            seed=10 + k, fingerprint=f"f{k}", index=k, first=4 * k, rows=rows, tasks=rows * 0,
            texts=("do",) * 4, instructions=(), states=np.zeros((4, 4)), actions=np.zeros((4, 4)),
        )
        for k in range(count)
    ]  # fmt: skip
    return ExportPlan(episodes=tuple(episodes), tasks=("do",))


WRITER = Plain(SETTINGS, {"control_hz": 20})


def write(out: Path, plan: ExportPlan, about: dict = ABOUT, shard_frames: int = 8) -> None:
    with open_export(out, WRITER, about, plan) as folder:
        ranges = plan.shards([shard.episodes for shard in folder.shards], shard_frames)
        for number in range(len(folder.shards), len(ranges)):
            part = folder.parts(ranges[number].start)
            part.mkdir(parents=True)
            episodes = plan.episodes[ranges[number].start : ranges[number].stop]
            folder.commit(plan, part, WRITER.write_shard(part, episodes))


def content(out: Path) -> dict[str, str]:
    files = [file for file in out.rglob("*") if file.is_file() and not file.name.startswith(".")]
    return {str(file.relative_to(out)): file.read_text() for file in files}


@pytest.fixture
def finished(tmp_path) -> dict[str, str]:
    write(tmp_path / "finished", make_plan(5))
    return content(tmp_path / "finished")


class Killed(BaseException):
    """The process is gone: nothing of ours handles it, and nothing after it happens."""


@pytest.mark.parametrize("step", range(1, 12))
def test_killed_at_any_rename(tmp_path, monkeypatch, finished, step):
    """Three shards of two data files each, and the marker: whichever rename is the last, all is put right."""
    out, count, rename = tmp_path / "killed", 0, Path.replace

    def counted(self, target):
        nonlocal count
        count += 1
        if count == step:
            raise Killed
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", counted)
    monkeypatch.setattr("shutil.rmtree", lambda *arguments, **options: None)  # a dead process tidies nothing
    died = False
    try:
        write(out, make_plan(5))
    except Killed:
        died = True
    assert died == (step <= 10)  # three shards of two files, and a marker before the first and after each
    monkeypatch.undo()
    if (out / "meta.json").exists() and (out / MARKER).exists():
        # What the metadata names is there, whole.
        sizes, _, _ = json.loads((out / "meta.json").read_text())
        for shard, size in enumerate(sizes):
            assert (out / "data" / "b" / f"{shard}.txt").read_text().count(",") == size - 1
    write(out, make_plan(5))
    assert content(out) == finished
    assert not (out / PARTS).exists()


def test_a_dataset_that_has_grown_is_gone_on_with(tmp_path, finished):
    out = tmp_path / "grown"
    write(out, make_plan(3))
    before = {name: text for name, text in content(out).items() if name.startswith("data")}
    assert json.loads((out / MARKER).read_text())["complete"]
    write(out, make_plan(5))
    after = content(out)
    assert before.items() <= after.items()
    marker = json.loads(after[MARKER])
    assert [shard["episodes"] for shard in marker["shards"]] == [2, 1, 2] and marker["complete"]
    assert json.loads(after["meta.json"])[0] == [2, 1, 2]


def test_other_settings_are_refused_by_name(tmp_path):
    write(tmp_path / "out", make_plan(2))
    other = {**ABOUT, "settings": replace(SETTINGS, cameras=("wrist",)).to_dict()}
    with pytest.raises(OptionError, match=r"settings\.cameras = \['head'\], not \['wrist'\]"):
        write(tmp_path / "out", make_plan(2), other)
    write(tmp_path / "out", make_plan(2), {**ABOUT, "versions": {"numpy": "2"}})  # may go on elsewhere


def test_other_demonstrations_are_refused(tmp_path):
    write(tmp_path / "out", make_plan(2))
    plan = make_plan(2)
    changed = ExportPlan(
        episodes=(replace(plan.episodes[0], fingerprint="x"), plan.episodes[1]), tasks=plan.tasks
    )
    with pytest.raises(OptionError, match="other demonstrations"):
        write(tmp_path / "out", changed)


def test_foreign_folders_are_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileError, match=r"holds no export of BOMB, but thesis\.tex"):
        write(tmp_path, make_plan(2))
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(FileError, match="is not a folder"):
        write(tmp_path / "thesis.tex", make_plan(2))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda out: (out / "data/a/0.txt").unlink(), "a/0.txt cannot be read"),
        (lambda out: (out / "data/a/0.txt").write_text("x"), "has 1 bytes, had"),
        (lambda out: (out / MARKER).write_text("{"), f"{MARKER} cannot be read"),
        (lambda out: (out / MARKER).write_text('{"format": "zip"}'), "not an export of BOMB of version 1"),
    ],
)
def test_damage_is_named(tmp_path, damage, message):
    out = tmp_path / "out"
    write(out, make_plan(3))
    damage(out)
    with pytest.raises(FileError, match=message):
        write(out, make_plan(3))


def test_two_writers_at_once(tmp_path):
    with (
        open_export(tmp_path / "out", WRITER, ABOUT, make_plan(2)),
        pytest.raises(FileError, match="another process"),
    ):
        write(tmp_path / "out", make_plan(2))
    write(tmp_path / "out", make_plan(2))


def test_shards_are_as_long_as_asked():
    plan = make_plan(7)
    assert [len(shard) for shard in plan.shards([], 8)] == [2, 2, 2, 1]
    assert [len(shard) for shard in plan.shards([], 5)] == [2, 2, 2, 1]
    assert [len(shard) for shard in plan.shards([3], 1000)] == [3, 4]
    assert plan.shards([7], 8) == [range(0, 7)]
