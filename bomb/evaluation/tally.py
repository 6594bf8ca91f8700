"""What the rows of a condition amount to, as plain numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence

from bomb import statistics
from bomb.evaluation.rows import EpisodeRow, ErrorRow


def tally(rows: Sequence[EpisodeRow], errors: Iterable[ErrorRow] = ()) -> dict:
    """Rates with Wilson intervals, reasons, stages and distances.

    Args:
        rows: of one condition, in the order of their seeds.
        errors: of episodes that could not be played in the end.
    """
    success = statistics.rate([row.success for row in rows])
    once = statistics.rate([row.success_once for row in rows])
    reasons = Counter(row.reason for row in rows if not row.success)
    stages = Counter(name for row in rows for name, held in row.stages.items() if held)
    placed = [row.distance_mm for row in rows if row.success and row.distance_mm is not None]
    return {
        "n": success.n,
        "success_rate": success.value,
        "interval": success.interval,
        "success_once_rate": once.value,
        "success_once_interval": once.interval,
        "reasons": dict(reasons.most_common()),
        "stages": dict(sorted(stages.items())),
        "success_distance_mm": statistics.quantile(placed, 0.5).to_dict(),
        "moves": moves_in_a_row([row.moves for row in rows]),
        "errors": {str(error.seed): error.message for error in sorted(errors, key=lambda e: e.seed)},
    }


def moves_in_a_row(moves: list[dict]) -> dict | None:
    """How far the episodes got, as CALVIN reports it; None where every episode has a single move.

    ``in_a_row`` has for each k the share of episodes with k consecutive moves done, out of those that have so
    many: games may end sooner, and one that was not played to its end counts with the most it could have had.
    ``average_length`` is the mean number of moves done; the rest is of single placements.
    """
    if not moves or all(entry["total"] == 1 for entry in moves):
        return None
    asked = [entry["done"] if entry["complete"] else entry["total"] for entry in moves]
    placements = [placement for entry in moves for placement in entry["placements"]]
    return {
        "in_a_row": {
            str(k): statistics.rate(
                [entry["done"] >= k for entry, most in zip(moves, asked, strict=True) if most >= k]
            ).to_dict()
            for k in range(1, max(asked) + 1)
        },
        "average_length": statistics.mean([entry["done"] for entry in moves]).to_dict(),
        "placements": len(placements),
        "distance_mm": statistics.quantile(
            [placement["distance_mm"] for placement in placements], 0.5
        ).to_dict(),
        "wrong_moves": sum(len(entry["wrong"]) for entry in moves),
    }
