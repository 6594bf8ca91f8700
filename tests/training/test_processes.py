"""Two processes on one machine, by gloo, train as one does."""

import os
import re
import socket
import subprocess
import sys

import pytest
import yaml

from bomb.training.log import read_log
from tests.conftest import PATIENCE_S
from tests.training.conftest import recipe

pytestmark = pytest.mark.render


def test_two_processes_are_as_one(trainer, sources, demonstrations, store, tmp_path):
    made = recipe(model={"chunk": 20}, steps=3, micro_batch=2)
    sources(made)
    trainer(made, "one").train()
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(made.to_dict()))
    said = run_two(
        *["-m", "bomb", "train", str(file), "--data", str(demonstrations), "--frames", str(store)],
        *["--out", str(tmp_path / "two")],
        ACCELERATE_USE_CPU="true",
    )
    assert "chosen" in said[0] and not said[1].strip()
    one, two = (read_log(tmp_path / out) for out in ("one", "two"))
    assert [(row["kind"], row["step"]) for row in one] == [(row["kind"], row["step"]) for row in two]
    for first, second in zip(one, two, strict=True):
        for name in ("loss", "norm", "mse", "relative"):
            if name in first:
                assert first[name] == pytest.approx(second[name], rel=1e-5)


def run_two(*words: str, **options: str) -> list[str]:
    """What two processes said that know of each other; both must end well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = []
    for rank in ("0", "1"):
        env = {
            **os.environ, "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", **options,
        }  # fmt: skip
        command = [sys.executable, *words]
        processes.append(
            subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
    said = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    return said


def test_weights_that_are_shared_out_come_back_whole():
    """FSDP2 by layer, adapters and tied weights: a step on shares is a step on the whole."""
    said, _ = run_two("-m", "tests.training.sharded", "vlm4vla")
    found = re.search(r"units (\S+); away (\S+); ties (\w+); answers (\S+)", said)
    units, away, ties, answers = found.groups()
    assert "LlamaDecoderLayer" in units and ties == "True"
    assert float(away) < 1e-5 and float(answers) < 1e-4
