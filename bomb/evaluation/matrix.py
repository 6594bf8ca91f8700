"""The matrix of a run: conditions, and the seeds that they share."""

from dataclasses import dataclass

from bomb.evaluation.perturbed import Perturbed, read_perturbations
from bomb.evaluation.settings import EvaluationSettings
from bomb.runs.rows import Condition
from core.errors import OptionError
from core.make import check_settings
from core.registry import BACKENDS, TASKS
from core.settings import EnvironmentSettings
from core.task import Episode, Task
from core.world.stage import clean_scene

SEARCH = 10_000  # seeds looked at for each episode that is wanted, before giving up


@dataclass(frozen=True, kw_only=True, eq=False)
class ConditionPlan:
    """One condition and how to play it.

    Attributes:
        condition: what is stored of it.
        environment: what its episodes are played in.
        seeds: of its episodes.
    """

    condition: Condition
    environment: EnvironmentSettings
    seeds: tuple[int, ...]


def make_matrix(settings: EvaluationSettings) -> list[ConditionPlan]:
    """Every condition, in the order task, perturbation, backend; nothing is built yet.

    Conditions of one task have the same seeds, so that each episode has its clean twin and its pair in the
    other simulators.

    Args:
        settings: what is evaluated, fitted to the policy.

    Raises:
        UnknownNameError, OptionError, CapabilityError, StateError: as ``core.make_task``, and if a condition
            set is of another task or lacks a seed.
    """
    for backend in settings.backends:
        BACKENDS.target(backend)  # every name is checked before anything is imported
    tasks = {name: TASKS.load(name)() for name in settings.tasks}
    perturbed = read_perturbations(settings.perturbations)
    plans = []
    for name, task in tasks.items():
        seeds = _seeds(settings, task)
        for one in perturbed:
            _check_file(one, name, settings.split, seeds)
            for backend in settings.backends:
                plan = _plan(settings, name, one, backend, seeds)
                check_settings(plan.environment)
                plans.append(plan)
    return plans


def _plan(
    settings: EvaluationSettings,
    task: str,
    perturbed: Perturbed,
    backend: str,
    seeds: tuple[int, ...],
) -> ConditionPlan:
    condition = Condition(
        key=f"{task}|{backend}|{perturbed.label}",
        task=task,
        backend=backend,
        split=settings.split,
        perturbation=perturbed.label,
        knob=perturbed.knob,
        severity=perturbed.severity,
        category=perturbed.category,
        levels=perturbed.levels,
    )
    environment = settings.environment(task=task, backend=backend, perturbations=perturbed.option)
    return ConditionPlan(condition=condition, environment=environment, seeds=seeds)


def _check_file(perturbed: Perturbed, task: str, split: str, seeds: tuple[int, ...]) -> None:
    conditions = perturbed.conditions
    if conditions is None:
        return
    if conditions.task != task:
        raise OptionError(f"{perturbed.label} is a condition set of task {conditions.task!r}, not {task!r}")
    missing = sorted(set(seeds) - set(conditions.seeds(split)))
    if missing:
        raise OptionError(
            f"{perturbed.label} has no episode {split}/{missing[0]}; "
            f"it has {len(conditions.seeds(split))} of split {split!r}"
        )


def _seeds(settings: EvaluationSettings, task: Task) -> tuple[int, ...]:
    """The first seeds from ``settings.seed`` on whose goals are asked for."""
    first, wanted = settings.seed, settings.episodes
    if settings.goals == "all":
        return tuple(range(first, first + wanted))
    scene, found = task.stage(clean_scene()), []
    for seed in range(first, first + SEARCH * wanted):
        episode = task.make_episode(scene, split=settings.split, seed=seed)
        if goals_of(episode) == settings.goals:
            found.append(seed)
            if len(found) == wanted:
                return tuple(found)
    raise OptionError(
        f"task {task.name!r} has {len(found)} episodes with {settings.goals} goals among the "
        f"{SEARCH * wanted} seeds from {first} on, not {wanted}"
    )


def goals_of(episode: Episode) -> str:
    """``"seen"`` or ``"unseen"`` if all goals of an episode are, else ``"mixed"``."""
    from core.perturbations.heldout import goal_set

    sets = {goal_set(move.goal) for move in episode.moves}
    return sets.pop() if len(sets) == 1 else "mixed"
