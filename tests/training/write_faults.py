"""Runs under ``tests/faults/shim.c``: trains again and again, and lets the n-th write of it fail.

``python -m tests.training.write_faults FOLDER DEMONSTRATIONS STORE EVERY``: prints how many trainings
failed, each at another write, ``EVERY`` apart. Whatever fails is a line of ours, and the same training then
resumes and ends with the same weights.
"""

import ctypes
import errno
import sys
from pathlib import Path

import torch

from bomb.disk.files import WriteError
from bomb.models.checkpoint import Checkpoint
from bomb.training.folders import steps_in
from bomb.training.run import train
from tests.training.conftest import recipe

FINAL = "checkpoints/step_000004"


def weights(folder: Path) -> dict[str, bytes]:
    """The files of the last checkpoint."""
    return {file.name: file.read_bytes() for file in (folder / FINAL).glob("*.safetensors")}


def main(base: Path, demonstrations: Path, store: Path, every: int) -> None:
    """Counts the failures."""
    torch.set_num_threads(1)
    shim, made, failed = ctypes.CDLL(None), recipe(steps=4, save_every=2), 0
    shim.faults_arm.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p]
    shim.faults_disarm.restype = ctypes.c_long
    train(made, [demonstrations], base / "whole", store=store)
    whole = weights(base / "whole")
    assert whole
    more = True
    while more:
        out = base / f"at{failed}"
        shim.faults_arm(failed * every, (errno.ENOSPC, errno.EIO)[failed % 2], str(out).encode())
        try:
            train(made, [demonstrations], out, store=store)
        except WriteError as error:
            assert "\n" not in str(error), error
        finally:
            more = shim.faults_disarm() > failed * every
        for step in steps_in(out, "checkpoints"):
            Checkpoint.load(out / "checkpoints" / f"step_{step:06d}")
        trained, chosen = train(made, [demonstrations], out, store=store)
        assert trained.complete and chosen is not None and weights(out) == whole
        failed += more
    print(failed)


if __name__ == "__main__":
    folder, data, drawn, apart = sys.argv[1:]
    main(Path(folder), Path(data), Path(drawn), int(apart))
