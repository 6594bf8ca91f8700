"""Exports read by lerobot's own readers: v2.1 by 0.3.2, v3.0 by 0.4.4, each in an environment of its own.

Both pin torch below what runs here, so they are installed without their dependencies, on one environment that
has what their readers import; `readers/read_lerobot.py` says what stands in for torchvision's compiled half.
"""

import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.exports import export
from tests.exports.conftest import make_dataset
from tests.interop.conftest import run

READER = Path(__file__).parent / "readers" / "read_lerobot.py"
# What the readers import, at the versions that 0.4.4 asks for where they can be had.
SHARED = (
    *("torch==2.13.0", "numpy==2.2.6", "datasets==4.8.5", "huggingface-hub<0.36", "av==15.1.0", "pillow"),
    *("draccus==0.10.0", "jsonlines", "termcolor", "einops<0.9", "packaging<26", "deepdiff<9", "imageio"),
    *("safetensors", "psutil", "pyyaml"),
)
# Beside lerobot, without dependencies. The reader of v2.1 knows `datasets` 3 only.
OWN = {
    "lerobot-v2.1": ("lerobot==0.3.2", "datasets==3.6.0"),
    "lerobot": ("lerobot==0.4.4", "accelerate<2"),
}
SIZE = (64, 96)
COLUMNS = ("target_pixel", "occupancy", "stone_pixels", "intrinsics", "extrinsics", "depth", "spans")
# Of decoded videos against what was drawn: mean and 99th percentile of the absolute difference, in 1/255.
CODEC_MEAN, CODEC_P99 = 4.0, 24.0


def site_packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python3*/site-packages")
    return found


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """The environment with everything but lerobot."""
    folder = tmp_path_factory.mktemp("lerobot") / "shared"
    venv.create(folder, with_pip=True)
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet")
    run(*pip, *SHARED)
    run(*pip, "--no-deps", "torchvision==0.28.0")
    return folder


@pytest.fixture(scope="session")
def readers(shared, tmp_path_factory) -> dict[str, Path]:
    """The Python of each lerobot by the format that it reads."""
    made = {}
    for format, packages in OWN.items():
        folder = tmp_path_factory.mktemp(format) / "venv"
        venv.create(folder)
        pip = (str(shared / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps")
        run(*pip, "--target", str(site_packages(folder)), *packages)
        (site_packages(folder) / "shared.pth").write_text(f"{site_packages(shared)}\n")
        made[format] = folder / "bin" / "python"
    return made


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Two whole episodes and what their renderer gives."""
    return make_dataset(tmp_path_factory.mktemp("interop") / "dataset", episodes=2, backends=("robotwin",))


@pytest.fixture(scope="module")
def drawn(dataset) -> list[dict]:
    renderer = Renderer(
        dataset.settings, backend="robotwin", image_size=SIZE, modalities=("rgb", "depth"), cameras=("head",)
    )
    frames = [frame for demonstration in dataset for frame in renderer.frames(demonstration)]
    renderer.close()
    return frames


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("format", "pictures", "version"),
    [("lerobot-v2.1", "png", "0.3.2"), ("lerobot", "png", "0.4.4"), ("lerobot", "video", "0.4.4"),
     ("lerobot-v2.1", "video", "0.3.2")],
)  # fmt: skip
def test_every_frame_is_read(readers, dataset, drawn, tmp_path, format, pictures, version):
    options = {"image_size": SIZE, "pictures": pictures, "columns": COLUMNS, "shard_frames": 60}
    export(dataset.path, format, tmp_path / "export", bars=False, **options)
    out = tmp_path / "read.npz"
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub"), "PATH": "/usr/bin:/bin"}
    command = [str(readers[format]), str(READER), str(tmp_path / "export"), str(out)]
    answer = subprocess.run(command, env=offline, capture_output=True, text=True, timeout=900)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    with np.load(out) as archive:
        found = {name: archive[name] for name in archive.files}

    demonstrations = list(dataset)
    actions = np.concatenate([d.actions for d in demonstrations])
    assert str(found["lerobot"]) == version
    assert str(found["version"]) == {"lerobot-v2.1": "v2.1", "lerobot": "v3.0"}[format]
    assert np.array_equal(found["action"], actions)
    states = np.concatenate([d.observations[:-1] for d in demonstrations])
    assert np.array_equal(found["observation.state"], states)
    assert found["task"].tolist() == [frame["instruction"] for frame in drawn]
    assert found["index"].tolist() == list(range(len(drawn)))
    lengths = [d.length for d in demonstrations]
    assert found["episode_index"].tolist() == np.repeat([0, 1], lengths).tolist()
    seen = np.stack([frame["images"]["head"] for frame in drawn]).astype(int)
    difference = np.abs(found["observation.images.head"].astype(int) - seen)
    if pictures == "png":
        assert difference.max() == 0
    else:
        print(f"{format} video: mean {difference.mean():.2f}, p99 {np.percentile(difference, 99):.0f}")
        assert difference.mean() < CODEC_MEAN and np.percentile(difference, 99) < CODEC_P99
    depth = np.stack([frame["depth"]["head"] for frame in drawn])
    assert np.abs(found["observation.depth.head"][:, 0] / 1000 - depth).max() <= 0.00051
    assert found["annotation.occupancy"].shape == (len(drawn), 25)
    check_chunks(found, lengths)
    check_statistics(found, actions, quantiles=format == "lerobot")


def check_chunks(found: dict, lengths: list[int]) -> None:
    """What openpi's loader asks for: the next eight actions, the last one repeated and marked at the end."""
    first = 0
    for length in lengths:
        for k in range(length):
            wanted = [first + min(k + j, length - 1) for j in range(8)]
            assert np.array_equal(found["chunks"][first + k], found["action"][wanted])
            assert found["chunks_is_pad"][first + k].tolist() == [k + j >= length for j in range(8)]
        first += length


def check_statistics(found: dict, actions: np.ndarray, *, quantiles: bool) -> None:
    """Of v3.0 exact, also the quantiles; of v2.1 as its reader adds up those of the episodes."""
    assert np.allclose(found["stats/action/mean"], actions.mean(axis=0), atol=1e-5)
    assert np.allclose(found["stats/action/std"], actions.std(axis=0), atol=1e-5)
    assert found["stats/observation.images.head/mean"].shape == (3, 1, 1)
    if quantiles:
        wanted = np.quantile(actions.astype(float), 0.99, axis=0)
        assert np.allclose(found["stats/action/q99"], wanted, atol=1e-6)
