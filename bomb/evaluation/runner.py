"""A run from its settings to its result."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bomb.disk.files import write_bytes, write_json
from bomb.evaluation.executors.base import Executor
from bomb.evaluation.executors.make import make_executor
from bomb.evaluation.jobs import JobOutcome, Setup
from bomb.evaluation.matrix import ConditionPlan, make_matrix
from bomb.evaluation.perturbed import read_perturbations
from bomb.evaluation.schedule import Schedule
from bomb.evaluation.settings import EvaluationSettings, ExecutionSettings
from bomb.evaluation.tally import tally
from bomb.evaluation.workers.policy_process import PolicyProcess
from bomb.evaluation.workers.policy_server import PolicyAbout
from bomb.machine.provenance import git_state, hardware
from bomb.machine.versions import versions
from bomb.policies.making import policy_class
from bomb.processes.main_program import check_main_program
from bomb.rollouts.chunks import ChunkExecution
from bomb.runs.rows import EpisodeRow, ErrorRow
from bomb.runs.store import RunStore
from core.errors import ConventionError, OptionError, check_choice
from core.judge.checker import Tolerances
from core.registry import BACKENDS, TASKS
from core.rendering.sight import Sight
from core.seeding import PrivateSplit
from core.settings import DEFAULT_SUPERSAMPLE, EPISODE_OPTIONS
from core.world.stage import CAMERAS
from core.world.temporary import temporary_folder

PATIENCE_S = 0.5  # between looks at the policy process
# A run in which nothing succeeds is broken: so many errors in a row end it.
ENOUGH_ERRORS = 20

RowListener = Callable[[EpisodeRow | ErrorRow], None]


def evaluate(
    settings: EvaluationSettings,
    out: Path | None = None,
    *,
    execution: ExecutionSettings | None = None,
    report: RowListener | None = None,
    begin: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Plays the episodes that are not in ``out`` yet and sums up all of them.

    An attempt that ends with an error is kept apart: the policy did not fail, and no rate counts it. It is
    retried, and played again when the run is resumed. Ctrl-C ends the run with what
    is finished.

    Workers are spawned: scripts that call this need ``if __name__ == "__main__":``.

    Args:
        settings: what to evaluate.
        out: run folder, see ``bomb.runs.store``; None keeps nothing.
        execution: how to carry it out; None: one local worker a core.
        report: called with each new row, in the order in which they end.
        begin: called once as ``begin(episodes in all, episodes that are there already)``.

    Returns:
        The result as plain values, see ``summary``.

    Raises:
        UnknownNameError, OptionError, CapabilityError: for settings that are not allowed, before anything is
            played.
        ConventionError: if the policy acts or looks otherwise than the settings say, likewise.
        FileError: if ``out`` is something else, or another process writes to it.
    """
    start, execution = time.perf_counter(), execution or ExecutionSettings()
    if out is None and (execution.videos, execution.states) != ("none", "none"):
        raise OptionError("videos and states need a run folder to be kept in")
    _check_names(settings)
    check_main_program(settings.policy)
    with ExitStack() as stack:
        executor = stack.enter_context(make_executor(execution, _most_jobs(settings)))
        process = PolicyProcess(settings.policy, execution, executor.host)
        stack.callback(process.close)
        sight = Sight.read(process.about.description)
        settings = settings.fitted(sight, privileged=process.about.privileged)
        plans = make_matrix(settings)
        described = _described(settings, execution, process.about, plans)
        _check_split(settings, process.about.description)
        _check_actions(settings, process.about.description)
        if out is None:
            out = stack.enter_context(temporary_folder("run")) / "run"
        store = stack.enter_context(RunStore.create(out, described, [plan.condition for plan in plans]))
        setup = Setup(
            policy=settings.policy,
            address=process.address,
            chunks=ChunkExecution.parse(settings.chunks),
            plans={plan.condition.key: plan for plan in plans},
            execution=execution,
            threads=executor.threads,
        )
        run = _Run(store, executor, process, plans, execution, report)
        if begin is not None:
            begin(sum(len(plan.seeds) for plan in plans), len(run.finished))
        stopped = run.play(setup)
        result = summary(store, plans, stopped, time.perf_counter() - start)
        write_json(out / "summary.json", result)
    return result


class _Run:
    """The loop of the parent: the only one that writes."""

    def __init__(
        self,
        store: RunStore,
        executor: Executor,
        process: PolicyProcess,
        plans: list[ConditionPlan],
        execution: ExecutionSettings,
        report: RowListener | None,
    ):
        self._store, self._executor, self._process = store, executor, process
        self._report = report or (lambda row: None)
        wanted = {(plan.condition.key, seed) for plan in plans for seed in plan.seeds}
        self.finished = store.finished() & wanted
        before = Counter((error.condition, error.seed) for error in store.errors())
        self._schedule = Schedule(plans, self.finished, execution.retries, before)
        self._errors_in_a_row = 0

    def play(self, setup: Setup) -> str | None:
        """Plays what is left; returns why it stopped before the end, None if it did not."""
        if not self._schedule.left:
            return None
        self._executor.begin(setup)
        try:
            while self._schedule.left:
                for worker in self._executor.idle():
                    job = self._schedule.next(worker)
                    if job is not None:
                        self._executor.submit(worker, job)
                self._process.check()
                for outcome in self._executor.wait(PATIENCE_S):
                    self._take(outcome)
                    if outcome.hopeless:
                        return outcome.error.message if outcome.error is not None else "hopeless"
                if self._errors_in_a_row >= ENOUGH_ERRORS:
                    return f"{ENOUGH_ERRORS} errors in a row, the last: {self._store.errors()[-1].message}"
        except KeyboardInterrupt:
            return "interrupted"
        return None

    def _take(self, outcome: JobOutcome) -> None:
        if outcome.error is not None:
            self._store.add_error(outcome.error)
            self._schedule.failed(outcome.job)
            self._errors_in_a_row += 1
            if outcome.error.kind == "timeout":
                self._process.restart()
            self._report(outcome.error)
        elif (row := outcome.row) is not None:
            if outcome.video is not None:
                write_bytes(self._store.path / "videos" / video_name(row), outcome.video)
            self._store.add(row, outcome.record, outcome.states)
            self._schedule.played(outcome.job)
            self._errors_in_a_row = 0
            self._report(row)


def video_name(row: EpisodeRow) -> str:
    """File of an episode's video in ``RUN/videos``."""
    place = "".join(c if c.isalnum() or c in "-+." else "_" for c in row.condition)
    return f"{place}_{row.seed:06d}.mp4"


def summary(
    store: RunStore, plans: list[ConditionPlan], stopped: str | None, wall_s: float
) -> dict[str, Any]:
    """The result of a run so far.

    Returns:
        The settings; ``conditions``, for each what ``bomb.evaluation.tally`` makes of it; ``errors_in_all``,
        how many attempts ended with an error; ``complete``, ``stopped`` (why, or None) and ``wall_s``. Where
        there is one condition only, its numbers stand beside these too.
    """
    described, entries, unplayed = store.settings(), [], store.unplayed()
    for plan in plans:
        condition, seeds = plan.condition, set(plan.seeds)
        rows = [row for row in store.episodes(condition.key) if row.seed in seeds]
        errors = [e for e in unplayed if e.condition == condition.key and e.seed in seeds]
        entries.append(
            {
                "condition": condition.key,
                "task": condition.task,
                "backend": condition.backend,
                "perturbation": condition.perturbation,
                "asked": len(plan.seeds),
                **tally(rows, errors),
            }
        )
    return {
        **{name: described[name] for name in SHOWN},
        **{name: described[name] for name in ("salt_sha256",) if name in described},
        "policy": described["policy"]["words"],
        "privileged": described["policy"]["privileged"],
        **(entries[0] if len(entries) == 1 else {}),
        "conditions": entries,
        "errors_in_all": len(store.errors()),
        "complete": stopped is None and all(entry["n"] == entry["asked"] for entry in entries),
        "stopped": stopped,
        "wall_s": round(wall_s, 3),
    }


SHOWN = ("episodes", "seed", "goals", "cameras", "modalities", *EPISODE_OPTIONS, "chunk")


def _check_names(settings: EvaluationSettings) -> None:
    """Every name is right before a process is started."""
    policy_class(settings.policy)
    for backend in settings.backends:
        BACKENDS.target(backend)
    for task in settings.tasks:
        TASKS.target(task)
    for camera in settings.cameras or ():
        check_choice("camera", camera, CAMERAS)
    read_perturbations(settings.perturbations)


def _check_split(settings: EvaluationSettings, description: dict[str, Any]) -> None:
    trained = {entry.get("split") for entry in description.get("trained_on") or ()}
    if settings.split in trained and not settings.allow_training_split:
        raise OptionError(
            f"policy {settings.policy!r} was trained on split {settings.split!r}: choose another split, "
            "or say --allow-training-split"
        )


def _check_actions(settings: EvaluationSettings, description: dict[str, Any]) -> None:
    recorded = description.get("recorded_split")
    if recorded is not None and recorded != settings.split:
        # The same seed is another episode there: what comes out would look like the policy's failure.
        raise ConventionError(
            f"policy {settings.policy!r} has the actions of split {recorded!r}, it is to be evaluated on "
            f"{settings.split!r}; say --split {recorded}"
        )
    for name in ("action_mode", "control_hz"):
        meant, asked = description.get(name), getattr(settings, name)
        if meant is not None and meant != asked:
            raise ConventionError(
                f"policy {settings.policy!r} acts with {name} {meant!r}, it is to be evaluated with {asked!r}"
            )


def _most_jobs(settings: EvaluationSettings) -> int:
    """No run has more episodes than this: a word may stand for six severities."""
    conditions = len(settings.tasks) * len(settings.backends) * 6 * len(settings.perturbations)
    return settings.episodes * conditions


def _described(
    settings: EvaluationSettings,
    execution: ExecutionSettings,
    about: PolicyAbout,
    plans: list[ConditionPlan],
) -> dict[str, Any]:
    """The settings as the store has them, with what the run is made with."""
    plain = settings.to_dict()
    machine = hardware(renders=bool(settings.cameras) or execution.videos != "none", device=settings.device)
    return {
        **{name: value for name, value in plain.items() if name not in ("chunks", "renderer")},
        "policy": {
            "words": settings.policy,
            "privileged": about.privileged,
            "batches": about.batches,
            "describe": about.description,
        },
        "chunk": settings.chunks,
        "perturbation_words": list(settings.perturbations),
        "perturbations": list(dict.fromkeys(plan.condition.perturbation for plan in plans)),
        "trained_on": about.description.get("trained_on"),
        "supersample": settings.supersample or DEFAULT_SUPERSAMPLE,
        "drawn_by": settings.renderer,  # None: each engine draws its own; "renderer" is the driver
        "renderer": machine["renderer"] if settings.cameras else None,
        "versions": versions(),
        "tolerances": asdict(Tolerances()),
        **({"salt_sha256": settings.split.salt_sha256} if isinstance(settings.split, PrivateSplit) else {}),
        "execution": execution.to_dict(),
        "hardware": machine,
        "git": git_state(),
    }
