"""What is handed to a worker, and what comes back."""

import traceback as tracebacks
from dataclasses import dataclass, field

from bomb.disk.text import kept, message_of
from bomb.evaluation.matrix import ConditionPlan
from bomb.evaluation.settings import ExecutionSettings
from bomb.rollouts.chunks import ChunkExecution
from bomb.runs.rows import EpisodeRow, ErrorRow
from bomb.runs.store import now
from core.errors import ConventionError, PolicyError, PolicyTimeoutError
from core.registry import registrations


@dataclass(frozen=True, kw_only=True)
class PolicyAddress:
    """Where the policy process listens: a path or (host, port), and the key that opens it."""

    place: str | tuple[str, int]
    key: bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Setup:
    """What a worker needs to know once.

    Attributes:
        policy: words that make it.
        address: of the policy process; None: the worker makes a policy of its own.
        chunks: how chunks are executed.
        plans: the matrix, by key of the condition.
        execution: time limits and what is kept.
        threads: how many threads a renderer in software may use.
        registered: what was registered at run time, see ``core.registry``.
    """

    policy: str
    address: PolicyAddress | None
    chunks: ChunkExecution
    plans: dict[str, ConditionPlan]
    execution: ExecutionSettings
    threads: int = 1
    registered: dict[str, dict[str, str]] = field(default_factory=registrations)


@dataclass(frozen=True, kw_only=True)
class EpisodeJob:
    """One attempt at one episode."""

    condition: str
    seed: int
    attempt: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class JobOutcome:
    """What became of a job: an episode, or an error.

    Attributes:
        job: what was asked.
        row: the episode; None after an error.
        record: its series, ``EpisodeRecord.to_bytes()``.
        states: its full states, where they are kept.
        video: an mp4, where it was filmed.
        error: why there is no episode.
        hopeless: whether every other episode would end with the same error.
    """

    job: EpisodeJob
    row: EpisodeRow | None = None
    record: bytes | None = None
    states: bytes | None = None
    video: bytes | None = None
    error: ErrorRow | None = None
    hopeless: bool = False


def failed(
    job: EpisodeJob, kind: str, message: str, *, step: int | None = None, value: str | None = None
) -> JobOutcome:
    """The outcome of a job that failed without raising here."""
    error = ErrorRow(
        condition=job.condition,
        seed=job.seed,
        attempt=job.attempt,
        kind=kind,
        step=step,
        value=value,
        message=kept(message),
        traceback="",
        at=now(),
    )
    return JobOutcome(job=job, error=error)


def raised(job: EpisodeJob, error: BaseException) -> JobOutcome:
    """The outcome of a job that raised."""
    ours = error if isinstance(error, PolicyError) else None
    kind = "timeout" if isinstance(error, PolicyTimeoutError) else "policy" if ours else "engine"
    row = ErrorRow(
        condition=job.condition,
        seed=job.seed,
        attempt=job.attempt,
        kind=kind,
        step=ours.step if ours else None,
        value=kept(ours.value) if ours and ours.value is not None else None,
        message=kept(message_of(error) if ours else f"{type(error).__name__}: {message_of(error)}"),
        traceback=kept("".join(tracebacks.format_exception(error))),
        at=now(),
    )
    return JobOutcome(job=job, error=row, hopeless=isinstance(error, ConventionError))
