"""Judging a stored run again, with the same tolerances or others."""

from dataclasses import dataclass, fields
from typing import Any

from bomb import statistics
from bomb.runs.store import RunStore
from core.errors import check_choice
from core.judge.checker import Tolerances


@dataclass(frozen=True, kw_only=True)
class RescoredCondition:
    """A condition judged again.

    Attributes:
        key: of the condition.
        before, after: success rates.
        changed: seeds whose success or reason is another now, each with its (before, after) reason.
        identical: whether every verdict is the same in every field.
        unswept: how many records are from before contact between control steps was recorded: their stage
            flags and reasons rest on what the control steps show.
    """

    key: str
    before: statistics.Estimate
    after: statistics.Estimate
    changed: dict[int, tuple[str, str]]
    identical: bool
    unswept: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "condition": self.key,
            "n": self.after.n,
            "success_rate": self.after.value,
            "interval": self.after.interval,
            "before": self.before.to_dict(),
            "identical": self.identical,
            "unswept": self.unswept,
            "changed": {str(seed): list(reasons) for seed, reasons in self.changed.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Rescored:
    """A run judged again.

    Attributes:
        policy: words of the policy that played it.
        privileged: whether that policy saw the true state.
        tolerances: what it was judged with this time; empty if nothing was played.
        conditions: in the order of the matrix.
    """

    policy: str
    privileged: bool
    tolerances: dict[str, float]
    conditions: tuple[RescoredCondition, ...]

    @property
    def identical(self) -> bool:
        """Whether every verdict of the run is the same in every field."""
        return all(condition.identical for condition in self.conditions)

    @property
    def changed(self) -> int:
        """How many episodes have another success or reason."""
        return sum(len(condition.changed) for condition in self.conditions)

    @property
    def unswept(self) -> int:
        """How many records are from before contact between control steps was recorded."""
        return sum(condition.unswept for condition in self.conditions)

    @property
    def n(self) -> int:
        """How many episodes were judged."""
        return sum(condition.after.n for condition in self.conditions)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the numbers of a single condition stand beside the list, too."""
        entries = [condition.to_dict() for condition in self.conditions]
        return {
            **(entries[0] if len(entries) == 1 else {}),
            "policy": self.policy,
            "privileged": self.privileged,
            "n": self.n,
            "identical": self.identical,
            "tolerances": self.tolerances,
            "conditions": entries,
        }


def rescore(run: RunStore, changes: dict[str, float] | None = None) -> Rescored:
    """Judges every finished episode again.

    Args:
        run: the stored run.
        changes: fields of ``core.Tolerances`` to replace, in SI units.

    Raises:
        UnknownNameError, OptionError: for a limit that does not exist, or is not a number from 0 up.
        FileError: if the store is damaged or an episode cannot be read.
    """
    for name in changes or {}:
        check_choice("limit", name, [option.name for option in fields(Tolerances)])
    Tolerances(**(changes or {}))
    run.check()
    tolerances: dict[str, float] = {}
    conditions = []
    for condition in run.conditions():
        before, after, changed, identical, unswept = [], [], {}, True, 0
        for row in run.episodes(condition.key):
            record = run.record(condition.key, row.seed)
            tolerances = {**record.about["tolerances"], **(changes or {})}
            new = record.rejudge(Tolerances(**tolerances)).to_dict()
            unswept += not record.swept
            before.append(row.success)
            after.append(new["success"])
            identical = identical and new == row.verdict
            if _word(new) != _word(row.verdict):
                changed[row.seed] = (_word(row.verdict), _word(new))
        conditions.append(
            RescoredCondition(
                key=condition.key,
                before=statistics.rate(before),
                after=statistics.rate(after),
                changed=changed,
                identical=identical,
                unswept=unswept,
            )
        )
    policy = run.settings()["policy"]
    return Rescored(
        policy=policy["words"],
        privileged=policy["privileged"],
        tolerances=tolerances,
        conditions=tuple(conditions),
    )


def _word(verdict: dict[str, Any]) -> str:
    return "success" if verdict["success"] else verdict["reason"]
