"""Episodes of several moves: how far they got."""

from typing import Any

from bomb.statistics.location import mean, quantile
from bomb.statistics.rates import rate


def moves_in_a_row(moves: list[dict[str, Any]]) -> dict[str, Any] | None:
    """How far the episodes got; None where every episode has a single move.

    ``in_a_row`` has for each k the share of episodes with k consecutive moves done, out of those that have so
    many: games may end sooner, and one that was not played to its end counts with the most it could have had.
    ``of_all`` is the same out of all episodes, whatever they had, as CALVIN divides by the number of its
    chains (Mees et al. 2022): a game that was won after two moves has no third one there. ``average_length``
    is the mean number of moves done; the rest is of single placements.
    """
    if not moves or all(entry["total"] == 1 for entry in moves):
        return None
    asked = [entry["done"] if entry["complete"] else entry["total"] for entry in moves]
    placements = [placement for entry in moves for placement in entry["placements"]]
    return {
        "in_a_row": {
            str(k): rate(
                [entry["done"] >= k for entry, most in zip(moves, asked, strict=True) if most >= k]
            ).to_dict()
            for k in range(1, max(asked) + 1)
        },
        "of_all": {
            str(k): rate([entry["done"] >= k for entry in moves]).to_dict() for k in range(1, max(asked) + 1)
        },
        "average_length": mean([entry["done"] for entry in moves]).to_dict(),
        "placements": len(placements),
        "distance_mm": quantile([placement["distance_mm"] for placement in placements], 0.5).to_dict(),
        "wrong_moves": sum(len(entry["wrong"]) for entry in moves),
    }
