"""A training that is killed while it writes: what is there is whole, and the same command resumes it."""

import os
import signal
import sys
from pathlib import Path

import pytest
import torch

from bomb.models.checkpoint import Checkpoint
from bomb.training.saving import steps_in
from tests.training.conftest import recipe

# What Python does to files below a folder, by the names of its audit events.
CHANGES = ("open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree")
EVERY = 6  # of these changes one is the last
WATCH_S = 120  # for a child that hangs


def killed_at(count: int, folder: Path, train) -> bool:
    """Trains in a child that is killed at its change number ``count`` below ``folder``; whether it was."""
    child = os.fork()
    if not child:
        signal.alarm(WATCH_S)
        torch.set_num_threads(1)
        left, below = count, str(folder)

        def watch(event: str, words: tuple) -> None:
            nonlocal left
            if event not in CHANGES or below not in str(words[0]):
                return
            if event == "open" and not (isinstance(words[1], str) and set(words[1]) & set("wxa+")):
                return
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        status = 1
        try:
            train()
            status = 0
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), f"ended with {status}"
    return status != 0


@pytest.mark.timeout(900)
def test_a_training_that_is_killed_at_any_change_resumes(trainer, tmp_path):
    made = recipe(steps=4, save_every=2)
    trainer(made, "whole").train()
    final = "checkpoints/step_000004"
    whole = {file.name: file.read_bytes() for file in (tmp_path / "whole" / final).glob("*.safetensors")}
    assert whole
    count, kills = 0, 0
    while killed_at(count, (out := tmp_path / f"at{count}"), lambda: trainer(made, out.name).train()):
        for step in steps_in(out, "checkpoints"):
            Checkpoint.load(out / "checkpoints" / f"step_{step:06d}")
        again = trainer(made, out.name)
        assert again.step == max(steps_in(out, "state"), default=0)
        assert again.train().complete
        for name, content in whole.items():
            assert (out / final / name).read_bytes() == content
        assert not list((out / "checkpoints").glob(".*")) and not list((out / "state").glob(".*"))
        count, kills = count + EVERY, kills + 1
    assert kills >= 4
