"""What a run consists of: conditions, episodes and errors, as plain values."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One cell of the matrix; the same seeds are played in each.

    Attributes:
        key: unique in a run and readable: ``"place_stone|mujoco|board_pose:3"``.
        task, backend, split: registered names.
        perturbation: its label: ``"clean"``, ``"board_pose:3"``, ``"bomb:5"``, ``"words:letters"``, or
            ``"file.json#1a2b3c4d"``, a condition set with the beginning of its hash.
        knob: the knob or preset, where the label is of a single one; None for a clean world or a mixture.
        severity: 0 to 5, where one was named; 0 for a clean world; None for a set of words or a mixture.
        category: family of the knob, ``"preset"``, ``"mixture"``, or ``"clean"``.
        levels: every knob that is on to its severity or set.
    """

    key: str
    task: str
    backend: str
    split: str
    perturbation: str = "clean"
    knob: str | None = None
    severity: int | None = None
    category: str = "clean"
    levels: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EpisodeRow:
    """One finished episode, without its series.

    Attributes:
        condition: key of its condition.
        seed: of the episode; the policy's own noise is drawn from it, too.
        success: at the end. success_once: at any time.
        reason: the first that applies out of ``core.judge.checker.REASONS``; ``"none"`` after success.
        reasons: all that apply; empty after success.
        stages: stage flag to whether it ever held, ours and INT-ACT's (``"int_act/..."``).
        distance_mm: the stone from where it belongs, None where there is no such distance.
        verdict, goal, instruction: as in ``info``.
        draws: ``info["perturbation"]``: what every knob drew, and ``"twin"``.
        moves: ``info["moves"]``, of tasks with several moves.
        steps: actions executed. clipped: how many of them were outside of the declared box.
        actions: per dimension ``mean``, ``std``, ``min`` and ``max``, float lists of 4, and ``path_m``, how
            far the tool centre point went.
        timing: ``wall_s``, ``sim_s`` (in the engine), ``render_s`` (in the renderer), ``policy_s`` (waiting
            for the policy), ``overhead_s`` (the rest); ``looks``, how often the policy decided, and
            ``policy_ms_mean``, ``policy_ms_p95`` of its answers.
        privileged: whether the policy saw the true state.
        attempt: 1 if it went well at once; errors before it are rows of their own.
        worker: who played it, ``"host:process"``.
        started, finished: ISO 8601, UTC.
    """

    condition: str
    seed: int
    success: bool
    success_once: bool
    reason: str
    reasons: list[Any]
    stages: dict[str, Any]
    distance_mm: float | None
    verdict: dict[str, Any]
    goal: dict[str, Any]
    instruction: str
    draws: dict[str, Any]
    moves: dict[str, Any]
    steps: int
    clipped: int
    actions: dict[str, Any]
    timing: dict[str, Any]
    privileged: bool
    attempt: int = 1
    worker: str = ""
    started: str = ""
    finished: str = ""

    @property
    def carried(self) -> bool | None:
        """Whether it ended in success with a stone that was grasped and lifted; None without these stages.

        Success is where stones end. One that was slid along the board to its intersection is none that was
        carried.
        """
        if not self.stages.keys() >= {"grasped", "lifted"}:
            return None
        return self.success and self.stages["grasped"] and self.stages["lifted"]


@dataclass(frozen=True, kw_only=True)
class ErrorRow:
    """An attempt that ended in an error: the policy's hand did not fail, and no rate counts it.

    Attributes:
        condition, seed, attempt: what was being played.
        kind: one of ``KINDS``.
        step: actions executed before it, None where that is not known.
        value: the offending value in a few words, for example ``"nan in action 2, entry 0"``.
        message, traceback: of the exception.
        at: ISO 8601, UTC.
    """

    condition: str
    seed: int
    attempt: int
    kind: str
    step: int | None
    value: str | None
    message: str
    traceback: str
    at: str


KINDS: dict[str, str] = {
    "policy": "the policy raised, or returned what cannot be executed",
    "engine": "the simulator, the renderer or the task raised",
    "timeout": "the policy or the episode took longer than was allowed",
    "worker": "the process that played it died",
}
