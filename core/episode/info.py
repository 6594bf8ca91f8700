"""``info``: what ``reset`` and ``step`` tell beside the observation."""

from dataclasses import asdict
from typing import Any

from core.judge.referee import Referee
from core.perturbations.base import copied
from core.task import Episode


def episode_info(episode: Episode, referee: Referee, *, sim_time: float, clipped: int) -> dict[str, Any]:
    """Plain numbers, strings, bools, lists and dicts; None where something is undefined, never NaN.

    Everything is made anew every time: users keep what they are given, and may change it.

    Args:
        episode: what is played.
        referee: who judges it.
        sim_time: seconds since reset.
        clipped: actions so far that were outside the declared box.
    """
    placement, move = referee.verdict.to_dict(), referee.move
    return {
        "seed": episode.seed,
        "split": episode.split,
        "success": referee.success,
        "is_success": referee.success,
        "success_once": referee.success_once,
        "placement": placement,
        "stage": placement["stages"],
        "perturbation": copied(episode.perturbation),
        "goal": move.goal.to_dict(),
        "moves": referee.info(),
        "spans": {
            name: {"start": span.start, "end": span.end} for name, span in move.instruction.spans.items()
        },
        "sim_time": sim_time,
        "clipped": clipped,
    }


def episode_about(
    episode: Episode, referee: Referee, *, backend: str, action_mode: str, control_hz: int
) -> dict[str, Any]:
    """What an episode was and how it ended, as its record has it."""
    board = episode.scene.board
    return {
        "task": episode.task,
        "backend": backend,
        "split": episode.split,
        "seed": episode.seed,
        "instruction": episode.instruction.text,
        "goal": episode.goal.to_dict(),
        "perturbation": episode.perturbation,
        "board_size": board.size,
        "pitch": board.pitch,
        "action_mode": action_mode,
        "control_hz": control_hz,
        "tolerances": asdict(referee.tolerances),
        "verdict": referee.verdict.to_dict(),
        "moves": referee.info(),
    }
