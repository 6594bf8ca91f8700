"""What a report says, as plain data: everything that the page, JSON, CSV and markdown read.

Every class is frozen; ``Summary.to_dict()`` gives JSON without NaN. A rate is *of completed episodes*: those
that could not be played are counted beside it, never in it.
"""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from bomb.report.compared import Comparison, RunComparison, SimulatorAgreement, TrainingGrid
from bomb.statistics import Estimate

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One intersection as a goal.

    Attributes:
        row, column: of the intersection.
        success: of the episodes whose goal it was.
        placed: how many placements on it the next two are about.
        distance_mm: median distance of these from it.
        offset_mm: their mean offset [x, y] in the board frame; None without any.
    """

    row: int
    column: int
    success: Estimate
    placed: int
    distance_mm: Estimate
    offset_mm: list[float] | None


@dataclass(frozen=True, kw_only=True)
class BoardMap:
    """Success and offset by intersection; ``cells`` has those that were asked for, ``size`` is of an edge."""

    size: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class ConditionSummary:
    """One condition of one run.

    Attributes:
        run: name of the run. key: of the condition in it; the next eight are as in the run's store.
        episodes: how many were completed. unplayed: how many could not be, after every attempt.
        asked: how many there shall be in the end; None where the run does not say.
        success, success_once: at the end, and at any time; of completed episodes.
        by_carrying: success in which a stone was grasped and lifted, out of the same episodes.
        without_words: what a perfect eye that hears nothing gets right at most, see ``bomb.report.ceilings``.
        success_at_worst: at the end, if every unplayed episode is counted as a failure.
        stages: flag to share of episodes, ours and ``int_act/*``.
        reasons: first reason of the failures, most frequent first. all_reasons: every one that applies.
        distance_median_mm, distance_p95_mm: placement error among episodes that ended in success.
        moves: how far tasks with several moves got, see ``moves_in_a_row``; None for single moves.
        board: by intersection; None where goals are none.
        steps: median number of actions. clipped: share of actions outside of the declared box.
        path_m: median path of the tool centre point.
        versus_clean: against the clean twins; None for the clean condition itself, or without one.
    """

    run: str
    key: str
    task: str
    backend: str
    split: str
    perturbation: str
    knob: str | None
    severity: int | None
    category: str
    levels: dict[str, Any]
    episodes: int
    unplayed: int
    asked: int | None
    success: Estimate
    success_once: Estimate
    success_at_worst: Estimate
    by_carrying: Estimate
    without_words: Estimate
    stages: dict[str, Estimate]
    reasons: dict[str, int]
    all_reasons: dict[str, int]
    distance_median_mm: Estimate
    distance_p95_mm: Estimate
    moves: dict[str, Any] | None
    board: BoardMap | None
    steps: Estimate
    clipped: float | None
    path_m: Estimate
    versus_clean: Comparison | None


@dataclass(frozen=True, kw_only=True)
class Group:
    """Several conditions of one run pooled, in one task, backend and split.

    Attributes:
        category: of the conditions; ``"clean"``, or ``"perturbed"`` for all that are not.
        severity: of the conditions; None for those without, or for all.
        perturbations: labels of what is pooled.
        episodes: how many.
        success, success_once, by_carrying: with an interval that knows that a seed was played several times.
        versus_clean: success minus that of the clean twins, over all pairs, with an interval that knows that
            a seed was played several times; undefined without twins.
        pairs: episodes with a clean twin. paired: success of these. clean_twins: success of their twins.
        differs: what the twins' run was made with that this one was not, in words.
    """

    run: str
    task: str
    backend: str
    split: str
    category: str
    severity: int | None
    perturbations: tuple[str, ...]
    episodes: int
    success: Estimate
    success_once: Estimate
    by_carrying: Estimate
    versus_clean: Estimate
    pairs: int
    paired: Estimate
    clean_twins: Estimate
    differs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DrawGroup:
    """The episodes of a condition in which a knob drew about the same; ``label`` says what."""

    label: str
    success: Estimate


@dataclass(frozen=True, kw_only=True)
class DrawTable:
    """Success of the episodes of one condition, grouped by one value that one knob drew.

    Attributes:
        knob: that drew it. value: its name in the draw, that of the camera before it.
        groups: of the episodes, each in one.
        p_value: that the groups differ by chance as much as they do; by permutation.
        p_holm: the same, corrected for all groupings of the condition.
    """

    run: str
    task: str
    backend: str
    split: str
    perturbation: str
    knob: str
    value: str
    groups: tuple[DrawGroup, ...]
    p_value: float
    p_holm: float | None


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Success at one severity; severity 0 is the clean world."""

    severity: int
    perturbation: str
    success: Estimate
    versus_clean: Estimate


@dataclass(frozen=True, kw_only=True)
class SeverityCurve:
    """Success against the severity of one knob or preset; ``differs`` as in ``Group``."""

    run: str
    task: str
    backend: str
    split: str
    name: str
    category: str
    points: tuple[CurvePoint, ...]
    differs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """What a run cost in one backend; times are of the machine that is named in the provenance.

    Attributes:
        parameters: of the policy; memory_mb: what its weights take. None where it does not say.
        policy_ms_mean, policy_ms_p95: of one decision; medians over episodes of the episode's own.
        policy_hz: decisions a second that the policy could make: 1000 / its mean latency.
        actions_hz: actions a second that came of them: actions executed / seconds that the policy took.
        actions_per_decision: how many were executed before the policy was asked again, on average.
        steps_per_s: actions a second over whole episodes. episode_s: wall time of one.
        shares: of the wall time, by ``sim``, ``render``, ``policy``, ``overhead``.
    """

    backend: str
    episodes: int
    parameters: int | None
    memory_mb: float | None
    policy_ms_mean: Estimate
    policy_ms_p95: Estimate
    policy_hz: float | None
    actions_hz: float | None
    actions_per_decision: float | None
    steps_per_s: float | None
    episode_s: Estimate
    shares: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class ErrorSummary:
    """Attempts that ended in an error: the policy's hand did not fail.

    Attributes:
        attempts: how many. unplayed: episodes without a result after them. recovered: those with one.
        kinds: attempts by kind.
        examples: the last attempt of each unplayed episode, at most 20: ``condition``, ``seed``, ``kind``,
            ``step``, ``value``, ``message``.
    """

    attempts: int
    unplayed: int
    recovered: int
    kinds: dict[str, int]
    examples: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One run.

    Attributes:
        name: unique among the runs of the report. path: of its folder, as given.
        policy: its words. privileged: whether it saw the true state. describe: what it says of itself.
        baseline: ``"blind"``, ``"mute"`` or ``"masked"`` if the policy is such a wrapper; else None.
        provenance: everything else in the run's settings: versions, hardware, git, renderer, ...
        started, finished: first and last, ISO 8601 UTC; None for a run without episodes.
        episodes: completed ones.
        errors, conditions, groups, curves, draws, efficiency: see there. ``groups`` has clean and perturbed
            pooled (``severity`` None) and every category x severity.
    """

    name: str
    path: str
    policy: str
    privileged: bool
    describe: dict[str, Any]
    baseline: str | None
    provenance: dict[str, Any]
    started: str | None
    finished: str | None
    episodes: int
    errors: ErrorSummary
    conditions: tuple[ConditionSummary, ...]
    groups: tuple[Group, ...]
    curves: tuple[SeverityCurve, ...]
    draws: tuple[DrawTable, ...]
    efficiency: tuple[Efficiency, ...]


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """What a condition of a run can be solved with, without what the task is about.

    Attributes:
        run, task, backend, split, perturbation: the condition.
        success, by_carrying, without_words: as in ``ConditionSummary``.
        policies: ``"feeler"``, ``"push"``, ``"mute"`` and ``"blind"`` to the success of that policy over the
            episodes that both runs have; those of which a run was given. ``mute`` and ``blind`` are around
            the policy of the run.
        differs: what these runs were made with, or played under, that the run was not.
    """

    run: str
    task: str
    backend: str
    split: str
    perturbation: str
    success: Estimate
    by_carrying: Estimate
    without_words: Estimate
    policies: dict[str, Estimate]
    differs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A whole report.

    Attributes:
        confidence: of every interval. level: of every family of tests.
        margin: of equality; None: it is not claimed.
        runs: in the order given.
        simulators: for each run with two backends, over all seeds and over the expert's; then over policies.
        comparisons: pairs of runs that have conditions in common.
        ceilings: every condition of every run that is no ceiling itself.
        training: 2 x 2 grids.
        notes: what could not be compared, and why.
    """

    format: int
    confidence: float
    level: float
    margin: float | None
    runs: tuple[RunSummary, ...]
    simulators: tuple[SimulatorAgreement, ...]
    comparisons: tuple[RunComparison, ...]
    ceilings: tuple[Ceiling, ...]
    training: tuple[TrainingGrid, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {entry.name: plain(getattr(self, entry.name)) for entry in fields(self)}


def plain(value: object) -> object:
    """Dataclasses and tuples as dicts and lists; an ``Estimate`` as its own ``to_dict`` has it."""
    if isinstance(value, Estimate):
        return value.to_dict()
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value
