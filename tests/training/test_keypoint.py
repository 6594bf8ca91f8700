"""How ``keypoint`` is trained: labels, the network in two libraries, a tiny training from data to card."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from bomb.demonstrations.dataset import Dataset
from bomb.disk.files import read_json
from bomb.models.keypoint.checkpoint import SHIPPED, read_model
from bomb.models.keypoint.eye import Eye
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE, MAPS, REFERENCES, UNSHUFFLE, scaled
from bomb.models.keypoint.geometry import plane_of, transformed
from bomb.models.keypoint.safetensors import read_safetensors
from bomb.training.keypoint.augmentation import random_warp, recovered, relit, warped
from bomb.training.keypoint.drawing import Look, draw, drawings_of
from bomb.training.keypoint.hand import hand_batch
from bomb.training.keypoint.labels import points_of, targets_of
from bomb.training.keypoint.network import Convolution, EyeNetwork, normalised
from bomb.training.keypoint.recipe import EyeRecipe, KeypointRecipe, LooksRecipe, PartRecipe
from bomb.training.keypoint.run import train_keypoint
from bomb.training.keypoint.samples import CameraSamples
from bomb.training.keypoint.sentences import sentence
from bomb.training.keypoint.ways import ways_of
from bomb.training.reading import read_recipe
from core.errors import OptionError
from tasks.place_stone.words import WORD_SETS, instruct
from tests.training.conftest import LOOKS

RECIPE = Path(__file__).parents[2] / "recipes" / "small-keypoint.yaml"
TINY = KeypointRecipe(
    name="tiny",
    policy="keypoint",
    looks=LOOKS,
    eye=EyeRecipe(steps=3, batch=4, held_out=2),
    words=PartRecipe(steps=3, batch=16, rate=1e-3),
    hand=PartRecipe(steps=3, batch=16, rate=1e-3),
)


@pytest.fixture(scope="session")
def look(looks) -> Look:
    return Look.read(sorted(looks.glob("*/*.npz"))[0])


@pytest.mark.render
def test_a_look_knows_where_things_are_seen(look):
    """Where a label says that a stone is, the segmentation has one of its colour, for both cameras."""
    for camera in range(2):
        found = 0
        for moment in range(len(look.pictures)):
            points = points_of(look, moment, camera)
            pixels = transformed(points.plane, points.points)
            for (u, v), kind in zip(np.rint(pixels).astype(int), points.kinds, strict=True):
                if MAPS[kind] in ("black", "white"):
                    near = look.parts[moment, camera, max(0, v - 1) : v + 2, max(0, u - 1) : u + 2]
                    assert (near == (16 if MAPS[kind] == "black" else 17)).any()
                    found += 1
        assert found >= 1


@pytest.mark.render
def test_looks_differ_in_what_is_seen_alone(demonstrations, looks):
    dataset = Dataset.open(demonstrations)
    two = (LooksRecipe(backend="mujoco", perturbations=TINY.looks[0].perturbations, looks=2),)
    drawings = [d for d in drawings_of([dataset], two) if d.seed == dataset.seeds()[0]]
    draw(drawings, two, looks)
    first, second = (Look.read(drawing.file(looks, two)) for drawing in drawings)
    assert np.array_equal(first.stones[0], second.stones[0]) and np.array_equal(first.board, second.board)
    assert not np.allclose(first.projections[0], second.projections[0])


@pytest.mark.render
def test_labels_stay_right_when_a_picture_is_bent(look):
    """A mark painted at a labelled point is where the label of the bent picture says."""
    rng = np.random.default_rng(1)
    for _ in range(6):
        points, warp = points_of(look, 0, 0), random_warp(rng)
        pixel = transformed(points.plane, points.points[[12]])[0]
        v, u = np.mgrid[0 : IMAGE_SIZE[0], 0 : IMAGE_SIZE[1]]
        painted = np.exp(-((u - pixel[0]) ** 2 + (v - pixel[1]) ** 2) / 8).astype(np.float32)
        bent = warped(torch.from_numpy(np.stack([painted] * 3))[None], warp[None])[0, 0].numpy()
        middle = np.array([(bent * u).sum(), (bent * v).sum()]) / bent.sum()
        targets = targets_of(points, warp)
        row, column = np.unravel_index(targets.centers[MAPS.index("intersection")].argmax(), (32, 32))
        assert targets.near[MAPS.index("intersection"), row, column]
        told = transformed(warp @ points.plane, points.points[[12]])[0]
        assert np.allclose(middle, told, atol=0.15)
        cell = (told + 0.5) / UNSHUFFLE - 0.5
        at = np.rint(cell).astype(int)
        said = at + targets.offsets[:, MAPS.index("intersection"), at[1], at[0]]
        assert np.allclose(said, cell, atol=1e-4)


@pytest.mark.render
@pytest.mark.parametrize("camera", range(2))
def test_reference_points_tell_the_plane(look, camera):
    for moment in range(len(look.pictures)):
        points = points_of(look, moment, camera)
        tool = look.states[moment, :3].astype(np.float64) * camera
        plane = plane_of(points.references, REFERENCES[CAMERAS[camera]], -tool[2])
        seen = transformed(points.plane, points.points[:25])
        assert np.allclose(transformed(plane, seen) + tool[:2], points.points[:25], atol=1e-5)


@pytest.mark.render
def test_only_table_wall_and_floor_are_painted_over(look):
    rng = np.random.default_rng(2)
    points, parts = points_of(look, 0, 0), look.parts[0, 0]
    picture = look.pictures[0, 0].astype(np.float32) / 255
    changed = np.zeros(parts.shape, dtype=bool)
    for _ in range(40):
        made = recovered(picture, parts, points.plane, rng)
        assert made.min() >= 0 and made.max() <= 1
        changed |= (made != picture).any(2)
    assert set(np.unique(parts[changed])) <= {0, 1, 2, 3} and changed[parts == 2].mean() > 0.9
    lit = relit(torch.from_numpy(np.stack([picture.transpose(2, 0, 1)] * 4)), rng)
    assert float(lit.min()) >= 0 and float(lit.max()) <= 1


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_eye_is_the_same_in_numpy(camera):
    torch.manual_seed(0)
    network = EyeNetwork(len(REFERENCES[camera]))
    for part in network.modules():
        if isinstance(part, Convolution):
            part.norm.running_mean.normal_()
            part.norm.running_var.uniform_(0.5, 2.0)
    network.eval()
    eye = Eye({name: value.numpy() for name, value in network.tensors().items()}, camera)
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (*IMAGE_SIZE, 3), dtype=np.uint8)
    state = np.array([0.5, -0.1, 0.06, 1.0], dtype=np.float32)
    shown = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    with torch.inference_mode():
        wanted = network(normalised(shown), torch.from_numpy(scaled(state)[None]))
    for said, right in zip(eye.maps(picture, state), wanted[:3], strict=True):
        assert np.allclose(said, right[0].numpy(), atol=1e-4)


def test_held_out_sentences_are_never_learned_from():
    held = {
        instruct(goal, phrasing).text.translate({ord(digit): None for digit in "01234"})
        for phrasing in WORD_SETS["paraphrase_unseen"]
        for goal in _goals()
    }
    rng = np.random.default_rng(0)
    said = {sentence(rng)[0].translate({ord(digit): None for digit in "01234"}) for _ in range(4000)}
    assert len(held) == 12 and not held & said


def _goals():
    from core.board.goals import Intersection

    return [Intersection(color=color, row=1, column=2) for color in ("black", "white")]


def test_the_hand_learns_to_come_back_and_to_keep_still(demonstrations):
    ways = ways_of([Dataset.open(demonstrations)])
    assert len(ways) == 4
    for way in ways:
        assert np.allclose(way.commanded[-1], way.commanded[-20]) and way.histories[-1][2]
        grasped = next(t for t, (_, holds, _) in enumerate(way.histories) if holds)
        assert np.linalg.norm(way.commanded[grasped, :2] - way.stone) < 0.003
        last = max(t for t, (_, holds, _) in enumerate(way.histories) if holds)
        assert np.linalg.norm(way.commanded[last, :2] - way.goal) < 0.004
    batch = hand_batch(ways, 400, 0.02, np.random.default_rng(0))
    steps = (batch.targets[:, 1:] - batch.targets[:, :-1]).abs().max()
    assert float(steps) <= 0.02 + 1e-5
    first = (batch.targets[:, 0, :2] - batch.places[:, 0]).abs().max()
    assert float(first) <= 0.02 + 1e-5


@pytest.mark.render
def test_a_tiny_training_resumes_and_its_card_is_true(demonstrations, looks, tmp_path):
    """Interrupted in the middle of an eye, it ends in the same weights as when nothing happened."""
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    file = train_keypoint(TINY, [demonstrations], whole, store=looks)

    class Stop(Exception):
        pass

    def stop(part: str, step: int, loss: float) -> None:
        if part == "eye head" and step >= 8:
            raise Stop

    from bomb.training.keypoint import eye as eye_module
    from bomb.training.keypoint.parts import PartWatcher

    every, eye_module.SAVE_EVERY = eye_module.SAVE_EVERY, 1
    try:
        with pytest.raises(Stop):
            train_keypoint(TINY, [demonstrations], halves, store=looks, watcher=PartWatcher(step=stop))
        again = train_keypoint(TINY, [demonstrations], halves, store=looks)
    finally:
        eye_module.SAVE_EVERY = every
    card, resumed = (read_json(one.with_suffix(".json")) for one in (file, again))
    (weights, _), (others, _) = read_safetensors(file), read_safetensors(again)
    assert all(np.array_equal(weights[name], others[name]) for name in weights | others)
    assert card["held_out_metrics"] == resumed["held_out_metrics"]
    assert card["recipe"] == TINY.to_dict()
    (data,) = card["trained_on"]
    assert data["episodes"] == 4 and data["split"] == "ci"
    model = read_model(file)
    assert model.parameters == card["parameters"] == read_model(SHIPPED).parameters
    assert set(card["held_out_metrics"]["eyes_mm"]) == set(CAMERAS)
    other = KeypointRecipe(**{**TINY.__dict__, "seed": 1})
    with pytest.raises(OptionError, match=r"recipe\.seed"):
        train_keypoint(other, [demonstrations], whole, store=looks)


def test_the_recipe_is_the_one_that_the_shipped_file_was_trained_by():
    recipe = read_recipe(RECIPE, kind=KeypointRecipe)
    assert read_model(SHIPPED).card["recipe"] == recipe.to_dict()
    assert yaml.safe_load(RECIPE.read_text())["policy"] == "keypoint"


@pytest.mark.render
def test_samples_are_drawn_from_their_number_alone(looks):
    samples = CameraSamples(sorted(looks.glob("*-0/*_1.npz"))[:1], 1)
    first, second = (samples.batch([0, 1], np.random.default_rng([0, 5])) for _ in range(2))
    assert torch.equal(first.pictures, second.pictures)
