"""Reading frames while learning: how many a second come out of the store, and what memory it takes.

The store is made up of random pictures, written once and read in the random order of a training, without
augmentation and without a model. With ``--sparse`` the pictures take no room on the disk: for memory at
100,000 frames, not for speed.

    python -m benchmarks.training_reading --frames 6000
    python -m benchmarks.training_reading --frames 100000 --sparse
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.reset_and_memory import resident_mb
from bomb.disk.files import write_json
from bomb.training.data import SampleReader
from bomb.training.data_recipe import DataRecipe
from bomb.training.episodes import (
    FORMAT,
    MARKER,
    VERSION,
    Episode,
    Frames,
    MomentFile,
    picture_file,
    write_episode,
)
from bomb.training.recipe import ModelRecipe, Recipe
from bomb.training.sampler import Phase, Sampler
from bomb.training.sources import make_source

LENGTH = 150  # moments of an episode, about the expert's
BATCH = 32


def made_up(folder: Path, episodes: int, side: int, *, sparse: bool) -> Frames:
    """A store of episodes of one camera."""
    draw = np.random.default_rng(0)
    folder.mkdir()
    write_json(folder / MARKER, {"format": FORMAT, "version": VERSION})
    for number in range(episodes):
        shape = (LENGTH, 1, side, side, 3)
        if sparse:
            np.lib.format.open_memmap(picture_file(folder, number), "w+", np.uint8, shape)
        else:
            pictures = MomentFile(picture_file(folder, number), shape, np.uint8)
            for _ in range(LENGTH):
                pictures.add(draw.integers(0, 256, shape[1:], dtype=np.uint8))
            pictures.close(whole=True)
        rows = np.arange(LENGTH)
        write_episode(
            folder,
            Episode(
                number=number, rows=rows, texts=("place the black stone at row 1, column 2",), swapped=("",),
                states=np.zeros((LENGTH, 4), np.float32), asked=np.zeros(LENGTH, np.int64),
                actions=draw.uniform(-1, 1, (LENGTH, 4)).astype(np.float32),
                ends=np.full(LENGTH, LENGTH), stages=np.zeros(LENGTH, np.int8),
                cells=np.ones((LENGTH, 2), np.int64), targets=np.zeros((LENGTH, 1, 3), np.float32),
                occupancy=np.zeros((LENGTH, 25), np.int8),
            ),
        )  # fmt: skip
    return Frames(folder)


def main() -> None:
    """Writes, reads, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=6000)
    parser.add_argument("--side", type=int, default=224, help="pixels")
    parser.add_argument("--sparse", action="store_true", help="pictures that take no room on the disk")
    args = parser.parse_args()
    episodes = max(2, args.frames // LENGTH)
    with tempfile.TemporaryDirectory() as work:
        frames = made_up(Path(work) / "store", episodes, args.side, sparse=args.sparse)
        numbers = list(range(episodes))
        source = make_source(
            name="made up", frames=[frames], held=numbers[:1], learned=numbers[1:], provenance={}
        )
        model = ModelRecipe(family="vlm4vla", image_size=(args.side, args.side), chunk=10)
        reader = SampleReader([source], Recipe(name="reading", model=model, data=DataRecipe()))
        sampler = Sampler([len(source.learned)], [Phase(first=0, weights=(1.0,))], 0)
        reader.learned(sampler.batch(BATCH))
        before, begun, cpu, read = resident_mb(), time.perf_counter(), time.process_time(), 0
        for _ in range(len(source.learned) // BATCH):
            read += len(reader.learned(sampler.batch(BATCH)))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        print(
            f"{read} frames of {args.side} x {args.side}: {read / seconds:.0f} a second, {read / cpu:.0f} a "
            f"CPU-second; resident memory {before:.0f} -> {resident_mb():.0f} MB "
            f"(mapped pages of the disk's cache included)"
        )


if __name__ == "__main__":
    main()
