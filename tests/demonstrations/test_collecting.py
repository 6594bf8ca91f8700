"""Collecting: which episodes a dataset has, and that an earlier call is resumed."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from bomb.cli import main
from bomb.collecting.collecting import collect
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.replaying import replay_dataset
from bomb.demonstrations.settings import CollectionSettings, chosen_levels, diversity_of
from bomb.disk.files import FileError
from bomb.policies.varied import VARIETIES
from core.errors import BombError, CapabilityError, OptionError, UnknownNameError
from core.perturbations.heldout import goal_set
from core.registry import TASKS
from core.world.stage import clean_scene
from tests.demonstrations.conftest import BACKENDS, files, settings


def test_one_process_and_two_make_the_same_dataset(mixed, tmp_path):
    result = collect(settings(diversity=1.0), 4, tmp_path / "again", workers=1)
    assert result.complete and result.played == 4
    assert files(tmp_path / "again") == files(mixed.path)
    assert (tmp_path / "again" / "dataset.json").read_bytes() == (mixed.path / "dataset.json").read_bytes()


def test_it_has_the_lowest_seeds_whose_goals_are_seen(mixed):
    task, scene, seeds, seed = TASKS.load("place_stone")(), clean_scene(), [], 0
    while len(seeds) < len(mixed):
        if goal_set(task.make_episode(scene, split="ci", seed=seed).goal) == "seen":
            seeds.append(seed)
        seed += 1
    assert mixed.seeds() == seeds and seeds[-1] >= len(seeds)
    for one in mixed:
        assert one.about["verdict"]["success"] and one.about["split"] == "ci"
        assert one.about["backend"] == BACKENDS[one.seed % 2]
        assert one.about["diversity"]["moves"][0]["height"] > 0


def test_more_are_collected_where_an_earlier_call_stopped(mixed, tmp_path):
    out = tmp_path / "dataset"
    shutil.copytree(mixed.path, out)
    first, last = mixed.seeds()[0], mixed.seeds()[-1]
    (out / "episodes" / f"episode_{first:06d}.npz").unlink()
    (out / "episodes" / f".episode_{first:06d}.npz.1.part").write_bytes(b"half")
    outcomes = []
    result = collect(settings(diversity=1.0), 4, out, report=outcomes.append)
    assert result.complete and result.played == 1 and result.kept == 4
    assert [one.seed for one in outcomes if one.played and one.kind == "kept"] == [first]
    assert files(out) == files(mixed.path)
    assert collect(settings(diversity=1.0), 5, out).kept == 5
    assert Dataset.open(out).seeds()[:4] == mixed.seeds() and Dataset.open(out).seeds()[4] > last
    with pytest.raises(OptionError, match="has 5 episodes already, 4 are asked for"):
        collect(settings(diversity=1.0), 4, out)


def test_other_settings_and_foreign_folders_are_refused(mixed, tmp_path):
    for changes, words in (
        ({"backends": (BACKENDS[0],)}, "backends = "),
        ({"diversity": 0.5}, "diversity = 1.0, not 0.5"),
        ({"held_out": ("phrasings", "textures")}, r"held_out.intersections = .*, not \[\]"),
        ({"perturbations": {"board_pose": 2}}, "perturbations.board_pose = None, not 2"),
    ):
        with pytest.raises(OptionError, match=words):
            collect(settings(**{"diversity": 1.0, **changes}), 4, mixed.path)
    (tmp_path / "thesis.txt").write_text("dear")
    with pytest.raises(FileError, match="holds no dataset"):
        collect(settings(), 1, tmp_path)
    damaged = tmp_path / "damaged"
    shutil.copytree(mixed.path, damaged)
    file = damaged / "episodes" / f"episode_{mixed.seeds()[1]:06d}.npz"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(FileError, match=rf"{file.name} cannot be read: not a demonstration"):
        collect(settings(diversity=1.0), 4, damaged)


def test_failures_are_kept_aside_and_counted(tmp_path):
    """Sixty actions are too few for some episodes and enough for others."""
    one = settings(backends=(BACKENDS[0],), max_steps=60, held_out=())
    result = collect(one, 4, tmp_path / "dataset", workers=2)
    dataset = Dataset.open(tmp_path / "dataset")
    assert result.complete and len(dataset) == 4
    assert sum(result.failures.values()) == len(dataset.failures()) > 0
    seeds = sorted([*dataset.seeds(), *dataset.failures()])
    assert seeds == list(range(len(seeds)))  # every seed up to the last is one or the other
    for seed in dataset.failures():
        about = dataset.load_failure(seed).about
        assert not about["verdict"]["success"] and about["verdict"]["reason"] in result.failures
    again = collect(one, 4, tmp_path / "dataset")
    assert again.played == 0 and again.failures == result.failures


def test_an_expert_that_never_succeeds_is_given_up(tmp_path):
    with pytest.raises(BombError, match="only 0 of 40 episodes succeeded"):
        collect(settings(backends=(BACKENDS[0],), max_steps=2), 100, tmp_path / "dataset")


def test_a_held_out_move_ends_a_game(games, tmp_path):
    """Without holding out, seed 0 is played; with it, the first game without such a move."""
    held = settings(backends=(BACKENDS[0],), task="tic_tac_toe")
    result = collect(held, 1, tmp_path / "dataset")
    assert result.left_out > 0 and games.seeds() == [0]
    (one,) = Dataset.open(tmp_path / "dataset")
    asked = [entry["goal"] for entry in one.about["moves"]["placements"]]
    assert len(asked) > 1
    assert all((goal["row"], goal["column"]) not in {(1, 2), (3, 3)} for goal in asked)


def test_perturbed_episodes_say_so(tmp_path):
    levels = chosen_levels(["robotwin_randomized:1"], ("phrasings", "textures"))
    assert levels["table_texture"] == "seen" and levels["words"] == "paraphrase_seen"
    one = settings(backends=(BACKENDS[0],), perturbations=levels)
    collect(one, 1, tmp_path / "dataset")
    dataset = Dataset.open(tmp_path / "dataset")
    assert dataset.settings["perturbations"] == levels
    (made,) = dataset
    assert set(made.about["perturbation"]) == {*levels, "twin"}


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"backends": ("bullet",)}, UnknownNameError, "backend 'bullet'"),
        ({"backends": (BACKENDS[0], BACKENDS[0])}, OptionError, "different names"),
        ({"split": "test"}, UnknownNameError, "split to collect from 'test'; valid: ci, train, validation"),
        ({"task": "chess"}, UnknownNameError, "task 'chess'"),
        ({"held_out": ("rows",)}, UnknownNameError, "held-out set 'rows'"),
        ({"diversity": 1.5}, OptionError, "diversity must be a number from 0 to 1, got 1.5"),
        ({"diversity": {"speed": 2}}, OptionError, "diversity of speed must be a number from 0 to 1, got 2"),
        ({"tail": -1}, OptionError, "tail must be an integer from 0 up, got -1"),
        ({"seed": -1}, OptionError, "seed must be"),
        ({"action_mode": "velocity"}, UnknownNameError, "unknown action_mode 'velocity'"),
        ({"control_hz": 7}, OptionError, "control_hz must divide 500, got 7"),
        ({"max_steps": 0}, OptionError, "max_steps must be an integer from 1 to 1000000000, got 0"),
        ({"perturbations": {"words": "paraphrase_unseen"}}, OptionError, "held out"),
    ],
)
def test_bad_settings_are_named(changes, error, words):
    with pytest.raises(error, match=words):
        CollectionSettings(**{"backends": (BACKENDS[0],), **changes})


def test_the_tail_after_success_is_kept_and_replays(tmp_path):
    """The same episode, and then the expert keeps still; played again it ends in the same state."""
    plain = settings(backends=(BACKENDS[0],), diversity={"height": 0.5})
    with_tail = replace(plain, tail=25)
    for name, asked in (("plain", plain), ("tail", with_tail)):
        assert collect(asked, 1, tmp_path / name).complete
    short, long = (next(iter(Dataset.open(tmp_path / name))) for name in ("plain", "tail"))
    assert long.length == short.length + 25 and short.about["diversity"]["level"] == {"height": 0.5}
    assert np.array_equal(long.actions[: short.length], short.actions) and long.about["verdict"]["success"]
    moved = long.stones[short.length :, :, :3] - long.stones[-1:, :, :3]
    assert np.abs(moved).max() < 1e-4
    dataset = Dataset.open(tmp_path / "tail")
    assert dataset.settings["tail"] == 25 and dataset.settings["stop_on_success"] is False
    (row,) = replay_dataset(dataset, [BACKENDS[0]])
    assert row.success.value == 1 and row.exact == 1


def test_bad_requests_leave_no_folder(tmp_path):
    out = tmp_path / "dataset"
    with pytest.raises(CapabilityError, match="'tic_tac_toe' cannot do stone_amount"):
        collect(settings(task="tic_tac_toe", perturbations={"stone_amount": 2}), 1, out)
    for name in ("episodes", "workers"):
        with pytest.raises(OptionError, match=f"{name} must be an integer from 1 up, got 0"):
            collect(settings(), **{"episodes": 1, "out": out, "workers": 1, name: 0})
    with pytest.raises(OptionError, match="diversity must be a number from 0 to 1 or none, low"):
        diversity_of("wild", VARIETIES)
    with pytest.raises(UnknownNameError, match="kind of diversity 'dance'; valid: correction, curve"):
        diversity_of("high+dance:1", VARIETIES)
    assert diversity_of("high", VARIETIES) == 1.0 and diversity_of("0.3", VARIETIES) == 0.3
    assert diversity_of("speed:high+pause:0.2", VARIETIES) == {"speed": 1.0, "pause": 0.2}
    everything = {name: 0.5 for name in VARIETIES if name != "pause"}
    assert diversity_of("medium+pause:0", VARIETIES) == everything
    assert not out.exists()


def test_what_cannot_be_exported_is_not_collected(tmp_path, capsys):
    words = ["collect", "--split", "ci", "--backend", BACKENDS[0], "--episodes", "1", "--format", "lerobot"]
    words += ["--out", str(tmp_path / "dataset")]
    for wrong, message in (
        (["--cameras", "nose"], "unknown camera 'nose'"),
        (["--image-size", "63"], "must be even, got 63 x 63"),
        (["--image-size", "4"], "8 to 4096 pixels"),
    ):
        assert main([*words, *wrong]) == 2
        assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_line_collects_and_refuses(tmp_path, capsys):
    out = tmp_path / "dataset"
    words = ["collect", "--split", "ci", "--backend", BACKENDS[0], "--out", str(out), "--episodes", "1"]
    assert main([*words, "--json", str(tmp_path / "result.json")]) == 0
    assert "1 demonstrations of place_stone" in capsys.readouterr().out
    assert (tmp_path / "result.json").exists()
    assert main([*words, "--diversity", "0.5"]) == 2
    assert "diversity = 0.0, not 0.5" in capsys.readouterr().err
    assert main([*words, "--format", "zarr"]) == 2
    assert "unknown format 'zarr'; valid: " in capsys.readouterr().err
    assert main([*words, "--perturbations", "wall_texture:unseen"]) == 2
    assert "is held out from training" in capsys.readouterr().err
