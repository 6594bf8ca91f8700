"""Studies: every arm is trained and played once, results are put together, and what stops is resumed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import bomb.training.playing as playing
import bomb.training.studying as studying
from bomb.cli import main
from bomb.disk.files import FileError, read_json
from bomb.training.ranking import rank
from bomb.training.selection import measurements
from bomb.training.study_page import words_of
from bomb.training.study_recipe import StudyRecipe, read_study, trainings
from bomb.training.studying import study
from core.errors import OptionError
from tests.training.conftest import recipe
from tests.training.test_small import TINY

FOLDER = Path(__file__).parents[2] / "recipes" / "studies"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_studies_of_the_project_can_be_read(file):
    made = trainings(read_study(file), file, (Path("data"),))
    assert len({training.folder for training in made}) == len(made)
    assert len(made) % len(read_study(file).seeds) == 0


def test_smaller_amounts_make_as_many_steps_or_epochs(tmp_path):
    made = trainings(read_study(FOLDER / "data-efficiency.yaml"), FOLDER / "x", (Path("data"),))
    steps = {(t.episodes, t.equal): t.recipe.steps for t in made}
    assert {steps[n, "steps"] for n in (8, 16, 32, 64)} == {400}
    assert [steps[n, "epochs"] for n in (8, 16, 32, 64)] == [50, 100, 200, 400]
    assert all(t.recipe.data.sources[0].episodes == t.episodes for t in made)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"equal": ["time"]}, "unknown equal 'time'"),
        ({"seeds": []}, "seeds must name"),
        ({"chunks": ["half", "half"]}, "chunks must name"),
        ({"chunks": ["all of it"]}, "chunks must be full"),
        ({"episodes": [0]}, "episodes must be"),
        ({"arms": {"a": 3}}, "arms.a must be a mapping"),
        ({"color": 1}, "unknown entries color"),
    ],
)
def test_a_bad_study_is_refused_in_one_line(tmp_path, changes, said):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump({"recipe": "recipe.yaml", **changes}))
    with pytest.raises(FileError) as caught:
        read_study(file)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_bad_arm_is_named(tmp_path):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe().to_dict()))
    bad = StudyRecipe(name="x", recipe="recipe.yaml", arms={"wide": {"model.width": 3}})
    with pytest.raises(FileError, match=r"arm 'wide': .*unknown entries width"):
        trainings(bad, tmp_path / "study.yaml", ())
    alike = StudyRecipe(name="x", recipe="recipe.yaml", arms={"a b": {}, "a_b": {}})
    with pytest.raises(OptionError, match="alike but for signs"):
        trainings(alike, tmp_path / "study.yaml", ())


@pytest.mark.render
def test_a_study_is_trained_and_played_once(demonstrations, tmp_path, monkeypatch):
    real, played = studying.evaluate, []
    made_settings = studying.EvaluationSettings
    monkeypatch.setattr(
        studying, "EvaluationSettings", lambda **told: made_settings(**told, max_steps=2, supersample=1)
    )

    def counted(settings, folder, **options):
        played.append(folder.parts[-3])
        if len(played) == 2:
            raise KeyboardInterrupt
        return real(settings, folder, **options)

    monkeypatch.setattr(studying, "evaluate", counted)
    short = recipe(steps=2, save_every=2)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(short.to_dict()))
    file = tmp_path / "study.yaml"
    what = StudyRecipe(
        name="tiny", recipe="recipe.yaml", episodes=(1, 2), seeds=(0,), scenes=2, split="validation",
        perturbations=("clean", "action_noise:1"),
    )  # fmt: skip
    made, out = trainings(what, file, (demonstrations,)), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        study(what, made, [demonstrations], out)
    result = study(what, made, [demonstrations], out)
    assert played == [made[0].folder, made[1].folder, made[1].folder]
    assert study(what, made, [demonstrations], out) == result and len(played) == 3
    assert len(result["cells"]) == 4 and all(cell["trainings"] == 1 for cell in result["cells"])
    assert all(cell["success"]["n"] == 2 for cell in result["cells"])
    assert json.loads((out / "result.json").read_text()) == result
    page = (out / "index.html").read_text()
    assert "Success" in page and "action_noise:1" in page
    assert "action_noise:1" in words_of(result) and "episodes" in words_of(result)
    with pytest.raises(OptionError, match=r"is a study with study\.scenes = 2, not 3"):
        study(StudyRecipe(**{**vars(what), "scenes": 3}), made, [demonstrations], out)


@pytest.mark.render
def test_a_study_of_small_vla_is_trained_played_and_ranked(demonstrations, tmp_path, monkeypatch):
    for module in (studying, playing):
        settings = module.EvaluationSettings
        monkeypatch.setattr(
            module,
            "EvaluationSettings",
            lambda settings=settings, **told: settings(**told, max_steps=2, supersample=1),
        )
    tiny = replace(TINY, together=replace(TINY.together, keep=2), select="error:goal")
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(tiny.to_dict()))))
    file, out = tmp_path / "study.yaml", tmp_path / "out"
    what = StudyRecipe(
        name="small", recipe="recipe.yaml", episodes=(1, 2), seeds=(0,), scenes=1,
        arms={"one look": {"looks.*.perturbations": {}}},
    )  # fmt: skip
    made = trainings(what, file, (demonstrations,))
    assert [one.recipe.demonstrations for one in made] == [1, 2]
    assert all(not looks.perturbations for one in made for looks in one.recipe.looks)
    result = study(what, made, [demonstrations], out)
    assert len(result["cells"]) == 2
    assert all(cell["held_out"]["relative"]["value"] > 0 for cell in result["cells"])
    # Both drew the same looks; the smaller subset is part of the larger one, what is held out is the same.
    drawn = [{file.name for file in (out / "looks").rglob("*.npz")}]
    assert len(list((out / "looks").iterdir())) == 1 and len(drawn[0]) == 4
    folder = out / "trainings" / made[1].folder
    rules = rank(folder, scenes=1, backends=("mujoco",), workers=1)["rules"]
    assert {"loss", "mse", "group:xy", "error:goal", "error:stone", "last"} <= set(rules)
    measured, chosen = measurements(folder), read_json(folder / "selection.json")
    assert chosen["values"] == {str(step): row["errors"]["goal"] for step, row in measured.items()}
    assert chosen["step"] == max(measured, key=lambda step: (-measured[step]["errors"]["goal"], step))
    assert study(what, made, [demonstrations], out) == result


def test_options_that_a_study_does_not_take_are_refused(tmp_path, capsys):
    words = ["train", "study", str(FOLDER / "small-engines.yaml"), "--data", str(tmp_path), "--out"]
    assert main([*words, str(tmp_path / "out"), "--set", "together.steps=10"]) == 2
    assert "a study takes no --set: its arms say what differs" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["small-engines", "data-efficiency"])
def test_a_study_without_data_leaves_its_folder_as_it_was(tmp_path, capsys, name):
    (tmp_path / "empty").mkdir()
    for data in ((), ("--data", str(tmp_path / "empty")), ("--data", str(tmp_path / "missing"))):
        words = ("train", "study", str(FOLDER / f"{name}.yaml"), *data, "--out", str(tmp_path / "out"))
        assert main(list(words)) in (1, 2)
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
        assert not (tmp_path / "out").exists()
