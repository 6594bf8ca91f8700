"""Rows to put into stores."""

from dataclasses import replace

from bomb.runs.store import Condition, EpisodeRow, ErrorRow

CLEAN = Condition(
    key="place_stone|mujoco|clean", task="place_stone", backend="mujoco", split="ci", severity=0
)
MOVED = replace(
    CLEAN,
    key="place_stone|mujoco|board_pose:3",
    perturbation="board_pose:3",
    knob="board_pose",
    severity=3,
    category="board",
    levels={"board_pose": 3},
)


def episode(condition: str = CLEAN.key, seed: int = 0, **changes) -> EpisodeRow:
    """A row with every field filled in."""
    row = EpisodeRow(
        condition=condition,
        seed=seed,
        success=False,
        success_once=True,
        reason="wrong_intersection",
        reasons=["wrong_intersection", "beyond_tolerance"],
        stages={"grasped": True, "int_act/lifted": False},
        distance_mm=55.25,
        verdict={"success": False, "distance_mm": 55.25},
        goal={"kind": "intersection", "row": 1, "column": 2, "color": "black"},
        instruction="Place it.",
        draws={"board_pose": {"severity": 3, "x": 0.01}, "twin": {"goal": True}},
        moves={"total": 1, "done": 0},
        steps=120,
        clipped=2,
        actions={"mean": [0.0, 0.1, 0.2, 0.3], "path_m": 1.25},
        timing={"wall_s": 1.5, "looks": 120},
        privileged=True,
        attempt=2,
        worker="host:12",
        started="2026-01-01T00:00:00.000+00:00",
        finished="2026-01-01T00:00:01.500+00:00",
    )
    return replace(row, **changes)


def error(condition: str = CLEAN.key, seed: int = 1, **changes) -> ErrorRow:
    """An error of a policy."""
    row = ErrorRow(
        condition=condition,
        seed=seed,
        attempt=1,
        kind="policy",
        step=7,
        value="nan in action 0, entry 1",
        message="ActionError: nan",
        traceback="Traceback ...",
        at="2026-01-01T00:00:00.000+00:00",
    )
    return replace(row, **changes)
