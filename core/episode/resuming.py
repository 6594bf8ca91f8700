"""Whether an environment can resume what another one saved, and the referee who takes it up there."""

from dataclasses import asdict
from typing import Any

from core.control.actions import ActionSpec
from core.episode.snapshot import Snapshot
from core.errors import StateError
from core.judge.checker import Tolerances
from core.judge.measuring import Measurer
from core.judge.referee import Referee
from core.task import Episode, Task
from core.world.kinematics import Kinematics


def terms(task: Task, action: ActionSpec, tolerances: Tolerances) -> dict[str, Any]:
    """What the environment that saves and the one that loads must have in common, as plain values."""
    return {
        "task": task.name,
        "action_mode": action.mode,
        "control_hz": action.control_hz,
        "tolerances": asdict(tolerances),
    }


def check_terms(snapshot: Snapshot, here: dict[str, Any]) -> None:
    """Returns if an environment of these ``terms`` can resume there.

    Raises:
        StateError: naming the first that differs.
    """
    for key, value in here.items():
        if snapshot.header.get(key) != value:
            raise StateError(
                f"saved state has {key} {snapshot.header.get(key)!r}, this environment {value!r}"
            )


def resumed_referee(snapshot: Snapshot, task: Task, episode: Episode, tolerances: Tolerances) -> Referee:
    """The referee as it was when the snapshot was made. Nothing has moved for it.

    Args:
        snapshot: saved bytes, read.
        task: of the environment.
        episode: what the environment makes of the saved split and seed.
        tolerances: of the environment.

    Raises:
        StateError: if the snapshot is not of this episode.
    """
    if snapshot.header["perturbation"] != episode.perturbation:
        raise StateError("saved state was perturbed otherwise than this environment's episodes are")
    if not set(episode.state.stone_ids) <= set(snapshot.scene_state.stone_ids):
        raise StateError("saved state lacks stones of its episode: another version wrote it")
    measure = Measurer(episode.scene, Kinematics(episode.scene.robot))
    referee = Referee(task, episode, tolerances, measure(episode.state))
    referee.set_state(snapshot.header["referee"], snapshot.start, measure(snapshot.start), snapshot.judges)
    return referee
