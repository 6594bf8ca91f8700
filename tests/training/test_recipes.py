"""Recipes: those of the project can be read, and what is wrong with one is said in one line."""

from pathlib import Path

import pytest

from bomb.disk.files import FileError
from bomb.training.keypoint.recipe import KeypointRecipe
from bomb.training.optimising import rate_share
from bomb.training.reading import read_entries, read_recipe
from bomb.training.recipe import OptimiserRecipe
from bomb.training.small.recipe import SmallRecipe
from tests.training.conftest import recipe

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_recipe_of_the_project_is_whole(file):
    own = {"keypoint": KeypointRecipe, "small-vla": SmallRecipe}
    if (kind := own.get(read_entries(file).get("policy"))) is not None:
        assert read_recipe(file, kind=kind).name == file.stem
        return
    made = read_recipe(file)
    assert made.name == file.stem and made.to_dict()["model"]["family"] == made.model.family


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("steps: 5", "lacks model"),
        ("model: {family: openvla}\nstep: 5", "unknown entries step; valid: augmentation, auxiliary, batch"),
        ("model: {family: openvla}\nsteps: many", "steps must be an integer, got 'many'"),
        ("model: {family: openvla}\nsteps: 0", "steps must be an integer from 1 up, got 0"),
        ("model: {family: openvla}\noptimiser: {rate: 1e-4}", "YAML reads 1e-4 as text"),
        ("model: {family: openvla}\noptimiser: {schedule: cos}", "unknown schedule 'cos'; valid: constant"),
        ("model: {family: openvla, image_size: [64]}", "model.image_size must have 2 entries, got 1"),
        ("model: {family: openvla, convention: {gripper: up}}", "model.convention: unknown gripper 'up'"),
        ("model: {family: openvla}\ntrained: {lora: {rank: 0}}", "trained.lora: rank must be"),
        ("model: {family: openvla}\nselect: closed-loop", "closed-loop@20"),
        ("model: {family: openvla}\ndata: {sources: [{episodes: 0}]}", "data.sources[0]: episodes must"),
        ("model: {family: openvla}\nloss: {groups: {xy: -1}}", "groups.xy must be a number from 0 up"),
        ("model: [", "is not YAML"),
        ("model: " + 20_000 * "[", "is not YAML"),
        ("- 1", "must hold a mapping"),
    ],
)
def test_a_bad_recipe_is_refused_in_one_line(tmp_path, words, said):
    file = tmp_path / "bad.yaml"
    file.write_text(words)
    with pytest.raises(FileError) as caught:
        read_recipe(file)
    message = str(caught.value)
    assert said in message and str(file) in message and "\n" not in message


def test_entries_are_changed_by_name(tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text("model: {family: openvla}\n")
    made = read_recipe(file, {"optimiser.rate": 0.5, "model.folder": "x", "model.start": "checkpoint"})
    assert (made.optimiser.rate, made.model.folder, made.name) == (0.5, "x", "good")
    assert (
        made.to_dict()
        == read_recipe(file, {"optimiser": {"rate": 0.5}, "model": made.to_dict()["model"]}).to_dict()
    )


def test_the_rate_rises_stays_and_falls():
    cosine = OptimiserRecipe(warm_up=10, schedule="cosine", final=0.1)
    assert [round(rate_share(step, 110, cosine), 6) for step in (1, 5, 10, 60, 110)] == [
        0.1,
        0.5,
        1,
        0.55,
        0.1,
    ]
    linear = OptimiserRecipe(schedule="linear", final=0.0)
    assert [rate_share(step, 100, linear) for step in (0, 25, 100)] == [1, 0.75, 0]
    fall = OptimiserRecipe(schedule="step", fall_at=0.5, final=0.1)
    assert [rate_share(step, 100, fall) for step in (50, 51, 100)] == [1, 0.1, 0.1]
    assert rate_share(100, 100, OptimiserRecipe()) == 1


def test_a_recipe_is_plain_values():
    plain = recipe().to_dict()
    assert plain["model"]["image_size"] == [32, 32] and plain["trained"]["lora"]["targets"] == "all-linear"
