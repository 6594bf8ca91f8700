"""Success by what was drawn, as charts, tables, and lines of text."""

from collections.abc import Iterator, Sequence

from bomb.pages.drawing import BLUE, SOFT, Chart, figure, svg
from bomb.pages.page import Page
from bomb.report.formats import percent
from bomb.report.model import DrawTable, Summary
from bomb.report.tables import section, table
from bomb.report.wording import Names, rate_cell
from bomb.statistics import Estimate, formats

CHARTED = 4  # groupings of a condition that are drawn; the table has all
OPEN = 2  # conditions that are not folded away
WIDTH = 25  # characters of an interval in text

READING = (
    "Episodes of one perturbation, grouped by one thing that it drew: by name, or by thirds where it is a "
    "number. Groupings whose groups differ most come first. The p-value is of a permutation test, corrected "
    "(Holm) for all groupings of the condition: of many groups some look extreme by chance."
)


def by_draw(page: Page, summary: Summary, names: Names) -> None:
    """What was drawn against success; nothing where no run has enough perturbed episodes."""
    found = list(_by_condition(summary))
    if not found:
        return
    page.heading("By what was drawn")
    page.paragraph(READING)
    for k, (label, tables) in enumerate((f"{names.place(t[0])}, {t[0].perturbation}", t) for t in found):
        if k < OPEN:
            _condition(page, label, tables)
            continue
        with page.details(label):
            _condition(page, label, tables)


def markdown_by_draw(summary: Summary) -> str:
    """The same as tables of Markdown, each interval also as a line of characters."""
    rows = [
        [
            entry.run, entry.backend, entry.perturbation, _what(entry) if k == 0 else "",
            group.label, str(group.success.n), percent(group.success), f"`{strip(group.success)}`",
            formats.p_value(entry.p_holm) if k == 0 else "",
        ]
        for tables in _by_condition(summary)
        for entry in tables
        for k, group in enumerate(entry.groups)
    ]  # fmt: skip
    head = ["run", "simulator", "perturbation", "drawn", "value", "episodes", "success at end"]
    head += ["0% to 100%", "p (Holm)"]
    return section("Success by what was drawn", f"{READING}\n\n{table(head, rows)}" if rows else "")


def strip(rate: Estimate) -> str:
    """An interval between 0 and 1 in ``WIDTH`` characters: ``[---o--]   ``."""
    if rate.drawn is None:
        return " " * WIDTH
    at = [round(share * (WIDTH - 1)) for share in rate.drawn]
    line = [" "] * WIDTH
    line[at[0] : at[2] + 1] = ["-"] * (at[2] + 1 - at[0])
    line[at[0]], line[at[2]], line[at[1]] = "[", "]", "o"
    return "".join(line)


def _condition(page: Page, label: str, tables: Sequence[DrawTable]) -> None:
    chart = draws_chart(label, tables[:CHARTED])
    page.picture(chart.data, chart.caption, alt=chart.alt, kind=chart.kind)
    with page.details(f"All {len(tables)} groupings of {label}"):
        page.table(
            ["drawn", "value", "episodes", "success", "p (Holm)"],
            [
                [
                    _what(entry) if k == 0 else "",
                    group.label,
                    str(group.success.n),
                    rate_cell(group.success),
                    formats.p_value(entry.p_holm) if k == 0 else "",
                ]
                for entry in tables
                for k, group in enumerate(entry.groups)
            ],
            f"{label}: success by what was drawn",
        )


def draws_chart(title: str, tables: Sequence[DrawTable]) -> Chart:
    """Success of each group with its interval, a block a grouping."""
    labels: list[str] = []
    rates: list[Estimate] = []
    blocks: list[tuple[int, str]] = []
    for entry in tables:
        blocks.append((len(labels), _what(entry)))
        labels += [group.label for group in entry.groups]
        rates += [group.success for group in entry.groups]
    places = [y + 1.1 * (1 + sum(first <= y for first, _ in blocks)) - 1.1 for y in range(len(labels))]
    with figure(height=1.0 + 0.22 * (len(labels) + 1.1 * len(blocks))) as (drawn, axes):
        for y, rate in zip(places, rates, strict=True):
            if rate.drawn is not None:
                low, value, high = rate.drawn
                axes.plot([low, high], [y, y], color=BLUE, linewidth=1.4, solid_capstyle="butt")
                axes.plot(value, y, "o", color=BLUE, markersize=5.5)
        for first, what in blocks:
            axes.text(-0.03, places[first] - 0.85, what, fontsize=8.5, color=SOFT, va="center", ha="left")
        axes.set_yticks(places, [f"{label} ({rate.n})" for label, rate in zip(labels, rates, strict=True)])
        axes.tick_params(axis="y", labelsize=8)
        axes.set_ylim(places[-1] + 0.8, places[0] - 1.6)
        axes.set_xlim(-0.04, 1.04)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        axes.set_xlabel("success")
        axes.set_title(title)
        axes.grid(visible=False, axis="y")
        alt = f"{title}: " + "; ".join(
            f"{_what(entry)}: "
            + ", ".join(f"{group.label} {formats.share(group.success.value)}" for group in entry.groups)
            for entry in tables
        )
        caption = f"The {len(tables)} groupings whose groups differ most; episodes in brackets."
        return svg(drawn, alt=alt, caption=caption)


def _by_condition(summary: Summary) -> Iterator[list[DrawTable]]:
    for run in summary.runs:
        places = dict.fromkeys((t.task, t.backend, t.split, t.perturbation) for t in run.draws)
        for place in places:
            yield [t for t in run.draws if (t.task, t.backend, t.split, t.perturbation) == place]


def _what(entry: DrawTable) -> str:
    # Labels have the unit.
    return (
        f"{formats.words(entry.knob)}: {formats.words(entry.value.removesuffix('_rad').removesuffix('_m'))}"
    )
