"""How episodes ended, and how far they got."""

from collections import Counter
from typing import Any

from bomb.pages.page import Page, Raw
from bomb.report.charts import SUCCESS, reasons_chart, stages_chart
from bomb.report.model import ConditionSummary, Summary
from bomb.report.sections_rates import show
from bomb.report.wording import Names, number_cell, rate_cell
from bomb.statistics import Estimate, formats

STAGES = ("reached", "grasped", "lifted", "released", "placed")


def endings(page: Page, summary: Summary, names: Names) -> None:
    """Reasons and stages."""
    page.heading("How episodes ended")
    page.paragraph(
        "The first reason that applies is counted, in the order of a placement: a stone that was never "
        "touched cannot be dropped. Stages say how far episodes got, whatever came of it."
    )
    rows: dict[str, Counter[str]] = {}
    reached: dict[str, list[ConditionSummary]] = {}
    for run in summary.runs:
        for cell in run.conditions:
            # By category for one run; of several, only what can still be told apart.
            kind = cell.category if cell.category == "clean" or not names.several else "perturbed"
            counts = rows.setdefault(f"{names.place(cell)}: {formats.words(kind)}", Counter())
            counts.update(cell.reasons)
            counts[SUCCESS] += cell.episodes - sum(cell.reasons.values())
            reached.setdefault(names.place(cell), []).append(cell)
    rows = {label: counts for label, counts in rows.items() if counts.total()}
    with page.columns():
        if rows:
            caption = "A bar is all episodes of its kind; the numbers count them."
            show(page, reasons_chart(rows, caption))
        shares = [
            (place, names.style(cells[0]), stages)
            for place, cells in reached.items()
            if (stages := _stages(cells))
        ]
        if shares:
            caption = (
                "All conditions together. A stage counts once it was reached, even if it was lost again."
            )
            show(page, stages_chart("How far episodes got", shares, caption))
    _every_stage(page, reached)
    moves = [(c, c.moves) for run in summary.runs for c in run.conditions if c.moves is not None]
    if moves:
        _long_tasks(page, moves, names)


def _every_stage(page: Page, places: dict[str, list[ConditionSummary]]) -> None:
    """Every flag, INT-ACT's too, over all conditions of each place."""
    names = list(dict.fromkeys(name for cells in places.values() for c in cells for name in c.stages))
    if not names:
        return
    with page.details("Every stage flag"):
        page.table(
            ["stage", *places],
            [
                [formats.words(name), *(_share_cell(cells, name) for cells in places.values())]
                for name in names
            ],
            "Share of episodes in which it was ever so, over all conditions; INT-ACT's flags are its own",
        )


def _share_cell(cells: list[ConditionSummary], name: str) -> str:
    played = [cell for cell in cells if cell.episodes and name in cell.stages]
    total = sum(cell.episodes for cell in played)
    if not total:
        return formats.NOTHING
    return f"{formats.share(_reached(played, name) / total)} of {total}"


def _long_tasks(page: Page, cells: list[tuple[ConditionSummary, dict[str, Any]]], names: Names) -> None:
    page.subheading("Moves in a row")
    most = max(len(moves["in_a_row"]) for _, moves in cells)
    counts = range(1, most + 1)
    page.table(
        ["condition", "average length", *(f"{k} in a row" for k in counts), "wrong moves"],
        [
            [
                f"{names.place(cell)}: {cell.perturbation}",
                number_cell(_estimate(moves["average_length"]), "moves", 2),
                *(_in_a_row(moves["in_a_row"], k) for k in counts),
                str(moves["wrong_moves"]),
            ]
            for cell, moves in cells
        ],
        "Share of the episodes that have so many moves in which they were done one after the other",
    )
    page.table(
        ["condition", *(f"{k} in a row" for k in counts)],
        [
            [
                f"{names.place(cell)}: {cell.perturbation}",
                *(_in_a_row(moves["of_all"], k) for k in counts),
            ]
            for cell, moves in cells
        ],
        "The same out of all episodes, however many moves they have: the fixed denominator of CALVIN",
    )


def _in_a_row(shares: dict[str, Any], k: int) -> Raw | str:
    entry = shares.get(str(k))
    return "–" if entry is None else rate_cell(_estimate(entry))


def _estimate(entry: dict[str, Any]) -> Estimate:
    """An estimate out of its plain values."""
    low, high = entry["interval"]
    return Estimate(value=entry["value"], low=low, high=high, n=entry["n"], reason=entry.get("reason"))


def _stages(cells: list[ConditionSummary]) -> list[tuple[str, float]]:
    """Share of episodes that reached each stage, over several conditions."""
    total = sum(cell.episodes for cell in cells)
    if not total or not all(name in cell.stages for cell in cells if cell.episodes for name in STAGES):
        return []
    return [(name, _reached([cell for cell in cells if cell.episodes], name) / total) for name in STAGES]


def _reached(cells: list[ConditionSummary], stage: str) -> float:
    """How many episodes reached a stage."""
    return sum((cell.stages[stage].value or 0.0) * cell.episodes for cell in cells)
