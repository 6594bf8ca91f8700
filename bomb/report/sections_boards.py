"""Where on the board: success, offsets and the way of the tool, episode by episode."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError
from bomb.pages.page import Page
from bomb.report.board_charts import Path, offset_board, path_board, success_board
from bomb.report.boards import is_intersection, is_single, place_of, placements_of
from bomb.report.loading import LoadedRun
from bomb.report.model import RunSummary, Summary
from bomb.report.sections_rates import show
from bomb.report.wording import Names
from bomb.runs.rows import Condition, EpisodeRow
from core.board.boards import Cell
from core.judge.checker import Tolerances
from core.world.scene import BoardSpec

PATHS = 30  # tool paths that are drawn of one run in one chart
NEAR = "beyond_tolerance"  # the one failure that ends by the right intersection

Runs = Sequence[LoadedRun]  # those of the summary, in its order
Episodes = list[tuple[Condition, EpisodeRow]]


def boards(page: Page, summary: Summary, names: Names, runs: Runs) -> None:
    """Success and offset by intersection."""
    parts = []
    for about, run in zip(summary.runs, runs, strict=True):
        for place, episodes in _by_place(run, about, names).items():
            counts, offsets = _successes(episodes), _offsets(episodes)
            if counts or offsets:
                parts.append((place, counts, offsets))
    if not parts:
        return
    page.heading("Where on the board")
    page.paragraph(
        "The board as the head picture shows it: row 0 on top, at the robot's side, column 0 on the left. "
        "All conditions of a run are pooled. First: successes of the episodes that asked for an "
        "intersection; one without a disc was not asked for. Second: where stones came to rest around it; "
        "of tasks with several moves, those of every move that was done."
    )
    board, tolerance_mm = BoardSpec(), 1e3 * Tolerances().distance
    with page.columns():
        for place, counts, offsets in parts:
            if counts:
                total = sum(n for _, n in counts.values())
                caption = f"{place}: successes of {total} episodes by the intersection that was asked for."
                show(page, success_board(f"Success: {place}", counts, board, caption))
            caption = (
                f"{place}: each dot is one of {sum(map(len, offsets.values()))} stones that came to rest by "
                "their goal; the red line and the number are the mean offset (mm)."
            )
            show(page, offset_board(f"Offset: {place}", offsets, board, tolerance_mm, caption))


def _successes(episodes: Episodes) -> dict[Cell, tuple[int, int]]:
    """(successes, episodes) by intersection, of episodes with a single move."""
    counts: dict[Cell, tuple[int, int]] = {}
    for _, row in episodes:
        if is_single(row) and is_intersection(row.goal):
            good, n = counts.get(place_of(row.goal), (0, 0))
            counts[place_of(row.goal)] = (good + row.success, n + 1)
    return counts


def _offsets(episodes: Episodes) -> dict[Cell, npt.NDArray[np.float64]]:
    """float64[n, 2] by intersection (mm): of what was placed on it, and of what missed it by a little."""
    offsets: dict[Cell, list[list[float]]] = {}
    for _, row in episodes:
        found = [(goal, offset) for goal, _, offset in placements_of(row)]
        if row.reason == NEAR:
            found.append((row.goal, row.verdict.get("offset_mm")))
        for goal, offset in found:
            if is_intersection(goal) and offset is not None:
                offsets.setdefault(place_of(goal), []).append(offset)
    return {cell: np.array(found, dtype=np.float64) for cell, found in offsets.items()}


def paths(page: Page, summary: Summary, names: Names, runs: Runs) -> None:
    """The tool centre point from above: runs overlaid, or clean and perturbed of a single one."""
    charts: dict[str, dict[str, list[Path]]] = {}
    missing = 0
    for about, run in zip(summary.runs, runs, strict=True):
        for place, episodes in _by_place(run, about, names, with_run=False).items():
            for kind in ("clean", "perturbed"):
                members = [e for e in episodes if (e[0].category == "clean") == (kind == "clean")]
                drawn, lost = _paths(run, members)
                missing += lost
                if drawn and names.several:
                    charts.setdefault(f"{place}, {kind}", {})[run.name] = drawn
                elif drawn:
                    charts.setdefault(place, {})[kind] = drawn
    if not charts:
        return
    page.heading("The tool's way over the board")
    page.paragraph(
        f"The tool centre point from above, at most {PATHS} episodes of each colour, in the frame of the "
        "board, which moves along where a perturbation moves it. A dot ends a success, a cross a failure. "
        "Scripted policies draw straight lines; one that hesitates or searches draws knots."
        + (f" The series of {missing} episodes were not kept." if missing else "")
    )
    with page.columns():
        for place, groups in charts.items():
            caption = f"{place}: {', '.join(f'{len(drawn)} of {name}' for name, drawn in groups.items())}."
            show(page, path_board(f"Tool path: {place}", list(groups.items()), BoardSpec(), caption))


def _paths(run: LoadedRun, episodes: Episodes) -> tuple[list[Path], int]:
    """Paths spread evenly over the episodes, so that no condition is left out; and how many were not kept."""
    chosen = np.unique(np.linspace(0, len(episodes) - 1, min(PATHS, len(episodes))).astype(int))
    drawn, missing = [], 0
    for k in chosen:
        _, row = episodes[k]
        try:
            tools = run.record(row).tools
        except FileError:
            missing += 1
            continue
        drawn.append(Path(points=tools[:, :2].astype(np.float64), success=row.success))
    return drawn, missing


def _by_place(
    run: LoadedRun, about: RunSummary, names: Names, *, with_run: bool = True
) -> dict[str, Episodes]:
    """Episodes of a run by task, split and simulator."""
    places = {cell.key: names.place(cell, run=with_run) for cell in about.conditions}
    conditions = {condition.key: condition for condition in run.conditions}
    found: dict[str, Episodes] = {}
    for row in run.rows:
        if row.condition in places:
            found.setdefault(places[row.condition], []).append((conditions[row.condition], row))
    return found
