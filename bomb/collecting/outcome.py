"""What became of the seeds of a collection."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SeedOutcome:
    """What became of one seed.

    Attributes:
        seed: of the episode.
        kind: ``kept``, ``failed``, ``held_out`` or ``error``.
        reason: why it failed, or the error.
        steps: actions in it.
        played: whether it was played by this call and not by an earlier one.
    """

    seed: int
    kind: str
    reason: str | None = None
    steps: int = 0
    played: bool = True


@dataclass(kw_only=True)
class Collected:
    """How a collection went.

    Attributes:
        kept: demonstrations in the dataset.
        played: episodes that were played this time, and
        steps: the actions in them.
        left_out: seeds that were not played to their end because a goal is held out.
        failures: reason to count.
        errors: seed to message.
        wall_s: how long it took (s, wall clock).
        complete: whether every episode that was asked for is there.
    """

    kept: int = 0
    played: int = 0
    steps: int = 0
    left_out: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    errors: dict[int, str] = field(default_factory=dict)
    wall_s: float = 0.0
    complete: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "episodes": self.kept,
            "complete": self.complete,
            "failures": dict(self.failures.most_common()),
            "left_out": self.left_out,
            "errors": {str(seed): message for seed, message in sorted(self.errors.items())},
            "played": self.played,
            "steps": self.steps,
            "wall_s": round(self.wall_s, 3),
        }
