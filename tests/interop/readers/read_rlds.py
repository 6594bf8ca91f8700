"""Reads a dataset with tensorflow-datasets as OpenVLA's loader does, and stores all that it gave.

python read_rlds.py DATA_DIR NAME OUT.npz
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow_datasets as tfds


def flat(step, prefix=""):
    """The leaves of a step by their paths."""
    for name, value in step.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def main(data_dir, name, out):
    """Both ways to a builder must lead to the same episodes."""
    by_name = tfds.builder(name, data_dir=data_dir)
    builder = tfds.builder_from_directory(os.path.join(data_dir, name, str(by_name.version)))
    assert by_name.info.splits["train"].num_examples == builder.info.splits["train"].num_examples
    stored, lengths, seeds = {}, [], []
    for episode in tfds.as_numpy(by_name.as_dataset(split="train", shuffle_files=False)):
        steps = list(episode["steps"])
        lengths.append(len(steps))
        seeds.append(episode["episode_metadata"]["seed"])
        for step in steps:
            for path, value in flat(step):
                stored.setdefault(path, []).append(value)
    stored = {path: np.array(values) for path, values in stored.items()}
    with open(os.path.join(data_dir, name, str(by_name.version), "dataset_statistics.json")) as file:
        statistics = json.load(file)[name]
    stored["language_instruction"] = np.char.decode(stored["language_instruction"].astype(bytes))
    np.savez(
        out, tfds=tfds.__version__, lengths=lengths, seeds=seeds, statistics=json.dumps(statistics), **stored
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
