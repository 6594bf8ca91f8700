"""Four demonstrations, played in both simulators in turn and drawn once, for all tests of training."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bomb.collecting.collecting import collect
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.settings import CollectionSettings
from bomb.training.building import make_model
from bomb.training.data import statistics_of
from bomb.training.data_recipe import DataRecipe
from bomb.training.keypoint.drawing import draw, drawings_of
from bomb.training.keypoint.recipe import LooksRecipe
from bomb.training.loop import Trainer
from bomb.training.recipe import HeldOutRecipe, ModelRecipe, OptimiserRecipe, Recipe
from bomb.training.saving import begin
from bomb.training.sources import open_sources
from tests.conftest import BACKENDS

torch.set_num_threads(1)
SIDE, EPISODES, EVERY = 32, 4, 12


# How the policies with trainers of their own have demonstrations drawn.
LOOKS = (LooksRecipe(backend="mujoco", perturbations={"camera_orbit": 3, "table_texture": "seen"}),)


@pytest.fixture(scope="session")
def demonstrations(tmp_path_factory) -> Path:
    """A dataset of `bomb collect`."""
    folder = tmp_path_factory.mktemp("demonstrations") / "data"
    collect(CollectionSettings(backends=BACKENDS, split="ci"), EPISODES, folder)
    return folder


@pytest.fixture(scope="session")
def looks(demonstrations, tmp_path_factory) -> Path:
    """The demonstrations in one look each, drawn once for all tests."""
    store = tmp_path_factory.mktemp("looks")
    draw(drawings_of([Dataset.open(demonstrations)], LOOKS), LOOKS, store)
    return store


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    """Where what is drawn is kept, by all tests."""
    return tmp_path_factory.mktemp("store")


def recipe(family: str = "vlm4vla", **changes) -> Recipe:
    """A short training of a tiny model."""
    model = changes.pop("model", {})
    settings = {
        "name": "test",
        "model": ModelRecipe(**{"family": family, "image_size": (SIDE, SIDE), "chunk": 3, **model}),
        "data": DataRecipe(every=EVERY, supersample=1, held_out=1),
        "optimiser": OptimiserRecipe(rate=3e-3),
        "held_out": HeldOutRecipe(every=4, moments=6),
        "steps": 4,
        "batch": 6,
        "save_every": 2,
        "log_every": 1,
    }
    return Recipe(**{**settings, **changes})


@pytest.fixture(scope="session")
def sources(demonstrations, store):
    """Opens the sources of a recipe; what one test has drawn the next one finds."""
    return lambda made: open_sources(made, [demonstrations], store)


@pytest.fixture
def trainer(sources, tmp_path):
    """Makes a trainer, as ``bomb.training.run.train`` does."""

    def make(made: Recipe, out: str = "out", **options) -> Trainer:
        there = sources(made)
        begin(tmp_path / out, made, [source.provenance for source in there])
        texts = [t for s in there for f in s.frames for e in f.episodes for t in e.texts]
        vla = make_model(
            made,
            statistics_of(there, made.model),
            texts=texts,
            control_hz=20,
            trained_on=[s.provenance for s in there],
        )
        return Trainer(vla, there, made, tmp_path / out, **options)

    return make


def changed(made: Recipe, **changes) -> Recipe:
    """A recipe with other entries."""
    return replace(made, **changes)
