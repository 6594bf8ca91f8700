"""Which conditions a run has, and which seeds."""

import pytest

from bomb.evaluation.matrix import make_matrix
from bomb.evaluation.perturbed import read_perturbations
from bomb.evaluation.settings import EvaluationSettings, ExecutionSettings
from core.errors import BombError, CapabilityError, OptionError, UnknownNameError
from core.perturbations.heldout import goal_set
from core.perturbations.make_conditions import make_conditions
from core.registry import TASKS
from core.rendering.sight import Sight
from core.world.stage import clean_scene
from tests.conftest import BACKENDS


def matrix(**changes):
    values = {"policy": "hold", "backends": BACKENDS, "episodes": 3, "split": "ci"}
    asked = EvaluationSettings(**{**values, **changes})
    return make_matrix(asked.fitted(Sight(cameras=()), privileged=False))


def test_every_combination_is_a_condition_with_the_same_seeds():
    plans = matrix(tasks=("place_stone", "move_stone"), perturbations=("clean", "friction:2-3"), seed=7)
    keys = [plan.condition.key for plan in plans]
    assert len(keys) == len(set(keys)) == 2 * 2 * 3
    assert keys[:3] == [
        "place_stone|mujoco|clean",
        "place_stone|robotwin|clean",
        "place_stone|mujoco|friction:2",
    ]
    assert {plan.seeds for plan in plans} == {(7, 8, 9)}
    assert (
        plans[2].environment.perturbations == {"friction": 2} and plans[0].environment.perturbations is None
    )


@pytest.mark.parametrize(
    ("word", "label", "knob", "severity", "category"),
    [
        ("clean", "clean", None, 0, "clean"),
        ("bomb", "bomb:3", "bomb", 3, "preset"),
        ("robotwin_randomized", "robotwin_randomized:5", "robotwin_randomized", 5, "preset"),
        ("words:letters", "words:letters", "words", None, "words"),
        ("brightness@head:2", "brightness@head:2", "brightness@head", 2, "image"),
        ("friction:1+bomb", "friction:1+bomb:3", None, None, "mixture"),
    ],
)
def test_words_become_labels(word, label, knob, severity, category):
    (one,) = read_perturbations([word])
    assert (one.label, one.knob, one.severity, one.category) == (label, knob, severity, category)


def test_a_condition_set_is_a_condition_with_its_own_hash(tmp_path):
    file = tmp_path / "study.json"
    conditions = make_conditions("place_stone", {"friction": 2}, split="ci", seeds=range(4))
    conditions.write(file)
    (plan, _) = matrix(perturbations=(str(file),))
    assert plan.condition.perturbation == f"study.json#{conditions.hash[:8]}"
    assert (plan.condition.knob, plan.condition.severity) == ("friction", 2)
    with pytest.raises(OptionError, match="has no episode ci/4; it has 4"):
        matrix(perturbations=(str(file),), episodes=5)
    with pytest.raises(OptionError, match="of task 'place_stone', not 'move_stone'"):
        matrix(perturbations=(str(file),), tasks=("move_stone",))


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"perturbations": ("frictoin:3",)}, UnknownNameError, "unknown perturbation 'frictoin'"),
        ({"perturbations": ("friction:3-1",)}, OptionError, "must count upwards"),
        ({"perturbations": ("friction:7",)}, BombError, "friction"),
        ({"perturbations": ("bomb", "bomb:3")}, OptionError, "bomb:3 twice"),
        ({"tasks": ("chess",)}, UnknownNameError, "unknown task 'chess'"),
        ({"backends": ("bullet",)}, UnknownNameError, "unknown backend 'bullet'"),
        (
            {"tasks": ("tic_tac_toe",), "perturbations": ("stone_amount:2",)},
            CapabilityError,
            "cannot do stone_amount",
        ),
        ({"perturbations": ("brightness@head:2",)}, OptionError, "a camera that is not there"),
        ({"action_mode": "relative"}, UnknownNameError, "unknown action_mode 'relative'"),
        ({"supersample": 9}, OptionError, "supersample must be an integer from 1 to 8, got 9"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_built(changes, kind, words):
    with pytest.raises(kind, match=words):
        matrix(**changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("episodes", 0), ("episodes", 2.5), ("seed", -1), ("seed", True), ("split", "exam"), ("goals", "new"),
        ("chunks", "some"), ("backends", ()), ("tasks", "place_stone"), ("perturbations", ("clean", "clean")),
    ],
)  # fmt: skip
def test_bad_settings_are_named(name, value):
    with pytest.raises(BombError, match=str(value[0] if value and isinstance(value, tuple) else value)[:8]):
        EvaluationSettings(**{"policy": "hold", "backends": BACKENDS, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", 0), ("executor", "slurm"), ("videos", "some"), ("retries", -1), ("policy_timeout", 0),
        ("episode_timeout", float("inf")), ("batch", 0), ("batch_wait_ms", -1.0),
    ],
)  # fmt: skip
def test_bad_ways_to_carry_it_out_are_named(name, value):
    with pytest.raises(BombError, match=str(value)):
        ExecutionSettings(**{name: value})


def test_goals_choose_seeds_and_all_conditions_share_them():
    for goals in ("seen", "unseen"):
        plans = matrix(goals=goals, episodes=6)
        (seeds,) = {plan.seeds for plan in plans}
        task = TASKS.load("place_stone")()
        found = {goal_set(task.make_episode(clean_scene(), split="ci", seed=s).goal) for s in seeds}
        assert found == {goals} and len(seeds) == 6
