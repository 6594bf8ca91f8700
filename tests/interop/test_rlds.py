"""RLDS written with the extra `rlds`, read by tensorflow-datasets as OpenVLA's loader does.

TensorFlow has an environment of its own. The writer is this project's interpreter with that environment's
packages behind its own; the reader is that environment alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.exports.actions import is_noop
from bomb.rollouts.states import in_layout
from tests.exports.conftest import make_dataset
from tests.interop.conftest import ROOT, run
from tests.interop.readers import openvla_values as made
from tests.interop.test_lerobot import site_packages

READER = Path(__file__).parent / "readers" / "read_rlds.py"
SIZE = (64, 96)
COLUMNS = "target_pixel,occupancy,depth,spans"


@pytest.fixture(scope="module", params=["mujoco", "robotwin"])
def dataset(request, tmp_path_factory) -> Dataset:
    """Two whole episodes."""
    folder = tmp_path_factory.mktemp("interop") / "dataset"
    return make_dataset(folder, episodes=2, backends=(request.param,))


def written(tensorflow: Path, dataset: Dataset, out: Path, *words: str) -> dict[str, np.ndarray]:
    """Exports with the command line, reads with the foreign environment: everything that was read."""
    path = os.pathsep.join([str(ROOT), str(site_packages(tensorflow))])
    command = [
        sys.executable,
        "-m",
        "bomb",
        "export",
        str(dataset.path),
        "--format",
        "rlds",
        "--out",
        str(out),
    ]
    size = f"{SIZE[0]}x{SIZE[1]}"
    answer = subprocess.run(
        [*command, "--image-size", size, "--columns", COLUMNS, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return read(tensorflow, out)


def read(tensorflow: Path, out: Path) -> dict[str, np.ndarray]:
    """Everything that the foreign environment reads."""
    found = out.with_suffix(".npz")
    run(str(tensorflow / "bin" / "python"), str(READER), str(out), "bomb_place_stone", str(found))
    with np.load(found) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.timeout(1800)
def test_every_step_is_read(tensorflow, dataset, tmp_path):
    found = written(tensorflow, dataset, tmp_path / "all")
    demonstrations = list(dataset)
    actions = np.concatenate([d.actions for d in demonstrations])
    states = np.concatenate([d.observations[:-1] for d in demonstrations])
    assert found["lengths"].tolist() == [d.length for d in demonstrations]
    assert found["seeds"].tolist() == [0, 1]
    assert found["action"].shape == (len(actions), 7)
    assert np.array_equal(found["action"][:, [0, 1, 2, 6]], actions) and (found["action"][:, 3:6] == 0).all()
    state = found["observation/state"]
    assert np.array_equal(state, in_layout("open_x", states))  # what a bridge sends at evaluation
    assert np.array_equal(state[:, [0, 1, 2, 7]], states) and (state[:, 3:7] == 0).all()
    renderer = Renderer(
        dataset.settings,
        backend=dataset.settings["backends"][0],
        image_size=SIZE,
        modalities=("rgb", "depth"),
    )
    k = 0
    for demonstration in demonstrations:
        for t, frame in enumerate(renderer.frames(demonstration)):
            assert np.array_equal(found["observation/image"][k], frame["images"]["head"])
            depth = found["annotation/depth_head"][k][..., 0] / 1000
            assert np.abs(depth - frame["depth"]["head"]).max() <= 0.00051
            assert str(found["language_instruction"][k]) == frame["instruction"]
            last = t == demonstration.length - 1
            flags = [bool(found[name][k]) for name in ("is_first", "is_last", "is_terminal")]
            assert flags == [t == 0, last, last]
            assert found["reward"][k] == float(last) and found["discount"][k] == 1.0
            k += 1
    renderer.close()
    statistics = json.loads(str(found["statistics"]))
    assert statistics["action"]["mask"] == [True] * 6 + [False]
    assert statistics["num_transitions"] == len(actions) and statistics["num_trajectories"] == 2
    for name, values in (("action", found["action"]), ("proprio", state)):
        for key, share in (("q01", 0.01), ("q99", 0.99)):
            wanted = np.quantile(values.astype(float), share, axis=0)
            assert np.allclose(statistics[name][key], wanted, atol=1e-6)


@pytest.mark.timeout(1800)
def test_noops_are_left_out_and_jpeg_is_near(tensorflow, tmp_path):
    dataset = make_dataset(tmp_path / "dataset", episodes=2)
    found = written(tensorflow, dataset, tmp_path / "some", "--drop-noops", "--pictures", "jpeg")
    kept = [demonstration.actions[~is_noop(demonstration.actions)] for demonstration in dataset]
    assert found["lengths"].tolist() == [len(actions) for actions in kept]
    assert sum(map(len, kept)) < sum(d.length for d in dataset)
    assert np.array_equal(found["action"][:, [0, 1, 2, 6]], np.concatenate(kept))
    assert not is_noop(found["action"][: len(kept[0]), [0, 1, 2, 6]]).any()
    assert found["is_last"].sum() == 2 and found["is_first"][[0, len(kept[0])]].all()


def test_exports_still_are_what_openvlas_own_loader_read(tensorflow, tmp_path):
    """What it made of them is held by ``tests/integrations/test_openvla_values.py``."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.interop.readers.openvla_export", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site_packages(tensorflow))])},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert answer.returncode == 0, answer.stderr
    values = json.loads((READER.parent / "openvla_values.json").read_text())
    declared = made.digest(made.plain_features(tmp_path / "out"))
    assert declared == values["features"], "make openvla_values.json anew: the layout changed"
    found, episodes = read(tensorflow, tmp_path / "out"), [made.episode(k) for k in range(len(made.LENGTHS))]
    for name, of in (("head", "image"), ("wrist", "wrist_image")):
        assert np.array_equal(found[f"observation/{of}"], np.concatenate([one[name] for one in episodes]))
    states = np.concatenate([one["states"] for one in episodes])
    assert np.array_equal(found["observation/state"], in_layout("open_x", states))
    actions = np.concatenate([one["actions"] for one in episodes])
    assert np.array_equal(found["action"][:, [0, 1, 2, 6]], actions)
