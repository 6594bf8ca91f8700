"""`bomb inspect`: of demonstrations and of exports, sound and damaged."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bomb.cli import main
from bomb.demonstrations.dataset import Dataset
from bomb.disk.files import FileError, write_bytes
from bomb.exports import export
from bomb.inspection.findings import inspect_source
from bomb.inspection.open_source import open_source
from bomb.pages.drawing import Chart
from core.control.actions import WORKSPACE_LOW
from tests.exports.conftest import make_dataset

pytestmark = pytest.mark.render


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Four pieces of eight frames each."""
    return make_dataset(tmp_path_factory.mktemp("inspected") / "dataset", episodes=4, steps=8)


@pytest.fixture(scope="module", params=["lerobot", "lerobot-v2.1", "video"])
def exported(request, dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("inspected") / "export"
    format = "lerobot" if request.param == "video" else request.param
    pictures = "video" if request.param == "video" else "png"
    options = {"image_size": (32, 32), "shard_frames": 16, "pictures": pictures, "bars": False}
    export(dataset.path, format, out, **options)
    return out


@pytest.fixture
def without_charts(monkeypatch):
    """A page whose charts are empty: drawn, they take seconds."""
    empty = Chart(data=b"", kind="image/svg+xml", alt="", caption="")
    for chart in ("action_chart", "coverage_chart", "lengths_chart"):
        monkeypatch.setattr(f"bomb.inspection.page.{chart}", lambda *asked: empty)


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    """A sound export, to be copied and damaged."""
    out = tmp_path_factory.mktemp("whole") / "export"
    export(dataset.path, "lerobot", out, image_size=(16, 16), bars=False)
    return out


def test_the_numbers_are_those_of_the_demonstrations(dataset):
    found = inspect_source(open_source(dataset.path))
    demonstrations = list(dataset)
    assert found.lengths == {f"seed {k}": 8 for k in range(4)} and found.frames == 32
    goals = [(d.about["goal"]["row"], d.about["goal"]["column"]) for d in demonstrations]
    assert dict(found.goals) == {cell: goals.count(cell) for cell in goals}
    actions = np.concatenate([d.actions for d in demonstrations])
    for k, edges in enumerate(found.action_edges):
        assert np.array_equal(found.action_counts[k], np.histogram(actions[:, k], edges)[0])
    assert found.anomalies == [] and found.duplicates == []
    assert sum(found.instructions.values()) == 4


def test_the_page_of_demonstrations(dataset, tmp_path, capsys):
    assert main(["inspect", str(dataset.path), "--out", str(tmp_path / "page.html")]) == 0
    assert "4 episodes, 32 frames, 0 duplicates, 0 anomalies" in capsys.readouterr().out
    page = (tmp_path / "page.html").read_text()
    for heading in ("Samples", "Coverage", "Episodes", "Actions", "Duplicates", "Anomalies"):
        assert f">{heading}</h2>" in page
    assert page.count("data:image/svg+xml") == 6 and page.count("data:image/png") == 1
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "Goals by row and column" in page and "None was found." in page


def test_an_export_has_the_same_numbers(dataset, exported):
    wanted = inspect_source(open_source(dataset.path))
    found = inspect_source(open_source(exported))
    assert list(found.lengths.values()) == [8] * 4 and found.goals is None
    assert np.array_equal(found.action_counts, wanted.action_counts)
    assert found.instructions == wanted.instructions and found.anomalies == []


def test_the_page_of_an_export(dataset, tmp_path):
    out = tmp_path / "export"
    export(dataset.path, "lerobot", out, image_size=(32, 32), pictures="png", bars=False)
    assert main(["inspect", str(out), "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "data:image/png" in page and "Coverage" not in page


def test_frames_apart_and_draws_are_no_faults(dataset, tmp_path):
    """Few moments, the same in both draws: what is far apart is not a jump, and no copy."""
    knobs = {"table_texture": "seen"}
    export(
        dataset.path, "lerobot", tmp_path / "export", image_size=(16, 16), pictures="png",
        perturbations=knobs, every=4, visual_draws=2,
    )  # fmt: skip
    found = inspect_source(open_source(tmp_path / "export"))
    assert found.anomalies == [] and found.duplicates == [] and len(found.lengths) == 2 * len(dataset)


def test_the_moves_of_a_pattern_are_counted_where_they_filled_it(tmp_path):
    dataset = make_dataset(tmp_path / "dataset", episodes=1, task="copy_pattern")
    (one,) = dataset
    asked = {(stone["row"], stone["column"]): 1 for stone in one.about["goal"]["stones"]}
    assert len(asked) > 1 and dict(inspect_source(open_source(dataset.path)).goals) == asked


def test_absolute_actions_over_a_lower_table_are_in_bounds(tmp_path):
    options = {"action_mode": "absolute", "perturbations": {"table_height": 5}}
    dataset = make_dataset(tmp_path / "dataset", episodes=3, **options)
    source = open_source(dataset.path)
    assert min(source.load(name).actions[:, 2].min() for name in source.names()) < WORKSPACE_LOW[2] - 0.005
    assert inspect_source(source).anomalies == []


def test_damage_and_duplicates_are_told(tmp_path, without_charts):
    planted = make_dataset(tmp_path / "planted", episodes=4, steps=8)
    file = planted.episode_file(1)
    file.write_bytes(file.read_bytes()[:-200])
    first, third = planted.load(0), planted.load(3)
    same = {name: getattr(first, name) for name in ("observations", "actions")}
    copy = replace(third, **same)
    copy = replace(copy, about={**copy.about, "fingerprint": copy.fingerprint()})
    write_bytes(planted.episode_file(3), copy.to_bytes())
    assert main(["inspect", str(planted.path), "--out", str(tmp_path / "page.html")]) == 1
    found = inspect_source(open_source(planted.path))
    assert found.duplicates == [("seed 0", "seed 3")]
    (damaged,) = found.anomalies
    assert damaged.kind == "damaged" and "episode_000001.npz cannot be read" in damaged.words
    assert "seed 0 = seed 3" in (tmp_path / "page.html").read_text()


def test_a_nan_in_an_export_is_found(dataset, tmp_path):
    out = tmp_path / "out"
    export(dataset.path, "lerobot-v2.1", out, image_size=(16, 16), bars=False)
    file = out / "data" / "chunk-000" / "episode_000002.parquet"
    table = pq.read_table(file)
    states = np.array(table["observation.state"].to_pylist(), np.float32)
    states[4, 2] = np.nan
    column = pa.FixedSizeListArray.from_arrays(pa.array(states.reshape(-1)), 4)
    pq.write_table(table.set_column(0, table.schema.field(0), column), file)
    (found,) = inspect_source(open_source(out)).anomalies
    assert (found.episode, found.kind, found.frame) == ("episode 2", "not finite", 4)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("meta/info.json", lambda d: d.replace(b'"fps"', b'"pfs"'), "info.json lacks fps"),
        (
            "meta/info.json",
            lambda d: d.replace(b"4\n", b"7\n", 1),
            r"of shape \[7\]; those of BOMB have \[4\]",
        ),
        (
            "videos/observation.images.head/chunk-000/file-000.mp4",
            lambda d: d[:200],
            "000.mp4 cannot be read",
        ),
        ("meta/episodes/chunk-000/file-000.parquet", lambda d: d[:200], "000.parquet cannot be read"),
    ],
)
def test_a_damaged_export_is_named(whole, tmp_path, capsys, without_charts, file, change, message):
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / file).write_bytes(change((out / file).read_bytes()))
    assert main(["inspect", str(out), "--out", str(tmp_path / "page.html")]) in (1, 2)
    told = capsys.readouterr().err
    if not told:
        told = " ".join(anomaly.words for anomaly in inspect_source(open_source(out)).anomalies)
    assert re.search(message, told)


def test_a_page_that_cannot_be_written_is_named(dataset, tmp_path, capsys, without_charts):
    (tmp_path / "page.html").mkdir()
    assert main(["inspect", str(dataset.path), "--out", str(tmp_path / "page.html")]) == 3
    assert "page.html cannot be written: Is a directory" in capsys.readouterr().err


def test_foreign_folders_are_refused(tmp_path):
    with pytest.raises(FileError, match="holds no dataset"):
        open_source(tmp_path)
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "info.json").write_text(json.dumps({"features": {"action": {}}}))
    with pytest.raises(FileError, match=r"info\.json has no feature observation\.state"):
        open_source(tmp_path)
