"""What a rule of selection is worth, against scipy and by hand; every checkpoint is really played."""

import json

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

import bomb.training.playing as playing
from bomb.models.settings import VLASettings
from bomb.training.ranking import compared, rank, words_of
from bomb.training.recipe import HeldOutRecipe
from bomb.training.selection import choose
from tests.training.conftest import recipe


def test_a_rule_is_held_against_outcomes():
    draw = np.random.default_rng(0)
    values = np.array([0.5, 0.4, 0.1, 0.2, 0.1])
    outcomes = (draw.random((5, 60)) < np.array([0.1, 0.3, 0.5, 0.9, 0.6])[:, None]).astype(float)
    rates = outcomes.mean(1)
    found = compared(values, outcomes, list(range(60)), [10, 20, 30, 40, 50])
    assert found["chosen"] == 50  # of equally good ones the latest
    assert found["regret"]["value"] == pytest.approx(rates.max() - rates[4])
    assert found["spearman"]["value"] == pytest.approx(spearmanr(-values, rates).statistic)
    assert found["kendall"]["value"] == pytest.approx(kendalltau(-values, rates).statistic)
    low, high = found["spearman"]["interval"]
    assert low <= found["spearman"]["value"] <= high and low < high
    alike = compared(values, np.zeros((5, 60)), list(range(60)), [10, 20, 30, 40, 50])
    assert alike["spearman"]["value"] is None and "equally often" in alike["spearman"]["reason"]
    assert alike["regret"]["value"] == 0
    few = compared(values[:2], outcomes[:2], list(range(60)), [10, 20])
    assert few["kendall"]["value"] is None and "takes 3" in few["kendall"]["reason"]


@pytest.mark.render
def test_checkpoints_are_played_once(trainer, tmp_path, monkeypatch):
    real, played = playing.EvaluationSettings, []
    monkeypatch.setattr(
        playing, "EvaluationSettings", lambda **told: real(**told, max_steps=3, supersample=1)
    )
    evaluate = playing.evaluate

    def counted(settings, folder, **options):
        played.append(folder.name)
        return evaluate(settings, folder, **options)

    monkeypatch.setattr(playing, "evaluate", counted)
    out, held_out = tmp_path / "out", HeldOutRecipe(every=2, moments=2)
    trainer(recipe(steps=4, held_out=held_out)).train()
    ranked = rank(out, scenes=2, backends=("mujoco",), workers=1)
    assert ranked["checkpoints"] == {"2": 0.0, "4": 0.0} and ranked["n"] == 2
    assert json.loads((out / "ranking.json").read_text()) == ranked and "regret" in words_of(ranked)
    assert rank(out, scenes=2, backends=("mujoco",), workers=1) == ranked
    assert played == ["step_000002-2-mujoco", "step_000004-2-mujoco"]
    result = choose(out, "closed-loop@2")  # in both simulators, as its data were played
    assert result == {"rule": "closed-loop@2", "step": 4, "values": {"2": 0.0, "4": 0.0}}
    chosen = VLASettings.read(out / "chosen").training["selection"]
    assert chosen == result and len(set(played)) == len(played) == 4
