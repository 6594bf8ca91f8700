"""LeRobot folders as a source: BOMB's own exports come back as they were drawn, others' as a recipe says."""

import json
import shutil

import numpy as np
import pytest

from bomb.disk.files import FileError
from bomb.exports import export
from bomb.exports.parquet import arrow
from bomb.integrations.actions import ActionConvention
from bomb.training.data_recipe import DataRecipe, LeRobotRecipe, SourceRecipe
from bomb.training.lerobot import LeRobotEpisodes
from bomb.training.sources import open_sources
from core.errors import ConventionError, OptionError, UnknownNameError
from tests.training.conftest import EVERY, SIDE, recipe

pytestmark = pytest.mark.render


@pytest.fixture(scope="module")
def exported(demonstrations, tmp_path_factory):
    """Exports of the demonstrations, by pictures: drawn by MuJoCo as small as training draws them."""
    folder = tmp_path_factory.mktemp("exported")

    def make(pictures: str):
        out = folder / pictures
        if not out.exists():
            export(
                demonstrations, "lerobot", out, backend="mujoco", image_size=(SIDE, SIDE), supersample=1,
                pictures=pictures, columns=("target_pixel", "occupancy"),
            )  # fmt: skip
        return out

    return make


def read(folder, store, **changes):
    (source,) = open_sources(recipe(**changes), [folder], store)
    return source


def drawn(demonstrations, tmp_path):
    made = recipe(data=DataRecipe(
        sources=(SourceRecipe(backends=("mujoco",)),), every=EVERY, supersample=1, held_out=1))  # fmt: skip
    (source,) = open_sources(made, [demonstrations], tmp_path)
    return source


def test_our_own_export_comes_back_as_it_was_drawn(demonstrations, exported, tmp_path):
    there, here = drawn(demonstrations, tmp_path), read(exported("png"), tmp_path)
    assert here.provenance["seeds"] == there.provenance["seeds"]
    assert here.provenance["held_out_seeds"] == there.provenance["held_out_seeds"]
    assert here.provenance["held_out"] == there.provenance["held_out"]
    assert (here.control_hz, here.action_mode) == (there.control_hz, there.action_mode)
    (ours,), (theirs,) = there.frames, here.frames
    assert len(theirs.episodes) == len(ours.episodes)
    for k, (one, other) in enumerate(zip(ours.episodes, theirs.episodes, strict=True)):
        for name in ("rows", "states", "actions", "ends", "occupancy"):
            np.testing.assert_array_equal(getattr(other, name), getattr(one, name), err_msg=name)
        np.testing.assert_allclose(other.targets, one.targets, atol=1e-4)
        assert [other.texts[a] for a in other.asked] == [one.texts[a] for a in one.asked]
        for moment in range(len(one)):
            np.testing.assert_array_equal(theirs.pictures(k, moment), ours.pictures(k, moment))


def test_videos_are_read_at_the_right_frame(exported, tmp_path):
    stored, played = read(exported("png"), tmp_path), read(exported("video"), tmp_path)
    (right,), (seen,) = stored.frames, played.frames
    away = np.zeros((len(right.episodes),) * 2)
    for k, episode in enumerate(right.episodes):
        last = len(episode) - 1
        for n in range(len(seen.episodes)):
            pictures = seen.pictures(n, min(last, len(seen.episodes[n]) - 1)).astype(float)
            away[k, n] = np.abs(pictures - right.pictures(k, last)).mean()
    assert (away.argmin(1) == np.arange(len(away))).all() and away.diagonal().max() < 8


def foreign(folder, out, **columns):
    """A copy whose columns are others', as if somebody else had written it."""
    pa = arrow()
    shutil.copytree(folder, out)
    (out / "bomb_export.json").unlink()
    info = json.loads((out / "meta/info.json").read_text())
    for file in (out / "data").rglob("*.parquet"):  # several, where drawing took minutes
        table = pa.parquet.read_table(file)
        for name, values in columns.items():
            made = values(table)
            if name in table.column_names:
                table = table.drop_columns([name])
            table = table.append_column(name, pa.array(made.tolist()))
            info["features"][name] = {"dtype": "float32", "shape": [made.shape[1]], "names": None}
        pa.parquet.write_table(table, file)
    (out / "meta/info.json").write_text(json.dumps(info))
    return out


def seven(table):
    """Seven numbers: metres instead of shares, a rotation of zero, +1 closes."""
    four = np.array(table["action"].to_pylist())
    made = np.zeros((len(four), 7))
    made[:, :3], made[:, 6] = four[:, :3] * 0.02, np.where(four[:, 3] < 0.5, 1.0, -1.0)
    return made


LIBERO_LIKE = ActionConvention(rotation="zero", gripper="binary_close_positive", delta_scale=50.0)


def test_other_peoples_features_are_read_as_a_recipe_says(exported, tmp_path):
    mine = read(exported("png"), tmp_path / "store")
    turned = foreign(
        exported("png"), tmp_path / "foreign", action=seven,
        proprio=lambda table: np.array(table["observation.state"].to_pylist())[:, ::-1],
    )  # fmt: skip
    how = LeRobotRecipe(state="proprio", state_entries=(3, 2, 1, 0), convention=LIBERO_LIKE)
    data = DataRecipe(sources=(SourceRecipe(lerobot=how),), every=EVERY, held_out=1)
    theirs = read(turned, tmp_path / "store", data=data)
    assert theirs.provenance["seeds"] == []  # nobody knows which scenes these are
    for one, other in zip(mine.frames[0].episodes, theirs.frames[0].episodes, strict=True):
        np.testing.assert_array_equal(other.states, one.states)
        np.testing.assert_allclose(other.actions[:, :3], one.actions[:, :3], atol=1e-5)
        np.testing.assert_array_equal(other.actions[:, 3], (one.actions[:, 3] >= 0.5).astype(np.float32))


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        (LeRobotRecipe(action="actions"), UnknownNameError, "action"),
        (LeRobotRecipe(cameras={"head": "observation.state"}), UnknownNameError, "observation.images.head"),
        (LeRobotRecipe(cameras={"wrist": "observation.images.head"}), OptionError, "the model has head"),
        (LeRobotRecipe(convention=LIBERO_LIKE), OptionError, r"\[7\]"),
        (LeRobotRecipe(state_entries=(0, 1, 2, 9)), OptionError, "has 4 numbers"),
    ],
)
def test_what_does_not_fit_is_named(exported, how, error, words):
    with pytest.raises(error, match=words):
        LeRobotEpisodes(exported("png"), how, cameras=("head",), image_size=(SIDE, SIDE))


def test_damage_is_named(exported, tmp_path):
    wrong = foreign(exported("png"), tmp_path / "wrong", action=lambda t: seven(t) * [1, 1, 1, 1, 1, 1, 9])
    how = LeRobotRecipe(convention=LIBERO_LIKE)
    episodes = LeRobotEpisodes(wrong, how, cameras=("head",), image_size=(SIDE, SIDE))
    with pytest.raises(ConventionError, match="gripper"):
        episodes.copy(tmp_path / "store", numbers=[0])
    lost = tmp_path / "lost"
    shutil.copytree(exported("video"), lost)
    (video,) = lost.rglob("*.mp4")
    video.write_bytes(video.read_bytes()[:2000])
    cut = LeRobotEpisodes(lost, LeRobotRecipe(), cameras=("head",), image_size=(SIDE, SIDE))
    with pytest.raises(FileError, match=r"\.mp4"):
        cut.copy(tmp_path / "store", numbers=[0])
    assert not list((tmp_path / "store").rglob("*.np[yz]"))
    with pytest.raises(OptionError, match="backends, perturbations, visual_draws and depth"):
        sources = (SourceRecipe(backends=("mujoco",)),)
        read(exported("png"), tmp_path / "store", data=DataRecipe(sources=sources))
