"""One line of the table: a policy in one condition and engine, out of a stored run."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from bomb.disk.files import FileError
from bomb.disk.plain import PlainError, build
from bomb.report.conditions import summarise_condition
from bomb.report.loading import LoadedRun
from bomb.runs.rows import Condition
from bomb.statistics import Estimate, wilson
from core.errors import OptionError
from core.seeding import PRIVATE
from core.settings import EpisodeSettings

SPLITS = ("test", PRIVATE)  # others are for choosing, tuning or training
MUST = ("stop_on_success", "max_steps")  # settings that must be the defaults


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A policy in one condition and engine.

    Attributes:
        policy: what it is called in the table. words: what made it.
        by: who sent it in; empty: the project itself.
        privileged: whether it saw the true state.
        task, backend, split, perturbation: of the condition.
        goals: ``all``, ``seen`` or ``unseen`` intersections.
        seed, asked: first seed, and how many episodes there were to be.
        episodes, successes, carried: completed; of these ended in success; and with the stone carried there.
        unplayed: episodes that ended with an error after every attempt; they are in no rate.
        distance_mm: median distance of placed stones from where they belong; None without any.
        reasons: of failures, first reason to count.
        cameras, image_size, modalities: what it was shown.
        drawn_by: the engine that drew, where it is another one; None: its own.
        terms: further settings of play: chunk, action_mode, control_hz, supersample.
        parameters, checkpoint, trained_on: what the policy says of itself.
        policy_ms: median over episodes of the mean time of an answer; None without any.
        versions, git, renderer, machine: what it was played with; no name of the machine or of a folder.
        salt_sha256: of a private split.
        digest: SHA-256 of condition, seeds and outcomes: two entries with the same one are the same run.
        finished: when, ISO 8601 UTC.
    """

    policy: str
    words: str
    by: str = ""
    privileged: bool
    task: str
    backend: str
    split: str
    perturbation: str
    goals: str
    seed: int
    asked: int
    episodes: int
    successes: int
    carried: int | None
    unplayed: int
    distance_mm: float | None
    reasons: dict[str, int]
    cameras: list[str]
    image_size: list[int]
    modalities: list[str]
    drawn_by: str | None
    terms: dict[str, Any]
    parameters: int | None
    checkpoint: str | None
    trained_on: list[dict[str, Any]] | None
    policy_ms: float | None
    versions: dict[str, Any]
    git: dict[str, Any] | None
    renderer: Any
    machine: dict[str, Any]
    salt_sha256: str | None
    digest: str
    finished: str

    @property
    def key(self) -> tuple[str, ...]:
        """What a new entry takes the place of: the same policy of the same people in the same condition."""
        return (self.by, self.policy, self.task, self.backend, self.split, self.perturbation, self.goals,
                self.salt_sha256 or "", self.drawn_by or "")  # fmt: skip

    @property
    def condition(self) -> str:
        """The condition as columns name it."""
        return self.perturbation if self.goals == "all" else f"{self.perturbation}, {self.goals} goals"

    @property
    def success(self) -> Estimate:
        """The rate of success with its interval (Wilson, 95%)."""
        return wilson(self.successes, self.episodes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: object, source: str) -> "Entry":
        """Inverse of ``to_dict``.

        Raises:
            FileError: naming ``source``, if an entry lacks something, has something unknown, or a value of
                another kind.
        """
        try:
            made: Entry = build(cls, plain)
        except PlainError as error:
            raise FileError(f"{source} has an entry that cannot be read: {error}") from error
        if wrong := made.impossible():
            name = wrong[0]
            raise FileError(f"{source} has an entry with {name} = {getattr(made, name)!r}, which cannot be")
        return made

    def impossible(self) -> list[str]:
        """Fields with values that no run can have."""
        n, commit = self.episodes, (self.git or {}).get("commit")
        possible = {
            "episodes": 0 < n <= self.asked,
            "successes": 0 <= self.successes <= n,
            "carried": self.carried is None or 0 <= self.carried <= n,
            "unplayed": 0 <= self.unplayed <= self.asked,
            "seed": self.seed >= 0,
            "split": self.split in SPLITS,
            "policy": bool(self.policy.strip()) and "\0" not in self.policy,
            "by": "\0" not in self.by,
            "image_size": len(self.image_size) == 2 and min(self.image_size) > 0,
            "reasons": all(count >= 0 for count in self.reasons.values()),
            "git": commit is None or isinstance(commit, str),
            "trained_on": all(
                isinstance(data.get("perturbations") or {}, dict) and data.get("split") not in SPLITS
                for data in self.trained_on or ()
            ),
        }
        least = {name: getattr(self, name) for name in ("distance_mm", "parameters", "policy_ms")}
        possible |= {name: value is None or value >= 0 for name, value in least.items()}
        return [name for name, right in possible.items() if not right]


def entries_of(run: LoadedRun, *, name: str | None = None, by: str = "") -> list[Entry]:
    """The lines of a run, one for each condition with an episode.

    Args:
        run: of `bomb evaluate`.
        name: what the policy is called; None: its words.
        by: who played it; empty: the project.

    Raises:
        OptionError: for a run that no table may have: of a split that is for choosing or training, ended at
            success, or of another length than the task's own.
    """
    settings = run.settings
    for option in MUST:
        if settings.get(option) != getattr(EpisodeSettings, option):
            raise OptionError(
                f"{run.path} was played with {option} = {settings.get(option)!r}; results are of whole "
                f"episodes, {option} = {getattr(EpisodeSettings, option)!r}"
            )
    if settings["split"] not in SPLITS:
        raise OptionError(
            f"{run.path} is of split {settings['split']!r}, which is for choosing or training; "
            f"results are of {' or '.join(SPLITS)}"
        )
    return [_entry(run, one, name or run.policy, by) for one in run.conditions if run.episodes[one.key]]


def _placeless(words: str) -> str:
    """Words without where somebody keeps his files."""
    return re.sub(r"(?<![\w.:/])/(?:[^/'\" )]+/)+", ".../", words)


def _entry(run: LoadedRun, condition: Condition, name: str, by: str) -> Entry:
    settings, about = run.settings, run.describe
    rows = [row for _, row in sorted(run.episodes[condition.key].items())]
    summed = summarise_condition(run, condition, None)
    carried = summed.by_carrying
    outcomes = [[row.seed, row.success, row.reason, row.steps] for row in rows]
    what = {"condition": condition.key, "goals": settings["goals"], "words": run.policy, "outcomes": outcomes}
    looks = [row.timing["policy_ms_mean"] for row in rows if row.timing.get("looks")]
    hardware = settings.get("hardware") or {}
    return Entry(
        policy=name,
        words=_placeless(run.policy),
        by=by,
        privileged=run.privileged,
        task=condition.task,
        backend=condition.backend,
        split=condition.split,
        perturbation=condition.perturbation,
        goals=settings["goals"],
        seed=settings["seed"],
        asked=settings["episodes"],
        episodes=len(rows),
        successes=sum(row.success for row in rows),
        carried=None if carried.value is None else round(carried.value * carried.n),
        unplayed=summed.unplayed,
        distance_mm=summed.distance_median_mm.value,
        reasons=summed.reasons,
        cameras=list(settings["cameras"]),
        image_size=list(settings["image_size"]),
        modalities=list(settings.get("modalities") or ["rgb"]),
        drawn_by=settings.get("drawn_by"),
        terms={key: settings.get(key) for key in ("chunk", "action_mode", "control_hz", "supersample")},
        parameters=about.get("parameters"),
        checkpoint=None if about.get("checkpoint") is None else _placeless(str(about["checkpoint"])),
        trained_on=about.get("trained_on"),
        policy_ms=round(sorted(looks)[len(looks) // 2], 3) if looks else None,
        versions=settings.get("versions") or {},
        git=settings.get("git"),
        renderer=settings.get("renderer"),
        machine={name: hardware.get(name) for name in ("cpu", "cores")},
        salt_sha256=settings.get("salt_sha256"),
        digest=hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest(),
        finished=max(row.finished for row in rows),
    )
