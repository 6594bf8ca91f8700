"""Registers BOMB's tasks with gymnasium: ``gymnasium.make("bomb:bomb/PlaceStone-v0", backend="mujoco")``.

The part before the colon makes gymnasium import ``bomb``, which registers; gymnasium 1.x reads no entry
points of its own.
"""

from typing import Any

import gymnasium
from gymnasium.envs import registration

ENVIRONMENTS = {
    "bomb/PlaceStone-v0": "place_stone",
    "bomb/MoveStone-v0": "move_stone",
    "bomb/RemoveStone-v0": "remove_stone",
    "bomb/CopyPattern-v0": "copy_pattern",
    "bomb/TicTacToe-v0": "tic_tac_toe",
    "bomb/FourInARow-v0": "four_in_a_row",
    "bomb/GoSequence-v0": "go_sequence",
}


def register() -> None:
    """Registers every environment that is not registered yet; a second call does nothing."""
    for name, task in ENVIRONMENTS.items():
        if name not in registration.registry:
            registration.register(
                id=name,
                entry_point="bomb.rollouts.gymnasium_plugin:make",
                kwargs={"task": task},
                # The environment knows its own end: max_steps, after which it holds and judges.
                max_episode_steps=None,
            )


def make(*, backend: str | None = None, render_mode: str | None = None, **options: Any) -> gymnasium.Env:
    """What ``gymnasium.make`` calls; the arguments are those of ``core.make_task``.

    Args:
        backend: out of ``core.list_backends()``; it has no default, as no simulator is the true one.
        render_mode: ``"rgb_array"`` or None; decides nothing, as the cameras do.

    Raises:
        UnknownNameError: if the backend is missing or unknown.
    """
    import core
    from core.errors import check_choice

    if render_mode is not None:
        check_choice("render_mode", render_mode, ("rgb_array",))
    return core.make_task(backend=check_choice("backend", backend, core.list_backends()), **options)
