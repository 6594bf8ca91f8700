"""Ceilings: how far a condition is solved without hearing, without seeing, without grasping.

A success rate says something of hearing only above what a perfect eye guesses without words; of seeing only
above what feeling reaches; of grasping only above what pushing reaches. The first follows from the layouts:
it is one in so many as could be meant (``Task.could_be_meant``); docs/words_blind.md measures that layouts
tell no more. The others are runs of the policies ``feeler`` and ``push`` on the same episodes, where given.
"""

from collections.abc import Sequence

from bomb.report.loading import LoadedRun, where
from bomb.report.makings import not_alike
from bomb.report.model import Ceiling, ConditionSummary
from bomb.report.pairing import pair
from bomb.runs.rows import Condition, EpisodeRow
from bomb.statistics import Estimate, mean, rate, undefined
from core.errors import BombError
from core.perturbations.suite import Suite
from core.registry import TASKS
from core.seeding import DRAWS, PRIVATE
from core.world.stage import clean_scene

WITHOUT = ("mute", "blind")  # of the policy itself
DRAWN = 50  # scenes of a condition that are looked at: what could be meant varies little


def without_words(run: LoadedRun, condition: Condition, rows: Sequence[EpisodeRow]) -> Estimate:
    """The mean, over the first episodes of a condition, of one in so many moves as could be meant.

    Their scenes are drawn again, without an engine; so it is undefined where they cannot be: in the private
    split, of a run that was made with other draws, of conditions out of a file.
    """
    if not rows:
        return undefined("no episodes")
    if condition.split.startswith(PRIVATE):
        return undefined("scenes of a secret salt are not drawn again")
    if (run.settings.get("versions") or {}).get("draws") != str(DRAWS):
        return undefined("its scenes are of another version")
    if (
        condition.levels
        and condition.knob is None
        and condition.severity is None
        and "#" in condition.perturbation
    ):
        return undefined("its scenes are drawn from a file")
    try:
        task, suite = TASKS.load(condition.task)(), Suite(levels=condition.levels)
        scene = suite.prepare(task.stage(clean_scene()))
        drawn = [suite.episode(task, scene, split=condition.split, seed=row.seed) for row in rows[:DRAWN]]
        if any(episode.goal.to_dict() != row.goal for episode, row in zip(drawn, rows, strict=False)):
            return undefined("its scenes are of another version")
        ways = [task.could_be_meant(episode) for episode in drawn]
    except BombError as error:
        return undefined(f"its scenes cannot be drawn: {error}")
    if any(count is None for count in ways):
        return undefined("the board tells the move")
    return mean([1 / count for count in ways if count])


def ceilings(
    runs: Sequence[LoadedRun], summaries: Sequence[Sequence[ConditionSummary]]
) -> tuple[Ceiling, ...]:
    """Every condition of the runs that are no ceilings or baselines themselves.

    Args:
        runs: in order.
        summaries: of the conditions of each.
    """
    found = []
    for run, conditions in zip(runs, summaries, strict=True):
        if run.ceiling is not None or run.wrapped is not None:
            continue
        for condition, summary in zip(run.conditions, conditions, strict=True):
            beside = _beside(run, condition, runs)
            found.append(
                Ceiling(
                    run=run.name,
                    task=condition.task,
                    backend=condition.backend,
                    split=condition.split,
                    perturbation=condition.perturbation,
                    success=summary.success,
                    by_carrying=summary.by_carrying,
                    without_words=summary.without_words,
                    policies={name: estimate for name, (estimate, _) in beside.items()},
                    differs=tuple(
                        dict.fromkeys(words for _, differs in beside.values() for words in differs)
                    ),
                )
            )
    return tuple(found)


def _beside(
    run: LoadedRun, condition: Condition, runs: Sequence[LoadedRun]
) -> dict[str, tuple[Estimate, tuple[str, ...]]]:
    """By what is taken away: success of the run without it, over common episodes, and what else differs."""
    task, backend, split, perturbation = where(condition)
    found: dict[str, tuple[Estimate, tuple[str, ...]]] = {}
    for other in runs:
        name = other.ceiling
        if (
            other.wrapped is not None
            and other.wrapped[0] in WITHOUT
            and other.wrapped[1] == run.policy.strip()
        ):
            name = other.wrapped[0]
        there = other.find(task=task, backend=backend, split=split, perturbation=perturbation)
        if name is None or name in found or there is None:
            continue
        pairs = pair(run.episodes[condition.key], other.episodes[there.key], cluster=(task, split))
        if pairs.first:
            found[name] = rate(pairs.second), not_alike(run, other)
    return found
