"""The section of the page about ceilings: what a success rate has to be above to say anything."""

from bomb.pages.page import Page
from bomb.report.model import Ceiling, Summary
from bomb.report.sections_rates import differing
from bomb.report.wording import Names, rate_cell
from bomb.statistics import Estimate, formats

OPEN = 12  # conditions that are shown at once; more are folded away
COLUMNS = {
    "feeler": "without eyes: feeler",
    "push": "without grasping: push",
    "mute": "the policy without words",
    "blind": "the policy without pictures",
}


def ceilings(page: Page, summary: Summary, names: Names) -> None:
    """Every condition beside what it is solved with, without hearing, seeing or grasping."""
    if not summary.ceilings:
        return
    page.heading("Ceilings")
    page.paragraph(
        "What a rate has to be above before it says that a policy listens, looks or grasps. Without words: "
        "what somebody with perfect eyes who hears nothing gets right at most, one in so many moves as could "
        "be meant. Without eyes: the policy feeler hears the words and feels for a stone. Without grasping: "
        "push slides stones along the board, knowing the true state. These two are runs on the same "
        "episodes, and stand here where they were given to the report; a dash is one that was not."
    )
    differing(page, summary.ceilings)
    head = ["condition", "success", "by carrying", "without words", *COLUMNS.values()]
    rows = [_row(entry, names) for entry in summary.ceilings]
    caption = f"{summary.confidence:.0%} intervals under each number"
    if len(rows) <= OPEN:
        page.table(head, rows, caption)
        return
    clean = [row for entry, row in zip(summary.ceilings, rows, strict=True) if entry.perturbation == "clean"]
    if clean:
        page.table(head, clean, caption)
    with page.details("Ceilings of every condition"):
        page.table(head, rows, caption)


def _row(entry: Ceiling, names: Names) -> list[str]:
    return [
        f"{names.place(entry)}: {entry.perturbation}",
        rate_cell(entry.success),
        rate_cell(entry.by_carrying),
        _chance(entry.without_words),
        *(rate_cell(entry.policies[name]) if name in entry.policies else "–" for name in COLUMNS),
    ]


def _chance(estimate: Estimate) -> str:
    if estimate.value is None:
        return rate_cell(estimate)
    return formats.share(estimate.value, 1)
