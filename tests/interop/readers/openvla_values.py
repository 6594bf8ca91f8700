"""What OpenVLA's own loader makes of an RLDS export, with the configuration that docs/exports.md gives.

``python -m tests.interop.readers.openvla_export DIR`` writes the export. Then, with a checkout of OpenVLA and
one of dlimp_openvla, ``PYTHONPATH=OPENVLA:DLIMP python openvla_values.py DIR openvla_values.json`` in an
environment with tensorflow, tensorflow-datasets, rich and, without its dependencies, tensorflow-graphics.
Nothing of BOMB is imported: the page is read as text.
"""

import hashlib
import importlib.util
import json
import re
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[3] / "docs" / "exports.md"
NAME = "bomb_place_stone"
SIZE = (16, 24)
LENGTHS = (5, 6, 7, 8)


def block() -> str:
    """What the page gives for OpenVLA's ``configs.py`` and ``transforms.py``."""
    every = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (code,) = [code for code in every if "OXE_DATASET_CONFIGS" in code]
    return code


def digest(text: str) -> str:
    """Of the block, or of the features: other ones need other values."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain_features(folder: Path) -> str:
    """The features that an export declares, in one order."""
    (file,) = folder.glob(f"{NAME}/*/features.json")
    return json.dumps(json.loads(file.read_text()), sort_keys=True)


def episode(k: int) -> dict:
    """States, float32[T, 4], and actions, float32[T, 4], of BOMB; pictures of two cameras; words."""
    draw, length = np.random.default_rng(k), LENGTHS[k]
    states = draw.uniform([0.2, -0.2, 0.0, 0.0], [0.6, 0.2, 0.4, 1.0], (length, 4)).astype(np.float32)
    actions = draw.uniform([-1, -1, -1, 0], 1, (length, 4)).astype(np.float32)
    actions[:, 3] = actions[:, 3].round()
    pictures = {
        camera: draw.integers(0, 256, (length, *SIZE, 3), dtype=np.uint8) for camera in ("head", "wrist")
    }
    return {"states": states, "actions": actions, **pictures, "words": f"Put the black stone on row {k}."}


def about(pictures: np.ndarray) -> list:
    """Shape, kind and sum."""
    return [list(pictures.shape), str(pictures.dtype), int(pictures.astype(int).sum())]


def register(folder: Path) -> None:
    """Runs the block from a file: OpenVLA reads a transform's source."""
    file = folder / "bomb_for_openvla.py"
    file.write_text(block())
    spec = importlib.util.spec_from_file_location("bomb_for_openvla", file)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def main(data_dir: str, out: str) -> None:
    """Loads as ``RLDSDataset`` does, and once more with states and every camera."""
    # The package's own __init__ imports its models, which need more than the loader does.
    for name in ("prismatic", "prismatic.vla", "prismatic.vla.datasets"):
        package = types.ModuleType(name)
        package.__path__ = [str(Path(entry, *name.split("."))) for entry in sys.path if entry]
        sys.modules[name] = package
    from prismatic.vla.datasets.rlds import make_interleaved_dataset, make_single_dataset
    from prismatic.vla.datasets.rlds.oxe import get_oxe_dataset_kwargs_and_weights
    from prismatic.vla.datasets.rlds.utils.data_utils import NormalizationType

    def asked(**more):
        kwargs, weights = get_oxe_dataset_kwargs_and_weights(
            Path(data_dir),
            [(NAME, 1.0)],
            load_depth=False,
            load_language=True,
            action_proprio_normalization_type=NormalizationType.BOUNDS_Q99,
            **more,
        )
        return kwargs, weights

    steps = {"window_size": 1, "future_action_window_size": 0, "skip_unlabeled": True}
    frames = {"resize_size": SIZE, "num_parallel_calls": 2}
    with tempfile.TemporaryDirectory() as folder:
        register(Path(folder))
        (whole,), _ = asked(load_camera_views=("primary", "wrist"), load_proprio=True)
        dataset, _, statistics = make_single_dataset(
            whole, train=True, traj_transform_kwargs=steps, frame_transform_kwargs=frames
        )
        seen = []
        for moments in dataset.as_numpy_iterator():
            (words,) = set(moments["task"]["language_instruction"])
            observation = moments["observation"]
            seen.append(
                {
                    "words": words.decode(),
                    "action": moments["action"][:, 0].tolist(),
                    "proprio": observation["proprio"][:, 0].tolist(),
                    "primary": about(observation["image_primary"][:, 0]),
                    "wrist": about(observation["image_wrist"][:, 0]),
                }
            )
        kwargs, weights = asked(load_camera_views=("primary",), load_proprio=False)
        trained, length, _ = make_interleaved_dataset(
            dataset_kwargs_list=kwargs,
            sample_weights=weights,
            traj_transform_kwargs={**steps, "goal_relabeling_strategy": "uniform"},
            frame_transform_kwargs=frames,
            shuffle_buffer_size=16,
            balance_weights=True,
            traj_transform_threads=1,
            traj_read_threads=1,
            train=True,
        )
        item = next(trained.as_numpy_iterator())
    result = {
        "page": digest(block()),
        "features": digest(plain_features(Path(data_dir))),
        "episodes": sorted(seen, key=lambda one: one["words"]),
        "statistics": {
            name: {key: np.asarray(values).tolist() for key, values in statistics[name].items()}
            for name in ("action", "proprio")
        },
        "counts": [int(statistics["num_transitions"]), int(statistics["num_trajectories"]), int(length)],
        "item": {
            "dataset_name": item["dataset_name"].decode(),
            "action": list(item["action"].shape),
            "image_primary": [*item["observation"]["image_primary"].shape],
            "words": item["task"]["language_instruction"].decode(),
        },
    }
    Path(out).write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
