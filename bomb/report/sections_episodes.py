"""What happened in the episodes: how they ended, where stones went, which way the tool took."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from bomb.evaluation.rows import Condition, EpisodeRow
from bomb.evaluation.store import RunStore
from bomb.files import FileError
from bomb.page import Page
from bomb.report.board_charts import Path, offset_board, path_board, success_board
from bomb.report.charts import SUCCESS, reasons_chart, stages_chart
from bomb.report.model import ConditionSummary, Summary
from bomb.report.sections_rates import show
from bomb.report.wording import Names, number_cell, plain, rate_cell
from core.scene import BoardSpec

STAGES = ("reached", "grasped", "lifted", "released", "placed")
PATHS = 40  # tool paths that are drawn of one group
# Reasons of stones that lie on the board by their goal: their offset says how far they missed it.
NEAR = ("beyond_tolerance",)

Stores = Mapping[str, RunStore]


def endings(page: Page, summary: Summary, names: Names) -> None:
    """Reasons and stages."""
    page.heading("How episodes ended")
    page.paragraph(
        "The first reason that applies is counted, in the order of a placement: a stone that was never touched "
        "cannot be dropped. Stages say how far episodes got, whatever came of it."
    )
    rows: dict[str, Counter] = {}
    reached: dict[str, list[ConditionSummary]] = {}
    for run in summary.runs:
        for cell in run.conditions:
            kind = "clean" if cell.category == "clean" else plain(cell.category)
            counts = rows.setdefault(f"{names.place(cell)}: {kind}", Counter())
            counts.update(cell.reasons)
            counts[SUCCESS] += cell.episodes - sum(cell.reasons.values())
            reached.setdefault(names.place(cell), []).append(cell)
    rows = {label: counts for label, counts in rows.items() if counts.total()}
    with page.columns():
        if rows:
            caption = "Each bar is all episodes of one category, from success to the kinds of failure."
            show(page, reasons_chart(rows, caption))
        shares = [(place, _stages(cells)) for place, cells in reached.items() if _stages(cells)]
        if shares:
            caption = "All conditions together; a stage counts once it was reached, also if it was lost again."
            show(page, stages_chart("How far episodes got", shares, caption))
    moves = [cell for run in summary.runs for cell in run.conditions if cell.moves is not None]
    if moves:
        _long_tasks(page, moves, names)


def boards(page: Page, summary: Summary, names: Names, stores: Stores) -> None:
    """Success and offset by intersection."""
    parts = []
    for run in summary.runs:
        for place, episodes in _by_place(stores[run.name], run, names).items():
            goals = [(row, _cell(row)) for _, row in episodes]
            counts: dict[tuple[int, int], list[int]] = {}
            offsets: dict[tuple[int, int], list] = {}
            for row, cell in goals:
                if cell is None:
                    continue
                good, n = counts.get(cell, (0, 0))
                counts[cell] = (good + row.success, n + 1)
                if row.verdict.get("offset_mm") is not None and (row.success or row.reason in NEAR):
                    offsets.setdefault(cell, []).append(row.verdict["offset_mm"])
            if counts:
                parts.append((place, counts, {cell: np.array(cloud) for cell, cloud in offsets.items()}))
    if not parts:
        return
    page.heading("Where on the board")
    page.paragraph(
        "The board as the head picture shows it: row 0 on top, at the robot's side, column 0 on the left. All "
        "conditions of a run are pooled; an intersection without a disc was not asked for."
    )
    board, tolerance = BoardSpec(), 10.0
    with page.columns():
        for place, counts, offsets in parts:
            caption = f"{place}: successes of episodes by the intersection that was asked for."
            show(page, success_board(f"Success: {place}", counts, board, caption))
            if offsets:
                caption = (
                    f"{place}: each dot is a stone that came to rest by its goal; the red line and the number "
                    "are their mean offset (mm)."
                )
                show(page, offset_board(f"Offset: {place}", offsets, board, tolerance, caption))


def paths(page: Page, summary: Summary, names: Names, stores: Stores) -> None:
    """The tool centre point from above."""
    charts, missing = [], 0
    for run in summary.runs:
        store = stores[run.name]
        for place, episodes in _by_place(store, run, names).items():
            groups: dict[str, list[Path]] = {"clean": [], "perturbed": []}
            kinds = {"clean": [], "perturbed": []}
            for condition, row in episodes:
                kinds["clean" if condition.category == "clean" else "perturbed"].append((condition, row))
            for kind, members in kinds.items():
                # Spread over all of them, so that no condition is left out by its place in the list.
                for k in np.unique(np.linspace(0, len(members) - 1, min(PATHS, len(members))).astype(int)):
                    condition, row = members[k]
                    try:
                        tools = store.record(condition.key, row.seed).tools
                    except FileError:
                        missing += 1
                        continue
                    groups[kind].append(Path(points=tools[:, :2].astype(np.float64), success=row.success))
            groups = {kind: drawn for kind, drawn in groups.items() if drawn}
            if groups:
                title = f"{place}: tool from above"
                caption = "Whole lines end in success, dashed ones in failure; a dot or a cross marks the end."
                charts.append(path_board(title, list(groups.items()), BoardSpec(), caption))
    if not charts:
        return
    page.heading("The tool's way over the board")
    page.paragraph(
        f"Where the tool centre point went, at most {PATHS} clean and {PATHS} perturbed episodes of each, in "
        "the frame of the board, which moves with it where a perturbation moves it. Scripted policies draw "
        "straight lines; one that hesitates or searches draws knots."
        + (f" {missing} series were not kept." if missing else "")
    )
    with page.columns():
        for chart in charts:
            show(page, chart)


def _long_tasks(page: Page, cells: list[ConditionSummary], names: Names) -> None:
    page.subheading("Moves in a row")
    most = max(len(cell.moves["in_a_row"]) for cell in cells)
    page.table(
        ["condition", "average length", *(f"{k} in a row" for k in range(1, most + 1)), "wrong moves"],
        [
            [
                f"{names.place(cell)}: {cell.perturbation}",
                number_cell(_estimate(cell.moves["average_length"]), "moves", 2),
                *(_in_a_row(cell.moves["in_a_row"], k) for k in range(1, most + 1)),
                str(cell.moves["wrong_moves"]),
            ]
            for cell in cells
        ],
        "Share of the episodes that have so many moves in which they were done one after the other",
    )


def _in_a_row(shares: dict, k: int):
    entry = shares.get(str(k))
    return "–" if entry is None else rate_cell(_estimate(entry))


def _estimate(entry):
    from bomb.statistics import Estimate

    if isinstance(entry, Estimate):
        return entry
    low, high = entry["interval"]
    return Estimate(value=entry["value"], low=low, high=high, n=entry["n"], reason=entry.get("reason"))


def _stages(cells: list[ConditionSummary]) -> list[tuple[str, float]]:
    """Share of episodes that reached each stage, over several conditions."""
    total = sum(cell.episodes for cell in cells)
    if not total or not all(name in cell.stages for cell in cells if cell.episodes for name in STAGES):
        return []
    return [
        (name, sum(cell.stages[name].value * cell.episodes for cell in cells if cell.episodes) / total)
        for name in STAGES
    ]


def _by_place(store: RunStore, run, names: Names) -> dict[str, list[tuple[Condition, EpisodeRow]]]:
    """Episodes of a run by task, split and simulator."""
    places = {cell.key: names.place(cell) for cell in run.conditions}
    conditions = {condition.key: condition for condition in store.conditions()}
    found: dict[str, list] = {}
    for row in store.episodes():
        if row.condition in places:
            found.setdefault(places[row.condition], []).append((conditions[row.condition], row))
    return found


def _cell(row: EpisodeRow) -> tuple[int, int] | None:
    goal = row.goal
    return (goal["row"], goal["column"]) if goal.get("kind") == "intersection" else None


