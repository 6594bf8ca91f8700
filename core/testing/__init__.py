"""What the parts of an author of plugins must pass: ``core.testing.check_task(MyTask())`` and its like.

``check_task``, ``check_backend``, ``check_policy`` and ``check_knob`` ask nothing but the contracts of
``core.Task``, ``core.Backend``, ``core.Policy`` and ``core.Perturbation``. They stop at the first promise
that is broken and say which. BOMB's own parts pass them in its tests.
"""

from collections.abc import Iterable, Sequence

from core.registry import BACKENDS
from core.task import Task
from core.testing.backend_contract import check_backend
from core.testing.game import Ply, check_game, check_words, walk
from core.testing.knob_contract import check_knob
from core.testing.knobs import check_knobs
from core.testing.play import check_play
from core.testing.policy_contract import check_policy
from core.testing.promise import ContractError, TaskCheckError
from core.testing.start import check_layout, check_seeding
from core.world.stage import clean_scene

__all__ = [
    "ContractError",
    "Ply",
    "TaskCheckError",
    "check_backend",
    "check_game",
    "check_knob",
    "check_knobs",
    "check_layout",
    "check_play",
    "check_policy",
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
