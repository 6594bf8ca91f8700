"""Which folders are read, under which names, and what a run says of its policy."""

import pytest

from bomb.disk.files import FileError
from bomb.report.loading import load_runs
from core.errors import OptionError
from tests.report.stores import condition, make_run

CLEAN = [condition()]


def run(path, **options):
    return make_run(path, lambda where, seed: True, conditions=CLEAN, seeds=range(3), **options)


def test_names_are_as_long_as_it_takes(tmp_path):
    paths = [run(tmp_path / name) for name in ("a/x", "b/x", "b/y")]
    assert [r.name for r in load_runs(paths)] == ["a/x", "b/x", "b/y"]
    assert [r.name for r in load_runs(paths[1:])] == ["x", "y"]


def test_everything_is_read(tmp_path):
    (loaded,) = load_runs([run(tmp_path / "x", policy="mute( clever )", parameters=7)])
    assert list(loaded.episodes["place_stone|mujoco|clean"]) == [0, 1, 2]
    assert loaded.wrapped == ("mute", "clever") and loaded.describe["parameters"] == 7
    assert not loaded.is_expert and loaded.trained is None


@pytest.mark.parametrize(
    ("datasets", "trained"),
    [
        ([{"split": "train"}], "clean"),
        ([{"split": "train", "perturbations": "clean"}], "clean"),
        ([{"split": "train", "perturbations": {}}], "clean"),
        ([{"split": "train"}, {"split": "train", "perturbations": {"bomb": 3}}], "perturbed"),
        ([], None),
    ],
)
def test_what_a_policy_was_trained_on(tmp_path, datasets, trained):
    (loaded,) = load_runs([run(tmp_path / "x", trained_on=datasets)])
    assert loaded.trained == trained


def test_the_expert_is_known_by_its_words(tmp_path):
    words = ["expert", "noisy_expert(0.01)", "blind(expert)"]
    runs = load_runs([run(tmp_path / str(k), policy=policy) for k, policy in enumerate(words)])
    assert [r.is_expert for r in runs] == [True, False, False]


def test_wrong_folders_are_named(tmp_path):
    there = run(tmp_path / "x")
    with pytest.raises(OptionError, match="given twice"):
        load_runs([there, tmp_path / "x" / ".." / "x"])
    with pytest.raises(OptionError, match="at least one run"):
        load_runs([])
    with pytest.raises(FileError, match="nowhere"):
        load_runs([there, tmp_path / "nowhere"])
