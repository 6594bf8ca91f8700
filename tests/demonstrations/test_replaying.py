"""Playing a dataset's actions again."""

import json
import shutil
from dataclasses import replace

import numpy as np

from bomb.cli import main
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.replaying import replay_dataset
from tests.demonstrations.conftest import BACKENDS


def test_every_engine_repeats_what_it_made_to_the_last_bit(mixed, tmp_path, capsys):
    assert main(["replay", str(mixed.path), "--workers", "2", "--json", str(tmp_path / "r.json")]) == 0
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["passed"] and [row["made_in"] for row in result["rows"]] == sorted(BACKENDS)
    for row in result["rows"]:
        assert row["made_in"] == row["played_in"] and row["required"] == 0.99
        assert row["success_rate"] == 1.0 and row["exact"] == row["n"] >= 1
    assert sum(row["n"] for row in result["rows"]) == len(mixed)
    assert "exact to the last bit ok" in capsys.readouterr().out


def test_the_other_engine_is_reported_and_not_required(mixed):
    rows = replay_dataset(mixed, tuple(BACKENDS), workers=2)
    assert {(row.made_in, row.played_in) for row in rows} == {(a, b) for a in BACKENDS for b in BACKENDS}
    for row in rows:
        assert row.success.n == sum(one.about["backend"] == row.made_in for one in mixed)
        assert row.required == (row.made_in == row.played_in)
        assert row.passed


def test_a_game_is_repeated_with_its_opponent(games):
    (row,) = replay_dataset(games)
    assert row.success.value == 1.0 and row.exact == 1


def test_actions_that_do_not_succeed_fail_the_command(games, tmp_path, capsys):
    """The same episode, whole by its fingerprint, but the gripper never closes."""
    made = games.load(games.seeds()[0])
    spoilt = replace(made, actions=np.where([False, False, False, True], np.float32(1), made.actions))
    spoilt = replace(spoilt, about={**made.about, "fingerprint": spoilt.fingerprint()})
    shutil.copytree(games.path, tmp_path / "dataset")
    Dataset(tmp_path / "dataset").episode_file(made.seed).write_bytes(spoilt.to_bytes())
    assert main(["replay", str(tmp_path / "dataset")]) == 1
    printed = capsys.readouterr().out
    assert "0.0%" in printed and "FAILED: must be 99%" in printed
    Dataset(tmp_path / "dataset").episode_file(made.seed).write_bytes(b"PK")
    assert main(["replay", str(tmp_path / "dataset")]) == 2
    assert "cannot be read: not a demonstration" in capsys.readouterr().err
