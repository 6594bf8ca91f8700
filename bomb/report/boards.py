"""Success and offset by intersection."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bomb.report.model import BoardMap, Cell
from bomb.runs.rows import EpisodeRow
from bomb.statistics import quantile, rate


def board_map(rows: Sequence[EpisodeRow]) -> BoardMap | None:
    """Every intersection that was a goal; None where no goal was one.

    Success is that of episodes with a single move. Offsets are of all placements, also those within episodes
    of several moves, which are each on the intersection that was asked for.
    """
    outcomes: dict[tuple[int, int], list[bool]] = {}
    placements: dict[tuple[int, int], list[tuple[float, list[float]]]] = {}
    for row in rows:
        if is_single(row) and is_intersection(row.goal):
            outcomes.setdefault(place_of(row.goal), []).append(row.success)
        for goal, distance, offset in placements_of(row):
            if is_intersection(goal) and distance is not None and offset is not None:
                placements.setdefault(place_of(goal), []).append((distance, offset))
    places = sorted({*outcomes, *placements})
    if not places:
        return None
    sizes = [len(row.verdict["occupancy"]) for row in rows if row.verdict.get("occupancy")]
    return BoardMap(
        size=max([*sizes, *(1 + max(place) for place in places)]),
        cells=tuple(_cell(place, outcomes.get(place, []), placements.get(place, [])) for place in places),
    )


def is_single(row: EpisodeRow) -> bool:
    """Whether an episode has one move only."""
    return bool(row.moves.get("total", 1) == 1)


def placements_of(row: EpisodeRow) -> list[tuple[dict[str, Any], float | None, list[float] | None]]:
    """(goal, distance, offset) of each placement that was done."""
    if not is_single(row):
        return [(p["goal"], p["distance_mm"], p["offset_mm"]) for p in row.moves["placements"]]
    return [(row.goal, row.distance_mm, row.verdict.get("offset_mm"))] if row.success else []


def _cell(place: tuple[int, int], outcomes: list[bool], placements: list[tuple[float, list[float]]]) -> Cell:
    offsets = [offset for _, offset in placements]
    return Cell(
        row=place[0],
        column=place[1],
        success=rate(outcomes),
        placed=len(placements),
        distance_mm=quantile([distance for distance, _ in placements], 0.5),
        offset_mm=[float(x) for x in np.mean(offsets, axis=0)] if offsets else None,
    )


def is_intersection(goal: dict[str, Any]) -> bool:
    """Whether a goal is one stone on one intersection."""
    return goal.get("kind") == "intersection"


def place_of(goal: dict[str, Any]) -> tuple[int, int]:
    """Row and column of a goal that is an intersection."""
    return goal["row"], goal["column"]
