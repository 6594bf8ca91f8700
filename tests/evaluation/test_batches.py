"""A policy in a process of its own, asked by all workers."""

import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from bomb.evaluation.settings import ExecutionSettings
from bomb.evaluation.workers.policy_client import PolicyClient
from bomb.evaluation.workers.policy_process import PolicyProcess
from bomb.rollouts.rollout import play
from core.errors import ConventionError, OptionError, PolicyConnectionError, PolicyError
from core.policy import BatchPolicy
from tests.evaluation.conftest import settings
from tests.evaluation.policies import HERE, Batched


def test_what_a_policy_says_does_not_depend_on_the_batch(run, tmp_path, make_env):
    asked = settings(f"Batched({str(tmp_path)!r}, 0.02)", episodes=6, max_steps=40)
    result, store = run(asked, workers=2, batch_wait_ms=1000.0)
    assert result["complete"] and store.settings()["policy"]["describe"]["parameters"] == 7
    sizes = [int(line) for line in (tmp_path / "batches").read_text().split()]
    assert max(sizes) > 1  # workers do share
    env, alone = make_env(asked.backends[0], max_steps=40), Batched(str(tmp_path))
    for row in store.episodes():
        played = play(env, alone, row.seed).record
        assert np.array_equal(store.record(row.condition, row.seed).actions, played.actions)


def test_a_bad_request_costs_the_others_nothing(run, tmp_path):
    _, store = run(settings(f"Batched({str(tmp_path)!r})", episodes=4, seed=97), workers=2)
    assert sorted(row.seed for row in store.episodes()) == [97, 98, 100]
    (error,) = store.errors()
    assert (error.seed, error.kind, error.step) == (99, "policy", 0) and "ValueError" in error.message


class Endless(BatchPolicy):
    def infer(self, requests):
        return [np.full((2, 4), np.inf, np.float32) for _ in requests]


def test_a_wrong_answer_is_told_with_the_name_that_was_given(run):
    words = "tests.evaluation.test_batches:Endless"
    _, store = run(replace(settings(episodes=1), policy=words))
    (error,) = store.errors()
    assert error.message.startswith(f"{words}.act must return") and error.value == "inf in action 0, entry 0"


class OwnConventionError(ConventionError):
    pass


class Unconventional(BatchPolicy):
    def infer(self, requests):
        raise OwnConventionError("the policy was trained at 10 Hz", value="10 Hz")


def test_an_error_of_the_policy_is_of_the_same_kind_as_beside_the_environment(run):
    words = "tests.evaluation.test_batches:Unconventional"
    _, store = run(replace(settings(episodes=3), policy=words))
    (error,) = store.errors()  # hopeless: no second episode is tried
    assert (error.message, error.value, error.step) == ("the policy was trained at 10 Hz", "10 Hz", 0)


@pytest.mark.render
def test_pictures_reach_the_policy(run, tmp_path):
    asked = settings("Looking", episodes=1, cameras=("head",), image_size=(32, 48))
    _, store = run(asked)
    (row,) = store.episodes()
    assert store.record(row.condition, row.seed).actions[0, 0] > 0.05  # it says how bright the picture was


class Declared(BatchPolicy):
    cameras, image_size, modalities = ("wrist",), (16, 24), ("depth", "rgb")

    def infer(self, requests):
        shapes = {
            (*seen["depth"], *seen["images"], seen["images"]["wrist"].shape)
            for seen in (request.observation for request in requests)
        }
        if shapes != {("wrist", "wrist", (16, 24, 3))}:
            raise ValueError(f"was shown {shapes}")
        return [np.zeros((2, 4), np.float32) for _ in requests]


@pytest.mark.render
def test_a_policy_is_shown_what_it_declares(run):
    words = "blind(tests.evaluation.test_batches:Declared)"  # what is inside of a wrapper decides
    result, store = run(replace(settings(episodes=1, max_steps=2), policy=words, cameras=None))
    assert result["complete"] and store.settings()["policy"]["describe"]["image_size"] == [16, 24]
    assert [store.settings()[name] for name in ("cameras", "image_size", "modalities")] == [
        ["wrist"], [16, 24], ["depth", "rgb"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cameras": ("head", "front")}, "looks through wrist, and is not shown wrist"),
        ({"image_size": (24, 24)}, "looks at pictures of 16 x 24 pixels, and is shown 24 x 24 pixels"),
        ({"modalities": ("rgb",)}, "looks at depth and rgb, and is not shown depth"),
    ],
)
def test_what_a_policy_does_not_look_at_is_refused_before_anything_is_played(run, tmp_path, changes, said):
    words = "tests.evaluation.test_batches:Declared"
    with pytest.raises(ConventionError, match=said):
        run(replace(settings(), policy=words, **{"cameras": None, **changes}))
    assert not (tmp_path / "run").exists()


class Privileged(BatchPolicy):
    privileged = True

    def infer(self, requests):
        raise AssertionError("a policy that needs the truth was asked in the policy process")


def test_what_needs_the_truth_stays_in_the_workers():
    process = PolicyProcess("tests.evaluation.test_batches:Privileged", ExecutionSettings())
    assert process.address is None and process.about.privileged
    process.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"{HERE}:Batched(3, 4, 5, 6)", "cannot be made"),
        (f"{HERE}:Batched('/nowhere')", "FileNotFoundError"),
        ("tests.evaluation.test_batches:Exits", "ended with status 3"),
    ],
)
def test_a_policy_that_cannot_be_made_is_said_at_once(words, said):
    with pytest.raises(OptionError, match=said):
        PolicyProcess(words, ExecutionSettings())


class Exits(Batched):
    """Ends its process when it is made; with a file, from when the file is there."""

    def __init__(self, file: str | None = None):
        if file is None or os.path.exists(file):
            os._exit(3)
        super().__init__(os.path.dirname(file))


def test_a_policy_process_that_keeps_dying_is_given_up(tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    process = PolicyProcess(f"tests.evaluation.test_batches:Exits({str(broken)!r})", ExecutionSettings())
    try:
        broken.touch()
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(PolicyError, match="3 times in a row"):
            while True:
                process.check()
                time.sleep(0.02)
    finally:
        process.close()


def test_a_lost_process_is_an_error_with_a_step(tmp_path, monkeypatch):
    process = PolicyProcess(f"{HERE}:Batched({str(tmp_path)!r})", ExecutionSettings())
    client = PolicyClient(process.address, 60.0, "Batched")
    client.reset("", 5)
    answer = client.act({"state": np.zeros(4)}, step=2)
    assert np.array_equal(answer, Batched(str(tmp_path)).infer_one(5, 2))
    process.close()
    with pytest.raises(PolicyConnectionError, match="went away at step 3"):
        client.act({"state": np.zeros(4)}, step=3)
    client.close()
