"""Runs: kept, taken up again, interrupted, judged again."""

import json

import numpy as np
import pytest

import core
from bomb.evaluation import EvaluationSettings, evaluate
from bomb.files import FileError
from bomb.policies.making import make_policy
from bomb.rescoring import rescore
from bomb.rollout import play, replay
from bomb.runs import RunFolder
from core.errors import ActionError, OptionError, UnknownNameError
from core.policy import Policy
from core.registry import POLICIES

BACKENDS = core.list_backends()


def settings(**changes) -> EvaluationSettings:
    values = {
        "policy": "hold",
        "backend": BACKENDS[0],
        "episodes": 3,
        "seed": 5,
        "max_steps": 3,
        "split": "ci",
    }
    return EvaluationSettings(**{**values, **changes})


class Clumsy(Policy):
    """Raises on odd seeds."""

    def reset(self, instruction: str, seed: int) -> None:
        self.seed = seed

    def act(self, observation: dict) -> np.ndarray:
        if self.seed % 2:
            raise RuntimeError("clumsy")
        return np.array([[0, 0, 0, 1]], dtype=np.float32)


class Impatient(Policy):
    """Ctrl-C arrives in the second episode."""

    def reset(self, instruction: str, seed: int) -> None:
        self.seed = seed

    def act(self, observation: dict) -> np.ndarray:
        if self.seed == 6:
            raise KeyboardInterrupt
        return np.array([[0, 0, 0, 1]], dtype=np.float32)


class Flat(Policy):
    """Returns a bare action instead of a chunk."""

    def reset(self, instruction: str, seed: int) -> None:
        pass

    def act(self, observation: dict) -> np.ndarray:
        return np.zeros(4)


@pytest.fixture
def policies(monkeypatch):
    """Puts the policies of this file beside the registered ones, for one test."""
    ours = {"clumsy": Clumsy, "impatient": Impatient, "flat": Flat}
    load = POLICIES.load
    monkeypatch.setattr(POLICIES, "load", lambda name: ours.get(name) or load(name))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_is_kept_and_taken_up_again(tmp_path, backend):
    first = evaluate(settings(backend=backend), tmp_path / "run")
    assert first["n"] == 3 and first["complete"] and first["success_rate"] == 0.0
    assert first["interval"][0] == 0.0 and sum(first["reasons"].values()) == 3
    json.dumps(first, allow_nan=False)

    run = RunFolder.open(tmp_path / "run")
    assert run.seeds() == [5, 6, 7]
    before = {seed: run.episode_file(seed).stat().st_mtime_ns for seed in run.seeds()}
    again = evaluate(settings(backend=backend, episodes=4), tmp_path / "run")
    assert again["n"] == 4
    assert before == {seed: run.episode_file(seed).stat().st_mtime_ns for seed in before}


def test_a_damaged_episode_is_played_again(tmp_path):
    evaluate(settings(), tmp_path / "run")
    run = RunFolder.open(tmp_path / "run")
    whole = run.episode_file(6).read_bytes()
    run.episode_file(6).write_bytes(whole[:100])
    with pytest.raises(FileError, match="episode_000006"):
        run.load(6)
    assert evaluate(settings(), tmp_path / "run")["n"] == 3
    assert run.load(6).about["seed"] == 6


def test_other_settings_are_refused_by_name(tmp_path):
    evaluate(settings(), tmp_path / "run")
    with pytest.raises(OptionError, match="max_steps = 3, not 4"):
        evaluate(settings(max_steps=4), tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("dear")
    with pytest.raises(FileError, match="holds no run"):
        evaluate(settings(), tmp_path / "other")
    with pytest.raises(FileError, match="does not exist"):
        RunFolder.open(tmp_path / "nothing")


def test_a_wrong_name_leaves_no_folder(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown backend 'bullet'"):
        evaluate(settings(backend="bullet"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_error_of_the_policy_is_no_failure_of_its_hand(tmp_path, policies):
    result = evaluate(settings(policy="clumsy"), tmp_path / "run")
    assert result["n"] == 1 and not result["complete"]
    assert result["errors"] == {"5": "RuntimeError: clumsy", "7": "RuntimeError: clumsy"}
    assert "Traceback" in RunFolder.open(tmp_path / "run").error_file(5).read_text()


def test_an_interrupted_run_is_usable(tmp_path, policies):
    result = evaluate(settings(policy="impatient"), tmp_path / "run")
    assert result["n"] == 1 and not result["complete"]
    assert RunFolder.open(tmp_path / "run").seeds() == [5]


def test_a_bare_action_is_refused(policies):
    env = core.make_task(backend=BACKENDS[0], cameras=(), max_steps=3)
    with pytest.raises(ActionError, match=r"Flat.act must return .* got \(4,\)"):
        play(env, make_policy("flat"), seed=1)
    env.close()


def test_rescoring_gives_the_same_verdicts_and_stricter_ones(tmp_path):
    evaluate(settings(policy="expert", episodes=2, max_steps=300), tmp_path / "run")
    run = RunFolder.open(tmp_path / "run")
    same = rescore(run)
    assert same.identical and not same.changed and same.before == same.after
    assert same.after.value == 1.0
    strict = rescore(run, {"distance": 1e-6})
    assert strict.after.value == 0.0
    assert strict.changed == {5: ("success", "beyond_tolerance"), 6: ("success", "beyond_tolerance")}
    assert strict.tolerances["distance"] == 1e-6


def test_replaying_the_actions_gives_the_same_episode():
    env = core.make_task(backend=BACKENDS[0], cameras=(), max_steps=40, split="ci")
    played = play(env, make_policy("expert"), seed=5)
    again = replay(env, 5, played.record.actions)
    env.close()
    assert again.record.to_bytes() == played.record.to_bytes()


@pytest.mark.parametrize(
    ("name", "value"), [("episodes", 0), ("episodes", 2.5), ("seed", -1), ("seed", True)]
)
def test_bad_settings_are_named(name, value):
    with pytest.raises(OptionError, match=name):
        settings(**{name: value})
