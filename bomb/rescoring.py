"""Judging a stored run again, with the same tolerances or others."""

from dataclasses import dataclass

from bomb import statistics
from bomb.runs import RunFolder
from core.checker import Tolerances


@dataclass(frozen=True, kw_only=True)
class Rescored:
    """A run judged again.

    Attributes:
        tolerances: what it was judged with this time.
        before, after: success rates.
        changed: seeds whose success or reason is another now, each with its (before, after) reason.
        identical: whether every verdict is the same in every field.
    """

    tolerances: dict[str, float]
    before: statistics.Estimate
    after: statistics.Estimate
    changed: dict[int, tuple[str, str]]
    identical: bool

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        return {
            "n": self.after.n,
            "success_rate": self.after.value,
            "interval": self.after.interval,
            "before": self.before.to_dict(),
            "identical": self.identical,
            "changed": {str(seed): list(reasons) for seed, reasons in self.changed.items()},
            "tolerances": self.tolerances,
        }


def rescore(run: RunFolder, changes: dict[str, float] | None = None) -> Rescored:
    """Judges every finished episode again.

    Args:
        run: the stored run.
        changes: fields of ``core.Tolerances`` to replace, in SI units.

    Raises:
        FileError: if an episode cannot be read.
    """
    before, after, changed, tolerances = [], [], {}, {}
    identical = True
    for seed, record in run.records():
        tolerances = {**record.about["tolerances"], **(changes or {})}
        old = record.about["verdict"]
        new = record.rejudge(Tolerances(**tolerances)).to_dict()
        before.append(old["success"])
        after.append(new["success"])
        identical = identical and new == old
        if _word(new) != _word(old):
            changed[seed] = (_word(old), _word(new))
    return Rescored(
        tolerances=tolerances,
        before=statistics.rate(before),
        after=statistics.rate(after),
        changed=changed,
        identical=identical,
    )


def _word(verdict: dict) -> str:
    return "success" if verdict["success"] else verdict["reason"]
