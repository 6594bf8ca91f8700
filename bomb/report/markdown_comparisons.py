"""The second half of the markdown: simulators, policies side by side, training."""

from bomb.report.compared import Agreement, Comparison, RankAgreement, SimulatorAgreement
from bomb.report.formats import differing, number, percent, points
from bomb.report.model import Summary
from bomb.report.tables import section, table
from bomb.statistics.formats import NOTHING, p_value

_BESIDE = ("feeler", "push", "mute", "blind")
SEEDS = {"all": "all seeds", "expert": "seeds that the expert solves in both"}


def comparison_sections(summary: Summary) -> list[str]:
    """One section for each kind of comparison."""
    return [_ceilings(summary), _simulators(summary), _ranks(summary), *_runs(summary), _training(summary)]


def _ceilings(summary: Summary) -> str:
    rows = [
        [
            *(entry.run, entry.task, entry.backend, entry.perturbation),
            *map(percent, (entry.success, entry.by_carrying, entry.without_words)),
            *(percent(entry.policies[name]) if name in entry.policies else NOTHING for name in _BESIDE),
        ]
        for entry in summary.ceilings
    ]
    head = ["run", "task", "simulator", "perturbation", "success at end", "by carrying"]
    head += ["perfect eye without words", *(f"`{name}`" for name in _BESIDE)]
    return section("Ceilings", table(head, rows) + differing(summary.ceilings))


def _simulators(summary: Summary) -> str:
    rows = [
        _agreement_row(entry, agreement)
        for entry in summary.simulators
        for agreement in [*entry.conditions, *([entry.pooled] if entry.pooled else [])]
    ]
    head = ["run", "simulators", "seeds", "task", "perturbation", "pairs", "agreement", "kappa"]
    head += ["only first / only second", "second minus first (points)", "Holm p (tests)", "verdict"]
    missing = [
        f"{entry.run}, {entry.first} and {entry.second}, {SEEDS[entry.seeds]}: {entry.reason}"
        for entry in summary.simulators
        if entry.reason
    ]
    return section(
        "Simulators: outcome by outcome",
        table(head, rows)
        + "".join(f"\n- {line}" for line in missing)
        + ("\n" if missing else "")
        + differing(summary.simulators),
    )


def _agreement_row(entry: SimulatorAgreement, agreement: Agreement) -> list[str]:
    comparison = agreement.comparison
    return [
        entry.run or NOTHING,
        f"{entry.first}, {entry.second}",
        SEEDS[entry.seeds],
        agreement.task or "all",
        agreement.perturbation or "all",
        str(comparison.pairs),
        percent(agreement.agreement),
        number(agreement.kappa),
        f"{comparison.only_first} / {comparison.only_second}",
        points(comparison.difference),
        _holm(comparison),
        comparison.verdict,
    ]


def _ranks(summary: Summary) -> str:
    rows = [
        [
            entry.run or "all runs",
            f"{entry.ranks.over} ({len(entry.ranks.points)})",
            SEEDS[entry.seeds],
            f"{entry.first}, {entry.second}",
            *_rank_cells(entry.ranks),
        ]
        for entry in summary.simulators
        if entry.ranks is not None
    ]
    head = ["run", "over", "seeds", "simulators", "Pearson r", "Spearman rho", "Kendall tau-b"]
    head += ["MMRV (first is the reference)", "MMRV (second is)"]
    return section("Simulators: do they order alike?", table(head, rows) + differing(summary.simulators))


def _rank_cells(ranks: RankAgreement) -> list[str]:
    correlations = [number(value) for value in (ranks.pearson, ranks.spearman, ranks.kendall)]
    return [*correlations, number(ranks.mmrv_first, 3), number(ranks.mmrv_second, 3)]


def _runs(summary: Summary) -> list[str]:
    titles = {
        "blind": "Without pictures",
        "mute": "Without words",
        "masked": "With something hidden",
        "feeler": "Ceiling: without eyes",
        "push": "Ceiling: without grasping",
        "policies": "Policies side by side",
    }
    head = ["first", "second", "task", "simulator", "perturbation", "pairs", "first's success"]
    head += ["second's success", "second minus first (points)", "Holm p (tests)", "verdict"]
    sections = []
    for kind, title in titles.items():
        rows = [
            [
                row.first,
                row.second,
                row.task or NOTHING,
                row.backend or NOTHING,
                row.perturbation or NOTHING,
                str(row.pairs),
                percent(row.first_rate),
                percent(row.second_rate),
                points(row.difference),
                _holm(row),
                row.verdict,
            ]
            for comparison in summary.comparisons
            if comparison.kind == kind
            for row in comparison.rows
        ]
        concerned = [comparison for comparison in summary.comparisons if comparison.kind == kind]
        sections.append(section(title, table(head, rows) + differing(concerned)))
    return sections


def _training(summary: Summary) -> str:
    rows = [
        [
            f"{grid.trained_clean} / {grid.trained_perturbed}",
            grid.task,
            grid.backend,
            grid.perturbation,
            str(grid.seeds),
            *(
                percent(grid.cells[f"{trained}/{tested}"])
                for trained in ("clean", "perturbed")
                for tested in ("clean", "perturbed")
            ),
            points(grid.interaction),
        ]
        for grid in summary.training
    ]
    head = ["trained on clean / on perturbed", "task", "simulator", "perturbation", "seeds"]
    head += ["clean -> clean", "clean -> perturbed", "perturbed -> clean", "perturbed -> perturbed"]
    head += ["gap narrowed by (points)"]
    return section("Trained on x tested on", table(head, rows) + differing(summary.training))


def _holm(comparison: Comparison) -> str:
    if comparison.p_holm is None:
        return f"{NOTHING} (interval)"
    return f"{p_value(comparison.p_holm)} ({comparison.tests})"
