"""Both LeRobot versions read back with pyarrow and PyAV; lerobot's own readers are in tests/interop."""

import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bomb.exports import export
from bomb.exports.statistics import QUANTILES
from core.errors import OptionError
from tests.exports.conftest import SIZE

pytestmark = pytest.mark.render

CAMERAS = ("head", "wrist")
COLUMNS = ("target_pixel", "occupancy", "depth", "spans")
# Of a decoded video: mean absolute difference, over the whole picture; in 1/255.
CODEC_ERROR = 6.0


@pytest.fixture(scope="module", params=["lerobot", "lerobot-v2.1"])
def pictures(request, short, tmp_path_factory):
    """An export with pictures in Parquet, in shards of two episodes and one."""
    out = tmp_path_factory.mktemp("lerobot") / "export"
    made = export(
        short.path,
        request.param,
        out,
        cameras=CAMERAS,
        image_size=SIZE,
        columns=COLUMNS,
        pictures="png",
        shard_frames=12,
    )
    assert (made.episodes, made.frames, made.written, made.tasks) == (3, 18, 18, 3)
    return out


@pytest.fixture(scope="module", params=["h264", "av1"])
def video(request, short, tmp_path_factory):
    """A v3.0 export with videos."""
    out = tmp_path_factory.mktemp("lerobot") / "export"
    export(short.path, "lerobot", out, cameras=CAMERAS, image_size=SIZE, codec=request.param, shard_frames=12)
    return out


def rows(out) -> dict[str, list]:
    files = sorted((out / "data").rglob("*.parquet"))
    columns: dict[str, list] = {}
    for file in files:
        for name, values in pq.read_table(file).to_pydict().items():
            columns.setdefault(name, []).extend(values)
    return columns


def decoded(entry: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(entry["bytes"])))


def test_states_actions_and_indices(pictures, short):
    columns = rows(pictures)
    demonstrations = list(short)
    assert np.array_equal(columns["action"], np.concatenate([d.actions for d in demonstrations]))
    states = np.concatenate([d.observations[:-1] for d in demonstrations])
    assert np.array_equal(columns["observation.state"], states)
    assert columns["index"] == list(range(18))
    assert columns["episode_index"] == np.repeat([0, 1, 2], 6).tolist()
    assert columns["frame_index"] == [*range(6)] * 3 and columns["task_index"] == columns["episode_index"]
    assert np.allclose(columns["timestamp"], np.array(columns["frame_index"]) / 20, atol=1e-7)


def test_pictures_are_what_the_renderer_drew(pictures, drawn):
    columns = rows(pictures)
    for k, frame in enumerate(drawn):
        for camera in CAMERAS:
            picture = decoded(columns[f"observation.images.{camera}"][k])
            assert np.array_equal(picture, frame["images"][camera])
            depth = decoded(columns[f"observation.depth.{camera}"][k])
            assert depth.dtype == np.uint16 and np.abs(depth / 1000 - frame["depth"][camera]).max() <= 0.00051


def test_info_describes_every_column(pictures, short):
    info = json.loads((pictures / "meta" / "info.json").read_text())
    assert info["fps"] == 20 and info["robot_type"] == "panda" and info["splits"] == {"train": "0:3"}
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 18, 3)
    file = next((pictures / "data").rglob("*.parquet"))
    table = pq.read_table(file)
    assert table.column_names == list(info["features"])
    described = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert list(described) == table.column_names
    for name, feature in info["features"].items():
        value = table[name][0].as_py()
        if feature["dtype"] == "image":
            shape = decoded(value).shape
            assert (*shape, 1)[:3] == tuple(feature["shape"]) and described[name] == {"_type": "Image"}
        elif feature["shape"] == [1]:
            assert described[name] == {"dtype": feature["dtype"], "_type": "Value"}
        else:
            assert [len(value)] == feature["shape"] == [described[name]["length"]]
            assert len(feature["names"]) == len(value)


def tasks_of(out) -> list[str]:
    if (out / "meta" / "tasks.parquet").exists():
        import pandas

        frame = pandas.read_parquet(out / "meta" / "tasks.parquet")
        assert frame["task_index"].tolist() == list(range(len(frame)))
        return frame.index.tolist()
    lines = (out / "meta" / "tasks.jsonl").read_text().splitlines()
    return [json.loads(line)["task"] for line in lines]


def test_tasks_are_the_instructions(pictures, short):
    assert tasks_of(pictures) == [demonstration.instructions[0] for demonstration in short]


def test_statistics_are_of_all_frames(pictures, short, drawn):
    actions = np.concatenate([d.actions for d in short]).astype(float)
    if (pictures / "meta" / "stats.json").exists():
        stats = json.loads((pictures / "meta" / "stats.json").read_text())
        for name, share in QUANTILES.items():
            assert np.allclose(stats["action"][name], np.quantile(actions, share, axis=0))
        values = np.stack([frame["images"]["head"] for frame in drawn]).reshape(-1, 3) / 255
        found = np.array(stats["observation.images.head"]["mean"])
        assert found.shape == (3, 1, 1) and np.allclose(found.reshape(3), values.mean(axis=0))
        assert stats["action"]["count"] == [18]
    else:
        lines = (pictures / "meta" / "episodes_stats.jsonl").read_text().splitlines()
        stats = [json.loads(line) for line in lines]
        assert [line["episode_index"] for line in stats] == [0, 1, 2]
        for k, line in enumerate(stats):
            assert np.allclose(line["stats"]["action"]["std"], actions[6 * k : 6 * k + 6].std(axis=0))
            assert np.shape(line["stats"]["observation.images.wrist"]["max"]) == (3, 1, 1)


def test_everything_that_is_a_picture_has_statistics(pictures, drawn):
    """lerobot's trainers look them up for every feature that is a picture, depth among them."""
    info = json.loads((pictures / "meta" / "info.json").read_text())
    shown = {name for name, feature in info["features"].items() if feature["dtype"] == "image"}
    assert shown == {f"observation.{kind}.{camera}" for kind in ("images", "depth") for camera in CAMERAS}
    assert info["features"]["observation.depth.head"]["info"] == {"is_depth_map": True, "depth_unit": "mm"}
    if (pictures / "meta" / "stats.json").exists():
        stats = [json.loads((pictures / "meta" / "stats.json").read_text())]
        millimetres = np.stack([frame["depth"]["head"] for frame in drawn]) * 1000
        assert np.isclose(np.ravel(stats[0]["observation.depth.head"]["mean"]), millimetres.mean(), atol=0.5)
    else:
        lines = (pictures / "meta" / "episodes_stats.jsonl").read_text().splitlines()
        stats = [json.loads(line)["stats"] for line in lines]
    for one in stats:
        assert shown < one.keys()
        assert np.shape(one["observation.depth.wrist"]["std"]) == (1, 1, 1)


def test_videos_have_each_frame_at_its_time(video, drawn):
    import av

    info = json.loads((video / "meta" / "info.json").read_text())
    episodes = pq.read_table(video / "meta" / "episodes").to_pylist()
    assert info["features"]["observation.images.head"]["dtype"] == "video"
    for camera in CAMERAS:
        key = f"observation.images.{camera}"
        for number, episode in enumerate(episodes):
            place = {"video_key": key} | {
                name: episode[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")
            }
            with av.open(str(video / info["video_path"].format(**place))) as container:
                stream = container.streams.video[0]
                assert stream.codec.canonical_name == info["features"][key]["info"]["video.codec"]
                found = {round(float(f.pts * f.time_base), 6): f for f in container.decode(stream)}
            start = episode[f"videos/{key}/from_timestamp"]
            assert abs(episode[f"videos/{key}/to_timestamp"] - start - 6 / 20) < 1e-9
            for k in range(6):
                picture = found[round(start + k / 20, 6)].to_ndarray(format="rgb24").astype(float)
                difference = np.abs(picture - drawn[6 * number + k]["images"][camera]).mean()
                assert difference < CODEC_ERROR, (camera, number, k)


def test_episodes_say_where_their_frames_are(video):
    episodes = pq.read_table(video / "meta" / "episodes").to_pylist()
    assert [e["dataset_from_index"] for e in episodes] == [0, 6, 12]
    assert [e["data/file_index"] for e in episodes] == [0, 0, 1]
    for episode in episodes:
        file = video / f"data/chunk-000/file-{episode['data/file_index']:03d}.parquet"
        column = pq.read_table(file, columns=["episode_index"])["episode_index"].to_pylist()
        assert column.count(episode["episode_index"]) == episode["length"]
        assert len(episode["stats/action/q99"]) == 4


def test_the_readme_and_the_marker_say_what_it_is(pictures):
    text = (pictures / "README.md").read_text()
    assert "1.0 being 20 mm" in text and "18 frames at 20 Hz" in text and "target_pixel" in text
    marker = json.loads((pictures / "bomb_export.json").read_text())
    assert marker["complete"] and marker["about"]["dataset"]["split"] == "ci"
    assert [shard["episodes"] for shard in marker["shards"]] == [2, 1]


def test_some_moments_in_several_draws(short, tmp_path):
    """Each draw is an episode; what the pictures show is drawn anew, states and actions are the moments'."""
    knobs = {"table_texture": "seen", "words": "paraphrase_seen"}
    options = {"image_size": SIZE, "pictures": "png", "perturbations": knobs, "moments": 2, "visual_draws": 3}
    made = export(short.path, "lerobot", tmp_path / "export", **options)
    assert (made.episodes, made.frames) == (9, 18)
    columns, demonstrations = rows(tmp_path / "export"), list(short)
    numbered = list(zip(columns["episode_index"], columns["observation.state"], strict=True))
    for episode, state in numbered:
        there = demonstrations[episode // 3].observations[:-1]
        assert (there == np.array(state, np.float32)).all(1).any()
    entries = pq.read_table(next((tmp_path / "export/meta/episodes").rglob("*.parquet"))).to_pydict()
    assert (
        entries["bomb/seed"] == [0, 0, 0, 1, 1, 1, 2, 2, 2] and entries["bomb/visual_draw"] == [0, 1, 2] * 3
    )
    first = {tuple(said) for said in entries["tasks"][:3]}
    assert len(first) > 1  # words are a draw, too
    assert "2 of each demonstration" in (tmp_path / "export/README.md").read_text()
    again = export(short.path, "lerobot", tmp_path / "export", **options)
    assert (again.frames, again.written) == (18, 0)
    with pytest.raises(OptionError, match="moments = 2, not 3"):
        export(short.path, "lerobot", tmp_path / "export", **{**options, "moments": 3})
