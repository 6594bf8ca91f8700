"""Sides by side: trained x tested, policies against each other, simulators against each other."""

from bomb.page import Page
from bomb.report.charts import agreement_chart, points
from bomb.report.compared import RunComparison, SimulatorAgreement, TrainingGrid
from bomb.report.model import Summary
from bomb.report.sections_rates import show
from bomb.report.wording import number_cell, p_value, rate_cell
from bomb.statistics import Estimate

_KINDS = {
    "blind": "without pictures",
    "mute": "without words",
    "policies": "policies",
}


def training(page: Page, summary: Summary) -> None:
    """Trained {clean, perturbed} x tested {clean, perturbed}."""
    if not summary.training:
        return
    page.heading("Trained × tested")
    page.paragraph(
        "Rows: what the policy was trained on. Columns: what it was tested on. A policy that keeps its number "
        "from left to right has learned what the perturbation does not touch. All four cells are of the same "
        "seeds."
    )
    with page.columns("30rem"):
        for grid in summary.training:
            _grid(page, grid)


def comparisons(page: Page, summary: Summary) -> None:
    """Runs against each other on the same episodes."""
    if not summary.comparisons:
        return
    page.heading("Policies on the same episodes")
    page.paragraph(
        "Pairs of episodes with one seed and one condition. A policy that does as well without pictures or "
        "without words has not used them: it remembers, or the task gives it away."
    )
    for pair in summary.comparisons:
        _comparison(page, pair)


def simulators(page: Page, summary: Summary) -> None:
    """How far two simulators agree."""
    shown = [s for s in summary.simulators if s.reason is None and (s.conditions or s.ranks)]
    silent = [s for s in summary.simulators if s.reason is not None]
    if not summary.simulators:
        return
    page.heading("Do the simulators agree?")
    page.paragraph(
        "The same episodes in two simulators. Agreement is the share of episodes that end alike; kappa is what "
        "is left of it beyond chance (1: always alike, 0: no more than chance). The ranks say whether both "
        "order conditions alike; MMRV is the mean of the worst swaps, in success rate (SimplerEnv; 0: no swap)."
    )
    for agreement in shown:
        _simulators(page, agreement)
    page.bullets(f"{s.run or 'policies'}, {_seeds(s)}: {s.reason}" for s in silent) if silent else None


def _grid(page: Page, grid: TrainingGrid) -> None:
    rows = []
    for trained, name in (("clean", grid.trained_clean), ("perturbed", grid.trained_perturbed)):
        cells = [rate_cell(grid.cells[f"{trained}/{tested}"]) for tested in ("clean", "perturbed")]
        rows.append([f"{trained} ({name})", *cells])
    page.table(
        ["trained on", "tested: clean", f"tested: {grid.perturbation}"],
        rows,
        f"{grid.task}, {grid.backend}, split {grid.split}: {grid.seeds} seeds. Training on perturbations changes "
        f"the gap by {points(grid.interaction)} points.",
    )


def _comparison(page: Page, pair: RunComparison) -> None:
    page.table(
        ["task", "condition", "simulator", pair.first, pair.second, "difference, points", "p (Holm)", "in words"],
        [
            [
                row.task or "",
                row.perturbation or "",
                row.backend or "",
                rate_cell(row.first_rate),
                rate_cell(row.second_rate),
                points(row.difference),
                p_value(row.p_holm),
                row.words,
            ]
            for row in pair.rows
        ],
        f"{pair.second} against {pair.first} ({_KINDS.get(pair.kind, pair.kind)})",
    )


def _simulators(page: Page, agreement: SimulatorAgreement) -> None:
    page.subheading(
        f"{agreement.run or 'Policies'}: {agreement.first} and {agreement.second}, {_seeds(agreement)}"
    )
    ranks = agreement.ranks
    with page.columns():
        if ranks is not None and len(ranks.points) >= 2:
            show(
                page,
                agreement_chart(
                    f"Success by {'condition' if ranks.over == 'conditions' else 'policy'}",
                    (agreement.first, agreement.second),
                    [(point.label, point.first, point.second) for point in ranks.points],
                    "On the dotted line both simulators say the same. Dots that lie on a rising line are "
                    "ordered alike, wherever the line is.",
                ),
            )
        page.table(["measure", "value"], _measures(agreement))
    if agreement.conditions:
        with page.details("Condition by condition"):
            page.table(
                ["condition", "end alike", "kappa", f"{agreement.second} minus {agreement.first}, points",
                 "in words"],
                [
                    [
                        row.perturbation or "all",
                        rate_cell(row.agreement),
                        _kappa(row.kappa),
                        "" if row.comparison is None else points(row.comparison.difference),
                        "" if row.comparison is None else row.comparison.words,
                    ]
                    for row in agreement.conditions
                ],
            )  # fmt: skip


def _measures(agreement: SimulatorAgreement) -> list[list[str]]:
    rows: list[list[str]] = []
    if agreement.pooled is not None:
        rows.append(["episodes that end alike", rate_cell(agreement.pooled.agreement)])
        rows.append(["Cohen's kappa", _kappa(agreement.pooled.kappa)])
    if agreement.ranks is not None:
        ranks = agreement.ranks
        rows += [
            ["rank correlation (Spearman)", _kappa(ranks.spearman)],
            ["rank correlation (Kendall)", _kappa(ranks.kendall)],
            ["correlation (Pearson)", _kappa(ranks.pearson)],
            [f"MMRV, {agreement.first} as reference", _kappa(ranks.mmrv_first)],
            [f"MMRV, {agreement.second} as reference", _kappa(ranks.mmrv_second)],
        ]
    return rows


def _kappa(estimate: Estimate):
    return number_cell(estimate, "", 2)


def _seeds(agreement: SimulatorAgreement) -> str:
    return "all seeds" if agreement.seeds == "all" else "seeds that the expert solves in both"
