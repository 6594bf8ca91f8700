"""What a model reads by construction is what is found, and nothing else."""

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation

from bomb.explanation.asking import Question, patch_changes, span_changes
from bomb.explanation.grids import Grid
from bomb.explanation.inside.asking import ModelAsker
from bomb.explanation.inside.attribution import attribute, restore_first
from bomb.explanation.inside.patching import head_units, layer_units, restore
from bomb.explanation.inside.recording import Unit
from bomb.explanation.occluders import OCCLUDERS, filling
from bomb.explanation.spans import spans_of
from tests.explanation.constructed import PATCH, SIDE, TEXT, Constructed

GRID = Grid(rows=SIDE, cols=SIDE)


@pytest.fixture(scope="module")
def asker() -> ModelAsker:
    return ModelAsker(Constructed().eval(), most=5)


@pytest.fixture
def question(noisy_picture) -> Question:
    picture = noisy_picture // 4
    picture[16:32, 32:48] = 250  # the patch that is read is bright
    observation = {"images": {"head": picture}, "instruction": TEXT, "state": np.zeros(4, np.float32)}
    return Question(observation=observation, seed=1, step=2)


def changed(question: Question, occluder: str = "mean", grid: Grid = GRID):
    fill = filling(question.observation["images"]["head"], occluder)
    return patch_changes(question, "head", grid, fill)


def effects(asker: ModelAsker, question: Question, changes) -> np.ndarray:
    _, reference = asker.decide(question)
    clean = asker.score(question, reference, [type(changes[0])(name="clean")])
    return asker.score(question, reference, changes).effects(clean).total


@pytest.mark.parametrize("occluder", OCCLUDERS)
def test_the_patch_that_is_read_is_found_under_every_occluder(asker, question, occluder):
    found = effects(asker, question, changed(question, occluder)).reshape(SIDE, SIDE)
    assert found[PATCH] > 0.05
    found[PATCH] = 0
    assert np.abs(found).max() < 1e-12


def test_a_finer_grid_finds_the_pixels_of_the_patch(asker, question):
    grid = Grid(rows=2 * SIDE, cols=2 * SIDE)
    found = effects(asker, question, changed(question, grid=grid)).reshape(2 * SIDE, 2 * SIDE)
    assert {tuple(at) for at in np.argwhere(found > 1e-9)} == {(2, 4), (2, 5), (3, 4), (3, 5)}


def test_the_word_that_is_read_is_found_with_the_phrases_that_hold_it(asker, question):
    spans = spans_of(TEXT)
    found = dict(zip(spans, effects(asker, question, span_changes(spans)), strict=True))
    read = {name for name, effect in found.items() if abs(effect) > 1e-12}
    assert read == {"column_digit", "column", "place"}
    assert all(found[name] == pytest.approx(1.0, abs=1e-9) for name in read)


def test_each_head_restores_what_it_reads_and_nothing_else(asker, question):
    _, reference = asker.decide(question)
    layers = asker.vla.anatomy.layers
    patch = changed(question)[PATCH[0] * SIDE + PATCH[1]]
    word = span_changes({"column_digit": spans_of(TEXT)["column_digit"]})[0]
    for change, reader in ((patch, 0), (word, 1)):
        heads = restore(asker, question, reference, change, head_units(layers))
        assert heads.gap > 0.05
        assert heads.values == pytest.approx([1.0 if k == reader else 0.0 for k in (0, 1)], abs=1e-9)
        layer = restore(asker, question, reference, change, layer_units(layers, {}))
        assert layer.values == pytest.approx([1.0, 0.0], abs=1e-9)  # attention, MLP
        # The score is minus a distance, whose slope is 1 on the way back: first order is exact here.
        guessed = attribute(asker, question, reference, change, head_units(layers))
        assert guessed.values == pytest.approx(heads.values, abs=1e-6)
        assert not guessed.exact.any()
        first = restore_first(asker, question, reference, change, head_units(layers), 1)
        assert first.exact.tolist() == [k == reader for k in (0, 1)]


def test_restoration_is_not_claimed_without_a_gap(asker, question):
    _, reference = asker.decide(question)
    nothing = changed(question)[0]  # a patch that is not read
    found = restore(asker, question, reference, nothing, head_units(asker.vla.anatomy.layers))
    assert found.values is None and found.gap == pytest.approx(0, abs=1e-12)


def test_only_the_position_that_acts_carries_the_answer(asker, question):
    _, reference = asker.decide(question)
    change, layer = changed(question)[PATCH[0] * SIDE + PATCH[1]], asker.vla.anatomy.layers[0]
    units = [Unit(layer=layer, part="attention", positions=torch.tensor([at])) for at in (0, 3, -1)]
    found = restore(asker, question, reference, change, units)
    assert found.values == pytest.approx([0, 0, 1], abs=1e-9)


def test_captum_finds_the_same_effects(asker, question):
    """FeatureAblation with the mean colour as its baseline is the same intervention by other code."""
    picture = question.observation["images"]["head"]
    fill = filling(picture, "mean")
    grid = Grid(rows=SIDE, cols=SIDE)
    _, reference = asker.decide(question)

    def forward(pixels: torch.Tensor) -> torch.Tensor:
        requests = [
            asker.request(
                Question(
                    observation={**question.observation, "images": {"head": one.numpy().astype(np.uint8)}},
                    seed=1,
                    step=2,
                )
            )
            for one in pixels
        ]
        return asker.vla.score(asker.vla.encode(requests), reference.select([0] * len(requests))).total

    found = FeatureAblation(forward).attribute(
        torch.from_numpy(picture).double()[None],
        baselines=torch.from_numpy(fill.copy()).double()[None],
        feature_mask=torch.from_numpy(grid.numbers(64, 64))[None, :, :, None].expand(1, 64, 64, 3),
        perturbations_per_eval=4,
    )
    theirs = found[0, :: 64 // SIDE, :: 64 // SIDE, 0].numpy().ravel()
    ours = effects(asker, question, changed(question))
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_batches_become_smaller_where_memory_does_not_suffice(question, monkeypatch):
    asker = ModelAsker(Constructed().eval(), most=16)
    _, reference = asker.decide(question)
    whole, sizes = asker.score(question, reference, changed(question)).total, []
    score = asker.vla.score

    def short(batch, reference):
        sizes.append(len(batch))
        if len(batch) > 5:
            raise torch.OutOfMemoryError("no room")
        return score(batch, reference)

    monkeypatch.setattr(asker.vla, "score", short)
    np.testing.assert_allclose(asker.score(question, reference, changed(question)).total, whole, atol=1e-12)
    assert sizes == [16, 8, 4, 4, 4, 4]
