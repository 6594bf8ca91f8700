"""Condition sets are drawn: the episodes of a study, written down."""

from collections.abc import Iterable

from core.perturbations.conditions import ConditionSet
from core.perturbations.presets import make_suite
from core.registry import TASKS
from core.world.stage import clean_scene


def make_conditions(task: str, perturbations: object, *, split: str, seeds: Iterable[int]) -> ConditionSet:
    """Draws the episodes of ``seeds`` and writes down what was drawn.

    Args:
        task: registered name.
        perturbations: as ``core.make_task`` takes them.
    """
    suite, made = make_suite(perturbations), TASKS.load(task)()
    scene, episodes = suite.prepare(made.stage(clean_scene())), []
    for seed in seeds:
        episode = suite.episode(made, scene, split=split, seed=int(seed))
        draws = suite.draw(split, int(seed))
        episodes.append({"split": split, "seed": int(seed), "goal": episode.goal.to_dict(), "draws": draws})
    return ConditionSet(task=task, levels=dict(suite.levels), episodes=tuple(episodes))
