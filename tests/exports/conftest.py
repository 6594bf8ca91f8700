"""Small datasets: a few short pieces of the expert's episodes, and one whole episode."""

from pathlib import Path

import pytest

import core
from bomb.collecting.folder import create_dataset
from bomb.collecting.recording import record_episode
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.demonstrations.settings import CollectionSettings
from bomb.disk.files import write_bytes
from bomb.policies.expert import Expert
from tests.conftest import BACKENDS

SIZE = (32, 48)


def make_dataset(path: Path, *, episodes: int, steps: int | None = None, **options) -> Dataset:
    """Episodes of the expert on the split ``ci``; with ``steps`` they are broken off after so many."""
    settings = CollectionSettings(**{"backends": ("mujoco",), "split": "ci", "held_out": (), **options})
    (backend,) = settings.backends
    env = core.make_task(
        settings.task,
        backend=backend,
        cameras=(),
        split=settings.split,
        action_mode=settings.action_mode,
        perturbations=settings.perturbations,
        max_steps=steps,
        stop_on_success=True,
    )
    with create_dataset(path, {**settings.to_dict(), "episodes": episodes}) as dataset:
        for seed in range(episodes):
            write_bytes(dataset.episode_file(seed), record_episode(env, Expert(), seed).to_bytes())
    env.close()
    return dataset


@pytest.fixture(scope="session")
def short(tmp_path_factory) -> Dataset:
    """Three pieces of six frames each, in MuJoCo."""
    return make_dataset(tmp_path_factory.mktemp("short") / "dataset", episodes=3, steps=6)


@pytest.fixture(scope="session", params=BACKENDS)
def whole(request, tmp_path_factory) -> Dataset:
    """One successful episode, in each engine."""
    return make_dataset(tmp_path_factory.mktemp("whole") / "dataset", episodes=1, backends=(request.param,))


@pytest.fixture(scope="session")
def drawn(short) -> list[dict]:
    """What the renderer gives for every frame of ``short``: head and wrist at ``SIZE``, colour and depth."""
    renderer = Renderer(
        short.settings,
        backend="mujoco",
        cameras=("head", "wrist"),
        image_size=SIZE,
        modalities=("rgb", "depth"),
    )
    frames = [frame for demonstration in short for frame in renderer.frames(demonstration)]
    renderer.close()
    return frames
