"""Scenes from a secret salt: nobody draws them without it, and only its hash is written down."""

import json
import pickle
from hashlib import sha256

import pytest

import bomb
import core
from bomb.cli import main
from bomb.report.loading import load_runs
from bomb.report.summary import summarise
from bomb.runs.store import RunStore
from core.errors import OptionError
from core.seeding import PrivateSplit, policy_seed, stream
from core.world.stage import clean_scene
from tasks.place_stone import PlaceStone
from tests.evaluation.conftest import settings

SALT, OTHER = b"tiny but 32 hexadecimal digits!!", b"another one, of as many letters!"


def scenes(split: str) -> list[tuple]:
    task, scene = PlaceStone(), clean_scene()
    made = [task.make_episode(scene, split=split, seed=seed) for seed in range(20)]
    return [(episode.goal, episode.state.stone_poses.tobytes()) for episode in made]


def test_scenes_depend_on_every_bit_of_the_salt():
    assert scenes(PrivateSplit(SALT)) == scenes(pickle.loads(pickle.dumps(PrivateSplit(SALT))))
    drawn = [scenes(split) for split in (PrivateSplit(SALT), PrivateSplit(SALT[:-1] + b"?"), "test")]
    for k, one in enumerate(drawn):
        assert not set(one) & {scene for other in drawn[k + 1 :] for scene in other}
    assert policy_seed(PrivateSplit(SALT), 3) != policy_seed(PrivateSplit(OTHER), 3)


def test_without_the_salt_nothing_is_drawn():
    for draw in (lambda: stream("private", 0, "goal"), lambda: policy_seed("private", 0),
                 lambda: core.EnvironmentSettings(backend="mujoco", split="private")):  # fmt: skip
        with pytest.raises(OptionError, match="drawn from a salt"):
            draw()
    with pytest.raises(OptionError, match="at least 16 bytes, this one has 5"):
        PrivateSplit(b"short")
    with pytest.raises(OptionError, match="cannot be read"):
        PrivateSplit.read("/nowhere/salt")


def test_the_salt_is_never_shown():
    split = PrivateSplit(SALT)
    shown = [
        str(split),
        repr(split),
        json.dumps(split),
        repr(settings(split=split)),
        repr(vars(split).keys()),
    ]
    assert not any(SALT.decode() in text for text in shown)
    assert json.dumps(split) == '"private"' and f"{split}" == "private"


def test_a_run_keeps_the_hash_and_is_taken_up_with_the_same_salt_only(tmp_path):
    file, run = tmp_path / "salt", tmp_path / "run"
    file.write_bytes(SALT + b"\n")
    ask = ["evaluate", "--policy", "hold", "--backend", "mujoco", "--cameras", "none", "--max-steps", "2",
           "--workers", "1", "--split", "private", "--out", str(run)]  # fmt: skip
    assert main([*ask, "--episodes", "1", "--salt", str(file)]) == 0
    assert main([*ask, "--episodes", "2", "--salt", str(file)]) == 0
    with RunStore.open(run) as store:
        assert store.settings()["salt_sha256"] == sha256(SALT).hexdigest()
        (first, _) = store.episodes()
        record = store.record(first.condition, first.seed)
    assert json.loads((run / "summary.json").read_text())["salt_sha256"] == sha256(SALT).hexdigest()
    for written in run.iterdir():
        assert SALT not in written.read_bytes()
    assert record.about["goal"] == PlaceStone().make_episode(
        clean_scene(), split=PrivateSplit(SALT), seed=0
    ).goal.to_dict()  # fmt: skip
    file.write_bytes(OTHER)
    assert main([*ask, "--episodes", "3", "--salt", str(file)]) == 2
    assert main([*ask, "--episodes", "3"]) == 2
    assert main([*ask[:-4], "--split", "test", "--salt", str(file)]) == 2
    view = ["view", str(run), "--seed", "0", "--rerun", str(tmp_path / "x.rrd")]
    assert main(view) == 2 and main([*view, "--salt", str(file)]) == 2
    assert main(["rescore", str(run)]) == 0  # from the stored measures: no scene is drawn


def test_runs_of_different_salts_are_not_paired(tmp_path):
    paths = []
    for name, salt in (("a", SALT), ("b", OTHER)):
        asked = settings("hold", split=PrivateSplit(salt), episodes=1)
        bomb.evaluate(asked, tmp_path / name, execution=bomb.ExecutionSettings(workers=1))
        paths.append(tmp_path / name)
    summary = summarise(load_runs(paths))
    assert not summary.comparisons
    assert {c.split for run in summary.runs for c in run.conditions} == {
        f"private-{sha256(salt).hexdigest()[:12]}" for salt in (SALT, OTHER)
    }
