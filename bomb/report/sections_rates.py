"""What is read first: the headline, success against severity, and the tables of every condition."""

from collections.abc import Iterable
from typing import Any

from bomb.pages.drawing import Chart
from bomb.pages.page import Page, Raw
from bomb.report.charts import differences_chart, points, severity_chart
from bomb.report.compared import Comparison
from bomb.report.formats import not_made_alike
from bomb.report.model import ConditionSummary, Group, RunSummary, SeverityCurve, Summary
from bomb.report.wording import Names, counted, interval, number_cell, rate_cell, share, verdict_cell
from bomb.statistics import formats

CHARTS = 12  # severity charts that are open at once; the others are folded away


def differing(page: Page, found: Iterable[Any]) -> None:
    """A note where what a table or chart shows combines runs made with different versions or settings."""
    said = not_made_alike(found)
    if said:
        page.paragraph(said, kind="note")


def show(page: Page, chart: Chart) -> None:
    """A chart on the page."""
    page.picture(chart.data, chart.caption, alt=chart.alt, kind=chart.kind)


def headline(page: Page, summary: Summary, names: Names) -> None:
    """One card for each run in each simulator, and what to know before anything is compared."""
    page.heading("Headline")
    page.cards(_card(names, groups) for groups in _clean_and_perturbed(summary) if _any_episode(groups))
    differing(page, (group for run in summary.runs for group in run.groups))
    page.paragraph(
        "The share of episodes that ended in success: in the clean world → under all perturbations together, "
        "both over pairs of a perturbed episode and its clean twin. "
        f"Brackets hold {summary.confidence:.0%} intervals. A success is a stone of the right colour at rest "
        "within the tolerance of the right intersection, let go, with no other stone pushed away "
        "(docs/checker.md), however it got there; by carrying is the share of episodes in which it "
        "was grasped and lifted besides, which pushing a stone along the board is not. Episodes that could "
        "not be played are errors: counted apart, never as failures."
    )
    privileged = [f"`{run.policy}`" for run in summary.runs if run.privileged]
    if privileged:
        page.paragraph(
            f"Privileged: {', '.join(privileged)}, given the true positions, which no policy has that sees "
            "only pictures.",
            kind="note",
        )
    for run in summary.runs:
        if run.errors.unplayed:
            page.paragraph(
                f"{run.name}: {counted(run.errors.unplayed, 'episode')} could not be played, and no rate "
                "counts them; see “Errors”.",
                kind="note",
            )
    for note in summary.notes:
        page.paragraph(note[:1].upper() + note[1:] + ("" if note.endswith(".") else "."), kind="note")


def severity(page: Page, summary: Summary, names: Names) -> None:
    """A chart for each knob and preset that was played at two severities or more."""
    curves: dict[str, list[SeverityCurve]] = {}
    for run in summary.runs:
        for curve in run.curves:
            if len(curve.points) >= 2:
                curves.setdefault(curve.name, []).append(curve)
    if not curves:
        return
    page.heading("Success against severity")
    page.paragraph(
        "Severity 0 is the clean world; the same seeds are played at each severity, so that only the "
        "perturbation grows, and a perturbed point is of the episodes that have a clean twin. Bars are "
        "intervals of single points: what differs from the clean world is said by paired differences."
    )
    charts = [
        severity_chart(
            formats.words(name),
            [(names.place(c), names.style(c), [(p.severity, p.success) for p in c.points]) for c in members],
            f"`{name}` ({formats.words(members[0].category)}): {_counts(members)} episodes a point.",
        )
        for name, members in curves.items()
    ]
    differing(page, (curve for members in curves.values() for curve in members))
    with page.columns():
        for chart in charts[:CHARTS]:
            show(page, chart)
    if charts[CHARTS:]:
        with page.details(f"{len(charts) - CHARTS} more"), page.columns():
            for chart in charts[CHARTS:]:
                show(page, chart)


def tables(page: Page, summary: Summary, names: Names) -> None:
    """Category x severity x simulator, and every condition."""
    page.heading("By category, severity and simulator")
    page.paragraph(
        "Conditions of one category and severity are pooled; their intervals know that the same seeds were "
        "played several times. A dash is a combination that was not played. Perturbed episodes count where "
        "their clean twins were played; where a cell has none, it says so."
    )
    differing(page, (group for run in summary.runs for group in run.groups))
    places = [
        (run, *place)
        for run in summary.runs
        for place in dict.fromkeys((g.task, g.split) for g in run.groups)
    ]
    with page.row():
        for run, task, split in places:
            _category_table(page, run, [g for g in run.groups if (g.task, g.split) == (task, split)])
    with page.details("Every condition"):
        for run in summary.runs:
            page.table(
                ["condition", "simulator", "success", "by carrying", "at any time", "placed: median off",
                 "95th percentile", "against the clean twins, points", "p (Holm)", "verdict"],
                [_condition_row(c) for c in run.conditions],
                f"{run.name}: conditions, {summary.confidence:.0%} intervals under each number",
            )  # fmt: skip


def differences(page: Page, summary: Summary, names: Names) -> None:
    """Perturbed minus clean on the same seeds."""
    places: dict[str, list[tuple[str, Comparison]]] = {}
    for run in summary.runs:
        for cell in run.conditions:
            if cell.versus_clean is not None and cell.versus_clean.pairs:
                places.setdefault(names.place(cell), []).append((cell.perturbation, cell.versus_clean))
    if not places:
        return
    page.heading("Perturbed against clean, seed by seed")
    page.paragraph(
        "Every perturbed episode has a clean twin: the same seed, goal and stones without the perturbation. "
        "The difference of their outcomes says what the perturbation did, with the luck of the layout taken "
        f"out. Tests are exact (McNemar) and corrected within a run (Holm, level {summary.level:.0%}). "
        "“No difference shown” is not “equal”: the interval says how large a difference may hide in it."
        + (
            f" Equality is claimed against a margin of {100 * summary.margin:.0f} points."
            if summary.margin is not None
            else ""
        )
        + " A filled dot: the interval of this one row excludes zero. An open dot: it does not."
    )
    differing(page, (compared for found in places.values() for _, compared in found))
    with page.columns():
        for place, found in places.items():
            rows = [(perturbation, compared.difference) for perturbation, compared in found]
            show(
                page,
                differences_chart(
                    place,
                    rows,
                    "difference, percentage points",
                    f"{place}: {_span({compared.pairs for _, compared in found})} pairs a row.",
                ),
            )


def _clean_and_perturbed(summary: Summary) -> list[list[Group]]:
    found: dict[tuple[str, ...], list[Group]] = {}
    for run in summary.runs:
        for group in run.groups:
            if (
                group.severity is None and group.category in ("clean", "perturbed")
            ) or group.category == "clean":
                found.setdefault((run.name, group.task, group.split, group.backend), []).append(group)
    return list(found.values())


def _any_episode(groups: list[Group]) -> bool:
    return any(group.episodes for group in groups)


def _card(names: Names, groups: list[Group]) -> tuple[str, str, str]:
    """Clean → perturbed over pairs of twins; without any pair, what there is, by name."""
    by_category = {group.category: group for group in groups}
    clean, perturbed = by_category.get("clean"), by_category.get("perturbed")
    place = names.place(groups[0])
    carried = [
        f"{name} by carrying: {share(group.by_carrying)}"
        for name, group in by_category.items()
        if group.by_carrying.value is not None
    ]
    if perturbed is not None and perturbed.pairs:
        sides = (("clean", perturbed.clean_twins), ("perturbed", perturbed.paired))
        lines = [f"{name}: {interval(side)} of {perturbed.pairs} pairs" for name, side in sides]
        twinless = perturbed.episodes - perturbed.pairs
        if twinless:
            lines.append(f"{counted(twinless, 'perturbed episode')} without a clean twin, not counted")
        lines += carried
        return place, " → ".join(share(side) for _, side in sides), Raw("<br>".join(lines))
    if clean is not None and clean.episodes:
        lines = [f"clean: {interval(clean.success)} of {clean.episodes}"]
        if perturbed is not None:
            lines.append("nothing perturbed has its clean twin yet")
        lines += carried
        return place, share(clean.success), Raw("<br>".join(lines))
    alone = perturbed or groups[0]
    lines = [f"perturbed: {interval(alone.success)} of {alone.episodes}", "without clean twins"]
    lines += carried
    return place, share(alone.success), Raw("<br>".join(lines))


def _category_table(page: Page, run: RunSummary, groups: list[Group]) -> None:
    backends = list(dict.fromkeys(g.backend for g in groups))
    cells = {(g.category, g.severity, g.backend): g for g in groups}
    rows = dict.fromkeys((g.category, g.severity) for g in groups if g.category != "perturbed")
    page.table(
        ["category", "severity", *backends],
        [
            [
                formats.words(category),
                "" if level is None or category == "clean" else str(level),
                *(_group_cell(cells.get((category, level, backend))) for backend in backends),
            ]
            for category, level in rows
        ],
        f"{run.name}: success in {groups[0].task}, split {groups[0].split}",
    )


def _group_cell(group: Group | None) -> str | Raw:
    if group is None:
        return "–"
    if group.category == "clean" or not group.episodes:
        return rate_cell(group.success)
    if not group.pairs:
        return Raw(f"{rate_cell(group.success)}<small>without clean twins</small>")
    alone = group.episodes - group.pairs
    left = f"<small>{alone} without a clean twin, not counted</small>" if alone else ""
    return Raw(f"{rate_cell(group.paired)}{left}")


def _condition_row(cell: ConditionSummary) -> list[str]:
    twin = cell.versus_clean
    alone = cell.episodes - twin.pairs if twin is not None else 0
    success = rate_cell(cell.success)
    return [
        cell.perturbation,
        cell.backend,
        Raw(f"{success}<small>{alone} of these without a clean twin</small>") if alone else success,
        rate_cell(cell.by_carrying),
        rate_cell(cell.success_once),
        number_cell(cell.distance_median_mm, "mm"),
        number_cell(cell.distance_p95_mm, "mm"),
        "" if twin is None else points(twin.difference),
        "" if twin is None else formats.p_value(twin.p_holm),
        "" if twin is None else verdict_cell(twin.verdict),
    ]


def _counts(curves: list[SeverityCurve]) -> str:
    return _span({point.success.n for curve in curves for point in curve.points})


def _span(counts: set[int]) -> str:
    return str(min(counts)) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
