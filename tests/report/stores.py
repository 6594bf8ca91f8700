"""Run folders with rows that were made up, through the store that real runs use."""

from collections.abc import Callable, Iterable
from pathlib import Path

from bomb.runs.rows import Condition, EpisodeRow, ErrorRow
from bomb.runs.store import RunStore, now

FAMILIES = {
    "board_pose": "board",
    "table_color": "table",
    "words": "words",
    "stone_layout": "stones",
    "bomb": "preset",
}


def condition(perturbation: str = "clean", backend: str = "mujoco", task: str = "place_stone") -> Condition:
    """A condition as `bomb evaluate` names it."""
    knob, _, level = perturbation.partition(":")
    clean = perturbation == "clean"
    return Condition(
        key=f"{task}|{backend}|{perturbation}",
        task=task,
        backend=backend,
        split="test",
        perturbation=perturbation,
        knob=None if clean else knob,
        severity=0 if clean else int(level) if level.isdigit() else None,
        category="clean" if clean else FAMILIES[knob],
        levels={} if clean else {knob: int(level) if level.isdigit() else level},
    )


def goal(seed: int) -> dict:
    """The goal of a seed: the intersections in turn."""
    return {"kind": "intersection", "color": "black", "row": seed // 5 % 5, "column": seed % 5}


def row(where: Condition, seed: int, success: bool, **changes: object) -> EpisodeRow:
    """A finished episode."""
    shared = {"goal": True, "instruction": True, "arm": True, "stones": {"moved": [3]}}
    values = {
        "condition": where.key,
        "seed": seed,
        "success": success,
        "success_once": success,
        "reason": "none" if success else "dropped",
        "reasons": [] if success else ["dropped", "off_the_board"],
        "stages": {"reached": True, "grasped": success, "int_act/success": success},
        "distance_mm": 2.0 + seed % 3 if success else 80.0,
        "verdict": {"offset_mm": [1.0, -2.0], "occupancy": [[0] * 5] * 5},
        "goal": goal(seed),
        "instruction": "place the black stone",
        "draws": {} if where.perturbation == "clean" else {"knob": {}, "twin": shared},
        "moves": {"total": 1, "done": int(success), "complete": success, "wrong": [], "placements": []},
        "steps": 100 + seed,
        "clipped": 1,
        "actions": {"path_m": 1.5},
        "timing": {
            "wall_s": 2.0,
            "sim_s": 1.0,
            "render_s": 0.4,
            "policy_s": 0.5,
            "overhead_s": 0.1,
            "looks": 20,
            "policy_ms_mean": 25.0,
            "policy_ms_p95": 40.0,
        },
        "privileged": False,
        "started": now(),
        "finished": now(),
    }
    return EpisodeRow(**{**values, **changes})


def error(where: Condition, seed: int, attempt: int = 1, kind: str = "policy") -> ErrorRow:
    """An attempt that ended in an error."""
    return ErrorRow(
        condition=where.key,
        seed=seed,
        attempt=attempt,
        kind=kind,
        step=12,
        value="nan in action 2, entry 0",
        message="ActionError: nan",
        traceback="...",
        at=now(),
    )


def settings(policy: str = "clever", episodes: int = 0, **about: object) -> dict:
    """Settings as a run has them; ``about`` is what the policy says of itself."""
    return {
        "episodes": episodes,
        "policy": {"words": policy, "describe": about, "privileged": False},
        "cameras": ["head"],
        "control_hz": 20,
        "versions": {"bomb": "0.1.0"},
    }


def make_run(
    path: Path,
    outcome: Callable[[Condition, int], bool | None],
    *,
    conditions: Iterable[Condition],
    seeds: Iterable[int] = range(50),
    policy: str = "clever",
    errors: Iterable[ErrorRow] = (),
    change: Callable[[Condition, int], dict] = lambda where, seed: {},
    episodes: int = 0,
    terms: dict | None = None,
    **about: object,
) -> Path:
    """A run in which ``outcome`` says who succeeds, None leaves one out; ``terms`` are more settings."""
    conditions = list(conditions)
    asked = {**settings(policy, episodes, **about), **(terms or {})}
    with RunStore.create(path, asked, conditions) as store:
        for where in conditions:
            for seed in seeds:
                success = outcome(where, seed)
                if success is not None:
                    store.add(row(where, seed, success, **change(where, seed)))
        for entry in errors:
            store.add_error(entry)
    return path
