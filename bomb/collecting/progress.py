"""How far a collection is, on standard error."""

from collections import Counter

from bomb.collecting.outcome import SeedOutcome
from bomb.machine.progress import progress


class CollectionBar:
    """Counts the demonstrations; beside them what was not kept.

    Args:
        total: demonstrations that are asked for.
    """

    def __init__(self, total: int):
        self._bar = progress(total=total, unit="episode", desc="collecting")
        self._counts: Counter[str] = Counter()

    def update(self, outcome: SeedOutcome) -> None:
        """Takes one outcome."""
        if outcome.kind == "kept":
            if not outcome.played:
                self._bar.initial += 1  # the rate is that of the episodes played now
            self._bar.update()
        else:
            self._counts[outcome.kind] += 1
            words = {"failed": "failed", "held_out": "skipped", "error": "not playable"}
            self._bar.set_postfix_str(
                ", ".join(f"{count} {words[kind]}" for kind, count in self._counts.items()), refresh=False
            )

    def __enter__(self) -> "CollectionBar":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()
