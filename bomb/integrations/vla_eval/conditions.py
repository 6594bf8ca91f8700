"""Which tasks and perturbations a run has: one entry of vla-eval's task list for each pair."""

from dataclasses import dataclass

from core.errors import OptionError
from core.perturbations.presets import make_suite
from core.registry import TASKS

CLEAN = "clean"


@dataclass(frozen=True, kw_only=True)
class TaskCondition:
    """One task under one perturbation.

    Attributes:
        task: registered name.
        label: of the perturbation, as ``core.make_task`` reads it where it is a string.
        perturbation: what ``core.make_task`` takes.
    """

    task: str
    label: str
    perturbation: object

    @property
    def name(self) -> str:
        """``place_stone, board_pose:3``."""
        return f"{self.task}, {self.label}"


def conditions(task: str | list[str], perturbations: object) -> list[TaskCondition]:
    """Every task under every perturbation.

    Args:
        task: a name or several.
        perturbations: None, a string or a dict for one; a list for several, in which a list is again one,
            of several parts.

    Raises:
        UnknownNameError, OptionError: for a task or a perturbation that does not exist, or one named twice.
    """
    names = [task] if isinstance(task, str) else list(task)
    if not names:
        raise OptionError("task must name at least one task")
    several = list(perturbations) if isinstance(perturbations, (list, tuple)) else [perturbations]
    if not several:
        raise OptionError("perturbations must have at least one entry; null is the clean world")
    found = []
    for name in names:
        TASKS.target(name)
        for entry in several:
            make_suite(entry)  # refuses what does not exist before anything is built
            found.append(TaskCondition(task=name, label=label(entry), perturbation=entry))
    doubles = sorted({c.name for c in found if sum(c.name == other.name for other in found) > 1})
    if doubles:
        raise OptionError(f"named twice: {'; '.join(doubles)}")
    return found


def label(perturbation: object) -> str:
    """A perturbation as one word: ``clean``, ``bomb:5``, ``board_pose:3+words:letters``."""
    if isinstance(perturbation, (list, tuple)):
        return "+".join(label(part) for part in perturbation) or CLEAN
    if isinstance(perturbation, dict):
        return "+".join(f"{name}:{level}" for name, level in perturbation.items()) or CLEAN
    return CLEAN if perturbation is None else str(perturbation)
