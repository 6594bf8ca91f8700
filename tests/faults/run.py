"""Runs under ``shim.c``: does a job again and again, and lets the first, second, third ... write of it fail.

``python -m tests.faults.run JOB FOLDER DATASET STEP``, with the shim; prints how many failed.
"""

import ctypes
import errno
import os
import shutil
import signal
import sys
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from bomb.demonstrations.dataset import Dataset
from bomb.disk.files import write_bytes
from core.errors import BombError
from tests.evaluation.rows import CLEAN, MOVED, episode, error

FAILURES = {"full": errno.ENOSPC, "broken": errno.EIO, "killed": 0}
WATCH_S = 60  # for a child that hangs
SEEDS = range(3)


class Job(ABC):
    """Something that is written, piece by piece."""

    def __init__(self, dataset: Path):
        self.dataset = dataset

    @abstractmethod
    def do(self, folder: Path, told) -> None:
        """Begins or resumes, and calls ``told(piece)`` when a piece is said to be kept."""

    @abstractmethod
    def check(self, folder: Path, told: set) -> None:
        """Raises unless everything that was said to be kept can be read, and nothing else is damaged."""


class Store(Job):
    """A run."""

    def do(self, folder, told):
        from bomb.runs.store import RunStore

        with RunStore.create(folder / "run", {"policy": {"words": "hold"}}, [CLEAN, MOVED]) as store:
            done = {seed for _, seed in store.finished()}
            for seed in SEEDS:
                if seed not in done:
                    store.add(episode(seed=seed), bytes([seed]) * 5000, b"states")
                    told(seed)
            store.add_error(error(seed=9))

    def check(self, folder, told):
        from bomb.runs.store import FILE, RunStore

        if not told and not (folder / "run" / FILE).exists():
            return
        with RunStore.open(folder / "run") as store:
            store.check()
            assert {seed for _, seed in store.finished()} >= told
            for row in store.episodes():
                assert store.series(row.condition, row.seed) == bytes([row.seed]) * 5000


class Demonstrations(Job):
    """A dataset."""

    def do(self, folder, told):
        from bomb.collecting.folder import create_dataset

        whole = Dataset.open(self.dataset)
        settings = {
            name: value for name, value in whole.settings.items() if name not in ("format", "version")
        }
        with create_dataset(folder / "data", settings) as dataset:
            for seed in set(SEEDS) - set(dataset.seeds()):
                write_bytes(dataset.episode_file(seed), whole.episode_file(seed).read_bytes())
                told(seed)

    def check(self, folder, told):
        if not told and not (folder / "data" / "dataset.json").exists():
            return
        dataset = Dataset.open(folder / "data")
        assert set(dataset.seeds()) >= told
        assert all(demonstration.length for demonstration in dataset)


class Export(Job):
    """A LeRobot dataset with pictures that were made up: what is tested is the disk."""

    format, pictures = "lerobot-v2.1", "png"

    def do(self, folder, told):
        import bomb.exports.shards as shards
        from bomb.exports import export
        from bomb.exports.frames import ExportFrame

        class Nothing:
            def close(self):
                pass

        def frames(renderer, demonstration, plan, settings):
            for t in range(plan.length):
                yield ExportFrame(images={"head": np.full((16, 16, 3), t, np.uint8)}, columns={})

        shards.make_renderer, shards.drawn_frames = lambda *args: Nothing(), frames
        done = export(
            self.dataset, self.format, folder / "out", image_size=(16, 16), pictures=self.pictures,
            shard_frames=1, bars=False,
        )  # fmt: skip
        told(done.frames)

    def check(self, folder, told):
        import pyarrow.parquet as pq

        if told:
            rows = sum(pq.read_table(file).num_rows for file in (folder / "out" / "data").rglob("*.parquet"))
            assert {rows} == told


class Videos(Export):
    """The same with videos, in the format that has several episodes per file."""

    format, pictures = "lerobot", "video"

    def check(self, folder, told):
        import av

        super().check(folder, told)
        for file in (folder / "out" / "videos").rglob("*.mp4"):
            with av.open(str(file)) as container:
                assert sum(1 for _ in container.decode(video=0)) == 2


class Rlds(Export):
    """Records of TensorFlow's, which says in its own way what cannot be written."""

    format = "rlds"

    def do(self, folder, told):
        from bomb.exports.rlds import RldsWriter

        RldsWriter.draws_apart = False  # nothing is drawn here
        super().do(folder, told)

    def check(self, folder, told):
        from bomb.exports.rlds import tfds

        if told:
            builder = tfds().builder_from_directory(str(folder / "out" / "bomb_place_stone" / "1.0.0"))
            episodes = builder.as_dataset(split="train", shuffle_files=False)
            assert {sum(len(episode["steps"]) for episode in episodes)} == told


JOBS = {"rlds": Rlds, "store": Store, "demonstrations": Demonstrations, "export": Export, "videos": Videos}


def attempt(job: Job, folder: Path, shim, n: int, how: str) -> tuple[bool, set]:
    """Does the job with its n-th write failing: (whether there was an n-th, what was said to be kept)."""
    told: set = set()
    shim.faults_arm(n, FAILURES[how], str(folder).encode())
    try:
        job.do(folder, told.add)
    except BombError as said:
        assert "\n" not in str(said), said
        return True, told
    finally:
        seen = shim.faults_disarm()
    return seen > n, told


def killed(job: Job, folder: Path, shim, n: int) -> tuple[bool, set]:
    """The same in a child that the n-th write ends."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(WATCH_S)
        shim.faults_arm(n, 0, str(folder).encode())
        job.do(folder, lambda piece: os.write(writer, f"{piece}\n".encode()))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as lines:
        told = {int(line) for line in lines}
    status = os.waitpid(child, 0)[1]
    assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGKILL, f"ended by {os.WTERMSIG(status)}"
    return os.WIFSIGNALED(status), told


def main() -> None:
    name, base, dataset, step = sys.argv[1:]
    job, shim = JOBS[name](Path(dataset)), ctypes.CDLL(None)
    shim.faults_arm.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p]
    shim.faults_disarm.restype = ctypes.c_long
    total = 0
    for offset, how in enumerate(FAILURES):
        # With steps, each way of failing has its own writes.
        n, more = offset * int(step) // len(FAILURES), True
        while more:
            folder = Path(base) / f"{how}{n}"
            folder.mkdir(parents=True)
            more, told = (
                killed(job, folder, shim, n) if how == "killed" else attempt(job, folder, shim, n, how)
            )
            job.check(folder, told)
            job.do(folder, told.add)  # resumed: nothing fails any more
            job.check(folder, told)
            shutil.rmtree(folder)
            total += more
            n += int(step)
    print(total)


if __name__ == "__main__":
    main()
