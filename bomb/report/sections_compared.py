"""Sides by side: trained x tested, policies against each other, simulators against each other."""

from bomb.pages.page import Page
from bomb.report.charts import agreement_chart, points
from bomb.report.compared import RunComparison, SimulatorAgreement, TrainingGrid
from bomb.report.model import Summary
from bomb.report.sections_rates import differing, show
from bomb.report.wording import number_cell, rate_cell, verdict_cell
from bomb.statistics import Estimate
from bomb.statistics.formats import p_value

_KINDS = {
    "blind": "without pictures",
    "mute": "without words",
    "masked": "with something hidden",
    "feeler": "ceiling: without eyes, feeling",
    "push": "ceiling: without grasping, pushing",
    "policies": "policies",
}


def training(page: Page, summary: Summary) -> None:
    """Trained {clean, perturbed} x tested {clean, perturbed}."""
    if not summary.training:
        return
    page.heading("Trained × tested")
    page.paragraph(
        "Rows: what the policy was trained on. Columns: what it was tested on. A policy that keeps its "
        "number from left to right has learned what the perturbation does not touch. All four cells are of "
        "the same seeds."
    )
    differing(page, summary.training)
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
    differing(page, summary.comparisons)
    for pair in summary.comparisons:
        if pair.kind == "policies":
            with page.details(f"{pair.second} against {pair.first}: {len(pair.rows)} conditions"):
                _comparison(page, pair)
        else:
            _comparison(page, pair)


def simulators(page: Page, summary: Summary) -> None:
    """How far two simulators agree."""
    if not summary.simulators:
        return
    page.heading("Do the simulators agree?")
    page.paragraph(
        "The same episodes in two simulators. Agreement is the share of episodes that end alike; kappa is "
        "what is left of it beyond chance (1: always alike, 0: no more than chance). The ranks say whether "
        "both order conditions alike; MMRV is the mean of the worst swaps, in success rate (0: no swap). "
        "Seeds that the expert does not solve in both may be beyond the simulators, not the policy: the "
        "second column leaves them out."
    )
    differing(page, summary.simulators)
    together: dict[tuple[str | None, str, str], list[SimulatorAgreement]] = {}
    for agreement in summary.simulators:
        together.setdefault((agreement.run, agreement.first, agreement.second), []).append(agreement)
    for members in together.values():
        _simulators(page, members)


def _grid(page: Page, grid: TrainingGrid) -> None:
    rows = []
    for trained, name in (("clean", grid.trained_clean), ("perturbed", grid.trained_perturbed)):
        cells = [rate_cell(grid.cells[f"{trained}/{tested}"]) for tested in ("clean", "perturbed")]
        rows.append([f"{trained} ({name})", *cells])
    page.table(
        ["trained on", "tested: clean", f"tested: {grid.perturbation}"],
        rows,
        f"{grid.task}, {grid.backend}, split {grid.split}: {grid.seeds} seeds. Training on perturbations "
        f"changes the gap by {points(grid.interaction)} points.",
    )


def _comparison(page: Page, pair: RunComparison) -> None:
    tasks = len({row.task for row in pair.rows}) > 1
    page.table(
        [*(["task"] if tasks else []), "condition", "simulator", pair.first, pair.second,
         "difference, points", "p (Holm)", "verdict"],
        [
            [
                *([row.task or ""] if tasks else []),
                row.perturbation or "",
                row.backend or "",
                rate_cell(row.first_rate),
                rate_cell(row.second_rate),
                points(row.difference),
                p_value(row.p_holm),
                verdict_cell(row.verdict),
            ]
            for row in pair.rows
        ],
        f"{pair.second} against {pair.first} ({_KINDS.get(pair.kind, pair.kind)})",
    )  # fmt: skip


def _simulators(page: Page, members: list[SimulatorAgreement]) -> None:
    """Two simulators, over all seeds and over those of the expert."""
    page.subheading(f"{members[0].run or 'Policies'}: {members[0].first} and {members[0].second}")
    told = [agreement for agreement in members if agreement.reason is None]
    for agreement in members:
        if agreement.reason is not None:
            page.paragraph(f"Nothing over {_seeds(agreement)}: {agreement.reason}.")
    if not told:
        return
    with page.columns():
        first, ranks = told[0], told[0].ranks
        if ranks is not None and len(ranks.points) >= 2:
            show(
                page,
                agreement_chart(
                    f"Success by {'condition' if ranks.over == 'conditions' else 'policy'}",
                    (first.first, first.second),
                    [(point.label, point.first, point.second) for point in ranks.points],
                    f"Over {_seeds(first)}. On the dotted line both simulators say the same; dots on any "
                    "rising line are ordered alike.",
                ),
            )
        measures = [_measures(agreement) for agreement in told]
        names = dict.fromkeys(name for found in measures for name in found)
        page.table(
            ["measure", *(f"over {_seeds(agreement)}" for agreement in told)],
            [[name, *(found.get(name, "–") for found in measures)] for name in names],
        )
    for agreement in told:
        if agreement.conditions:
            with page.details(f"Condition by condition, over {_seeds(agreement)}"):
                _conditions(page, agreement)


def _conditions(page: Page, agreement: SimulatorAgreement) -> None:
    difference = f"{agreement.second} minus {agreement.first}, points"
    page.table(
        ["condition", "end alike", "kappa", difference, "verdict"],
        [
            [
                row.perturbation or "all",
                rate_cell(row.agreement),
                _plain_number(row.kappa),
                "" if row.comparison is None else points(row.comparison.difference),
                "" if row.comparison is None else verdict_cell(row.comparison.verdict),
            ]
            for row in agreement.conditions
        ],
    )


def _measures(agreement: SimulatorAgreement) -> dict[str, str]:
    rows: dict[str, str] = {}
    if agreement.pooled is not None:
        rows["episodes that end alike"] = rate_cell(agreement.pooled.agreement)
        rows["Cohen's kappa"] = _plain_number(agreement.pooled.kappa)
    if agreement.ranks is not None:
        ranks = agreement.ranks
        rows["rank correlation (Spearman)"] = _plain_number(ranks.spearman)
        rows["rank correlation (Kendall)"] = _plain_number(ranks.kendall)
        rows["correlation (Pearson)"] = _plain_number(ranks.pearson)
        rows[f"MMRV, {agreement.first} as reference"] = _plain_number(ranks.mmrv_first)
        rows[f"MMRV, {agreement.second} as reference"] = _plain_number(ranks.mmrv_second)
    return rows


def _plain_number(estimate: Estimate) -> str:
    return number_cell(estimate, "", 2)


def _seeds(agreement: SimulatorAgreement) -> str:
    return "all seeds" if agreement.seeds == "all" else "seeds that the expert solves in both"
