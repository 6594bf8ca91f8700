"""How ``small-vla`` is trained: lessons of the hand, scenes in a row, a tiny training from data to card."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from bomb.demonstrations.dataset import Dataset
from bomb.disk.files import read_json
from bomb.disk.plain import build
from bomb.models.checkpoint import Checkpoint
from bomb.models.keypoint.checkpoint import SHIPPED as KEYPOINT
from bomb.models.keypoint.checkpoint import sha256_of
from bomb.models.keypoint.format import CAMERAS
from bomb.models.keypoint.safetensors import read_safetensors
from bomb.models.small.policy import SHIPPED
from bomb.training.keypoint.hand import CHUNK
from bomb.training.keypoint.parts import PartWatcher
from bomb.training.keypoint.recipe import EyeRecipe, PartRecipe
from bomb.training.keypoint.ways import ways_of
from bomb.training.log import read_log
from bomb.training.reading import read_recipe
from bomb.training.small import run, together
from bomb.training.small.moving import GATE, UNSURE, Ways, lesson
from bomb.training.small.recipe import SmallRecipe, TogetherRecipe
from bomb.training.small.run import train_small
from bomb.training.small.scenes import Scene, about, shown
from core.errors import OptionError
from tests.training.conftest import LOOKS

TINY = SmallRecipe(
    name="tiny",
    policy="small-vla",
    looks=LOOKS,
    eye=EyeRecipe(steps=2, batch=4, held_out=2),
    words=PartRecipe(steps=2, batch=16, rate=1e-3),
    hand=PartRecipe(steps=2, batch=16, rate=1e-3),
    together=TogetherRecipe(steps=3, batch=2, looks=2),
)


def test_the_hand_waits_while_it_is_not_sure_and_opens_after_closing_on_nothing(demonstrations):
    ways = Ways(ways_of([Dataset.open(demonstrations)]))
    taught = lesson(ways, 3000, 0.02, np.random.default_rng(0))
    steps = (taught.targets[:, 1:] - taught.targets[:, :-1]).abs()
    assert float(steps.quantile(0.95)) <= 0.02 + 1e-5
    holds, released, missed = taught.flags[:, 1] > 0, taught.flags[:, 2] > 0, taught.flags[:, 3] > 0
    assert int(missed.sum()) > 20 and float(taught.openings[missed].min()) == 1.0
    assert bool((taught.targets[missed][:, -1, 2] >= taught.commanded[missed][:, 2] - 1e-6).all())
    error = torch.where(holds, taught.errors[:, 1], taught.errors[:, 0])
    above = taught.commanded[:, 2] > GATE
    unsure, sure = (error > UNSURE) & above & ~released & ~missed, (error <= UNSURE) & above & ~released
    spot = torch.where(holds[:, None], taught.goal, taught.stone)
    beside = (taught.targets[..., :2] - spot[:, None]).norm(dim=2) < 0.02
    low = (taught.targets[..., 2] < GATE - 1e-6) & beside
    assert not bool(low[unsure].any()) and bool(low[sure].any())


@pytest.mark.render
def test_scenes_say_what_is_meant_and_stay_the_same_from_moment_to_moment(looks):
    rng = np.random.default_rng(1)
    scenes = [Scene.read(file) for file in sorted(looks.glob("*-0/*_1.npz"))]
    told = [about(scene, 3, rng) for scene in scenes]
    for scene, one in zip(scenes, told, strict=True):
        assert one.moments[0] == 0 and len(one.moments) == 3
        assert ("black", "white")[one.meant[0]] in one.words
        held = scene.look.held[one.moments[-1]]
        assert held < 0 or scene.look.colors[held] == one.meant[0] + 1
    plain = shown(scenes, told, None)
    picture = scenes[0].look.pictures[told[0].moments[-1], 0].transpose(2, 0, 1) / 255
    assert np.allclose(plain[-1].pictures[0, 0], picture, atol=1e-6)
    moments = shown(scenes, told, np.random.default_rng(2))
    again = shown(scenes, told, np.random.default_rng(2))
    assert torch.equal(moments[1].pictures, again[1].pictures)
    # The camera is bent once in a scene: reference points of the head camera stay where they are.
    first, last = (moment.targets[0][0].references for moment in (moments[0], moments[-1]))
    assert np.allclose(first, last) and not np.allclose(first, plain[0].targets[0][0].references)


@pytest.mark.render
def test_a_tiny_training_resumes_and_its_card_is_true(demonstrations, looks, tmp_path, monkeypatch):
    """Interrupted while all of it learns, it ends in the same weights as when nothing happened."""
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    made = train_small(TINY, [demonstrations], whole, store=looks)

    class Stop(Exception):
        pass

    def stop(part: str, step: int, loss: float) -> None:
        if part == "together" and step >= TINY.steps(eyes=True) - 1:
            raise Stop

    monkeypatch.setattr(together, "SAVE_EVERY", 1)
    with pytest.raises(Stop):
        train_small(TINY, [demonstrations], halves, store=looks, watcher=PartWatcher(step=stop))
    again = train_small(TINY, [demonstrations], halves, store=looks)
    one, other = (Checkpoint.load(folder, device="cpu").vla.state_dict() for folder in (made, again))
    assert all(torch.equal(one[name], other[name]) for name in one | other)
    logs = [
        [{name: value for name, value in row.items() if name != "seconds"} for row in read_log(folder)]
        for folder in (whole, halves)
    ]
    assert logs[0] == logs[1] and logs[0][-1]["kind"] == "held_out"  # nothing is lost, nothing stands twice
    assert "Loss" in (whole / "index.html").read_text()
    card = read_json(made / run.CARD)
    assert card["recipe"] == TINY.to_dict() and card["start"] is None
    assert card["held_out_metrics"] == read_json(again / run.CARD)["held_out_metrics"]
    (data,) = card["trained_on"]
    assert data["episodes"] == 4 and data["split"] == "ci"
    assert card["parameters"] == sum(weight.numel() for weight in one.values())
    with pytest.raises(OptionError, match=r"recipe\.seed"):
        train_small(SmallRecipe(**{**TINY.__dict__, "seed": 1}), [demonstrations], whole, store=looks)


def test_what_it_cannot_begin_with_is_refused_before_anything_is_drawn_or_written(demonstrations, tmp_path):
    arrays, _ = read_safetensors(KEYPOINT)
    stem = arrays["head.stem.weight"]
    spoilt = {
        "narrow": {**arrays, "head.stem.weight": stem[:-1]},
        "lacking": {name: value for name, value in arrays.items() if name != "wrist.stem.weight"},
        "more": {**arrays, "head.extra": stem},
    }
    for name, tensors in spoilt.items():
        file, out = tmp_path / f"{name}.safetensors", tmp_path / name
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, file)
        with pytest.raises(OptionError, match=f"{name}.safetensors does not fit the eye (head|wrist): "):
            train_small(TINY, [demonstrations], out, start=file)
        assert not (out / "recipe.json").exists() and not (out / "looks").exists()
    everything = replace(TINY, eye=replace(TINY.eye, held_out=1))
    with pytest.raises(OptionError, match=r"eye\.held_out = 1 holds out (\d+) of \1 looks"):
        train_small(everything, [demonstrations], tmp_path / "none")
    with pytest.raises(OptionError, match="names a folder twice"):
        train_small(TINY, [demonstrations, demonstrations], tmp_path / "twice")


def test_the_recipe_and_the_start_are_those_that_the_shipped_model_was_trained_by():
    card = read_json(SHIPPED / run.CARD)
    recipe = read_recipe(Path(__file__).parents[2] / "recipes" / "small-vla.yaml", kind=SmallRecipe)
    assert build(SmallRecipe, card["recipe"]) == recipe
    assert card["start"] == sha256_of(KEYPOINT)
    assert card["sha256"] == sha256_of(SHIPPED / "model.safetensors")
    vla = Checkpoint.load(SHIPPED, device="cpu").vla
    assert vla.count() == card["parameters"] and vla.settings.cameras == CAMERAS
    assert vla.settings.chunk == CHUNK and vla.settings.trained_on == card["trained_on"]
    assert (SHIPPED / "model.safetensors").stat().st_size < 4e6
