"""A suite that a task must pass, for authors of plugins: ``core.testing.check_task(MyTask())``.

It asks nothing of the task but the contract of ``core.Task``, and stops at the first promise that is broken,
saying which, and for which seed.
"""

from collections.abc import Iterable, Sequence

from core.registry import BACKENDS
from core.task import Task
from core.testing.game import Ply, check_game, check_words, walk
from core.testing.knobs import check_knobs
from core.testing.play import check_play
from core.testing.promise import TaskCheckError
from core.testing.start import check_layout, check_seeding
from core.world.stage import clean_scene

__all__ = [
    "Ply",
    "TaskCheckError",
    "check_game",
    "check_knobs",
    "check_layout",
    "check_play",
    "check_seeding",
    "check_task",
    "check_words",
    "walk",
]


def check_task(
    task: Task,
    *,
    backends: Sequence[str] | None = None,
    seeds: Iterable[int] = range(25),
    played: Iterable[int] = range(2),
    split: str = "ci",
) -> None:
    """Checks all that the contract promises.

    Args:
        task: the task, made.
        backends: simulators to play in; None takes every registered one, and none at all is allowed.
        seeds: whose episodes are looked at.
        played: whose episodes are perturbed too, and played by the expert in each simulator.
        split: which family of seeds.

    Raises:
        TaskCheckError: for the first promise that is broken.
    """
    scene = task.stage(clean_scene())
    check_seeding(task, scene, seeds, split)
    for seed in seeds:
        episode = task.make_episode(scene, split=split, seed=seed)
        check_layout(episode)
        check_game(task, episode)
    check_knobs(task, scene, played, split)
    names = BACKENDS.names() if backends is None else list(backends)
    check_play(task, names, played, split)
