"""What the rows of a condition amount to, as plain numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from bomb import statistics
from bomb.runs.rows import EpisodeRow, ErrorRow


def tally(rows: Sequence[EpisodeRow], errors: Iterable[ErrorRow] = ()) -> dict[str, Any]:
    """Rates with Wilson intervals, reasons, stages and distances.

    Args:
        rows: of one condition, in the order of their seeds.
        errors: of episodes that could not be played in the end.
    """
    success = statistics.rate([row.success for row in rows])
    carried = statistics.rate([bool(row.carried) for row in rows if row.carried is not None])
    once = statistics.rate([row.success_once for row in rows])
    reasons = Counter(row.reason for row in rows if not row.success)
    stages = Counter(name for row in rows for name, held in row.stages.items() if held)
    placed = [row.distance_mm for row in rows if row.success and row.distance_mm is not None]
    return {
        "n": success.n,
        "success_rate": success.value,
        "interval": success.interval,
        "by_carrying_rate": carried.value,
        "by_carrying_interval": carried.interval,
        "success_once_rate": once.value,
        "success_once_interval": once.interval,
        "reasons": dict(reasons.most_common()),
        "stages": dict(sorted(stages.items())),
        "success_distance_mm": statistics.quantile(placed, 0.5).to_dict(),
        "moves": statistics.moves_in_a_row([row.moves for row in rows]),
        "errors": {str(error.seed): error.message for error in sorted(errors, key=lambda e: e.seed)},
    }
