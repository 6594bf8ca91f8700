"""Auxiliary objectives: right labels, right losses, every family, dropped when the model plays."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bomb.models.anatomy import PictureGrid
from bomb.models.batches import Batch, Layout
from bomb.models.checkpoint import Checkpoint
from bomb.models.registry import FAMILIES
from bomb.models.requests import Request
from bomb.models.testing.questions import TEXTS, tiny
from bomb.training.augmentation import augmented, moved_points
from bomb.training.auxiliary import FILE, Auxiliary, patch_of
from bomb.training.auxiliary_recipe import OBJECTIVES, AuxiliaryRecipe
from bomb.training.data import TrainingSamples
from bomb.training.learner import Learner, Lesson
from bomb.training.log import read_log
from bomb.training.recipe import AugmentationRecipe, OptimiserRecipe
from bomb.training.saving import CHECKPOINTS, step_folder
from core.errors import OptionError, UnknownNameError
from tests.training.conftest import changed, recipe

ALL = AuxiliaryRecipe(**dict.fromkeys(OBJECTIVES, 1.0), width=16)
pytestmark = pytest.mark.render


def test_a_pixel_lies_in_a_patch():
    grid = PictureGrid(rows=2, cols=4)
    assert [patch_of(u, v, grid, (64, 64)) for u, v in ((0, 0), (63, 0), (17, 40), (0, 63))] == [0, 3, 5, 4]
    assert patch_of(64, 0, grid, (64, 64)) is None and patch_of(0, -1, grid, (64, 64)) is None
    middle = PictureGrid(rows=2, cols=2, box=(0.25, 0.25, 0.75, 0.75))
    assert patch_of(10, 32, middle, (64, 64)) is None and patch_of(33, 17, middle, (64, 64)) == 1


def test_points_move_with_the_picture():
    how = AugmentationRecipe(crop=0.6, rotate=20.0)
    seen = 0
    for k in range(12):
        picture = np.zeros((60, 80, 3), dtype=np.uint8)
        u, v = 3 + 6 * k, 3 + 5 * k
        picture[v - 1 : v + 2, u - 1 : u + 2] = 255
        request = Request(pictures={"head": picture}, instruction="x", state=np.zeros(4, np.float32))
        after = augmented(request, how, seed=(5, k)).pictures["head"][..., 0].astype(float)
        points = np.array([[u, v, 1.0]], dtype=np.float32)
        ((there_u, there_v, in_view),) = moved_points(points, ("head",), (60, 80), how, seed=(5, k))
        near_edge = min(there_u, 80 - there_u, there_v, 60 - there_v) < 3
        if in_view:
            seen += 1
        if in_view and not near_edge:
            rows, columns = np.nonzero(after > 100)
            weights = after[rows, columns]
            assert abs(np.average(columns, weights=weights) - there_u) < 1.5
            assert abs(np.average(rows, weights=weights) - there_v) < 1.5
        elif not near_edge:
            assert not (after > 200).any()
    assert 3 < seen < 12
    still = moved_points(points, ("wrist",), (60, 80), how, seed=(5, 0))
    np.testing.assert_array_equal(still, points)


def made_up(count: int, *, layouts=None, seed: int = 0) -> TrainingSamples:
    """Questions about targets that are all over the picture and the board."""
    draw = np.random.default_rng(seed)
    cells = draw.permutation(25)[:count]
    pictures = draw.integers(0, 255, (count, 64, 64, 3), dtype=np.uint8)
    requests = [
        Request(pictures={"head": p}, instruction=TEXTS[k % 3], state=np.zeros(4, np.float32))
        for k, p in enumerate(pictures)
    ]
    targets = np.concatenate([draw.uniform(1, 63, (count, 1, 2)), np.ones((count, 1, 1))], 2)
    return TrainingSamples(
        requests=requests,
        actions=draw.uniform(-1, 1, (count, 1, 4)).astype(np.float32),
        valid=np.ones((count, 1), dtype=bool),
        seeds=[(0, k) for k in range(count)],
        stages=np.zeros(count, dtype=np.int8),
        names=[str(k) for k in range(count)],
        swapped=[TEXTS[(k + 1) % 3] for k in range(count)],
        labels={
            "cells": np.stack([cells // 5, cells % 5], 1), "targets": targets.astype(np.float32),
            "occupancy": draw.integers(0, 3, (count, 25)).astype(np.int8),
        },
    )  # fmt: skip


def test_a_family_whose_stream_has_no_patches_is_refused():
    """`small` has pictures and words beside each other; what it is to know it says in metres itself."""
    vla = tiny("small", chunk=6, cameras=("head", "wrist"), image_size=(128, 128))
    with pytest.raises(UnknownNameError, match="stream 'language'; valid: reader"):
        Auxiliary(vla, ALL)


@pytest.mark.parametrize("family", [name for name in FAMILIES.names() if name != "small"])
def test_every_family_has_every_objective(family):
    vla, samples = tiny(family), made_up(3)
    if vla.settings.chunk > 1:
        actions = np.repeat(samples.actions, vla.settings.chunk, 1)
        samples = replace(samples, actions=actions, valid=np.ones(actions.shape[:2], dtype=bool))
    auxiliary = Auxiliary(vla, ALL)
    learner = Learner(vla, {}, auxiliary)
    losses, _ = learner(Lesson.of(vla, samples, auxiliary))
    plain, _ = Learner(vla, {})(Lesson.of(vla, samples, None))
    parts = [losses.metrics[f"aux_{name}"] for name in OBJECTIVES]
    assert losses.total.item() == pytest.approx(plain.total.item() + sum(parts), rel=1e-4)
    assert losses.total.item() > plain.total.item()
    losses.total.backward()
    assert all(weight.grad is not None for weight in auxiliary.parameters())


def toy(hidden: torch.Tensor, count: int) -> tuple[Batch, list]:
    """A batch of four patches, then two words, whose hidden states are given."""
    characters = np.array([[-1, -1]] * 4 + [[0, 3], [3, 5]])
    layout = Layout(
        pictures={"head": np.arange(4).reshape(2, 2)}, characters=characters, actions=np.array([5])
    )
    mask = torch.ones(hidden.shape[:2], dtype=torch.bool)
    return Batch(inputs={}, attention_mask=mask, position_ids=mask.long(), layouts=(layout,) * count)


class Two(torch.nn.Module):
    """What ``Auxiliary`` asks of a model, with a layer of width 8."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 8)

    @property
    def anatomy(self):
        layer = type(
            "Layer", (), {"stream": "language", "module": self.layer, "output_projection": self.layer}
        )
        inside = type("Inside", (), {"layers": (layer,), "grids": {"head": PictureGrid(rows=2, cols=2)}})
        inside.stream = lambda name: (layer,)
        return inside

    settings = type("Settings", (), {"cameras": ("head",), "image_size": (64, 64)})


def test_losses_equal_hand_formulas():
    torch.manual_seed(0)
    auxiliary, hidden = Auxiliary(Two(), ALL), torch.randn(2, 6, 8)
    other = torch.randn(1, 6, 8)
    labels = {
        "cells": np.array([[1, 2], [4, 0]]), "occupancy": np.array([[0, 1, 2, 0, 1] * 5, [2] * 25], np.int8),
        "targets": np.array([[[40, 10, 1]], [[10, 50, 1]]], np.float32),  # patches 1 and 2
    }  # fmt: skip
    batch = toy(hidden, 2)
    total, told = auxiliary(hidden, batch, labels, (other, toy(other, 1), (1,)))
    log = torch.log_softmax
    words, patches = hidden[:, 5], hidden[:, :4]
    cell = -(log(auxiliary.cell(words), -1)[[0, 1], [7, 20]]).mean()
    assert told["aux_cell"] == pytest.approx(float(cell), abs=1e-6)
    scores = (auxiliary.place(patches) * auxiliary.point(words)[:, None]).sum(-1) / 4
    pixel = -(log(scores, -1)[[0, 1], [1, 2]]).mean()
    assert told["aux_pixel"] == pytest.approx(float(pixel), abs=1e-6)
    unit = torch.nn.functional.normalize
    seen = unit(auxiliary.seen(torch.stack([patches[0, 1], patches[1, 2]])), dim=-1)
    said = unit(auxiliary.said(words), dim=-1)
    against = unit(auxiliary.said(other[:, 5]), dim=-1)[0]
    table = seen @ said.T / 0.07
    wide = torch.cat([table, torch.tensor([[-torch.inf], [float(seen[1] @ against) / 0.07]])], 1)
    contrast = (-log(wide, -1)[[0, 1], [0, 1]].mean() - log(table.T, -1)[[0, 1], [0, 1]].mean()) / 2
    assert told["aux_contrast"] == pytest.approx(float(contrast), abs=1e-5)
    assert float(total) == pytest.approx(sum(told[f"aux_{name}"] for name in OBJECTIVES), abs=1e-5)
    # The same intersection in another picture is no negative; what is out of view is not learned from.
    labels["cells"][1], labels["targets"][0, 0, 2] = labels["cells"][0], 0
    _, told = auxiliary(hidden, batch, labels)
    assert told["aux_contrast"] == pytest.approx(0.0, abs=1e-6)
    labels["targets"][1, 0, 2] = 0
    _, told = auxiliary(hidden, batch, labels)
    assert np.isnan(told["aux_pixel"]) and np.isnan(told["aux_contrast"])


def test_a_model_learns_them_and_plays_without(trainer, tmp_path):
    made = recipe(
        auxiliary=ALL, steps=60, save_every=60, log_every=15, optimiser=OptimiserRecipe(rate=1e-2),
        augmentation=AugmentationRecipe(crop=0.9, rotate=3.0),
    )  # fmt: skip
    one = trainer(made)
    one.train()
    rows = [row["metrics"] for row in read_log(tmp_path / "out") if row["kind"] == "train"]
    for name in OBJECTIVES:
        assert rows[-1][f"aux_{name}"] < rows[0][f"aux_{name}"], name
    assert rows[-1]["aux_cell_right"] > 0.9 and rows[-1]["aux_occupancy_right"] > 0.8
    folder = step_folder(tmp_path / "out", CHECKPOINTS, 60)
    stored = load_file(folder / FILE)
    assert stored.keys() == one.learner.auxiliary.state_dict().keys()
    played = Checkpoint.load(folder, device="cpu").vla
    assert {n for n, _ in played.named_parameters()} == {n for n, _ in one.vla.named_parameters()}


def test_a_source_that_does_not_know_is_refused(trainer):
    with pytest.raises(OptionError, match=r"auxiliary\.cell .* board of 3 x 3 lines"):
        trainer(recipe(auxiliary=AuxiliaryRecipe(cell=1.0, lines=3)))
    with pytest.raises(OptionError, match=r"auxiliary\.layer must be below"):
        trainer(changed(recipe(), auxiliary=AuxiliaryRecipe(cell=1.0, layer=99)), "other")
