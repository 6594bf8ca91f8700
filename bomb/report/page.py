"""The page of ``bomb report``: one HTML file that opens without a network."""

from collections.abc import Sequence
from pathlib import Path

from bomb.disk.files import write_text
from bomb.machine.versions import versions
from bomb.pages.page import Page
from bomb.report import (
    sections_boards,
    sections_ceilings,
    sections_compared,
    sections_draws,
    sections_episodes,
    sections_rates,
    sections_run,
)
from bomb.report.loading import LoadedRun
from bomb.report.model import Summary
from bomb.report.sections_twins import films
from bomb.report.wording import Names

PAIRS = 3


def write_page(file: Path, summary: Summary, runs: Sequence[LoadedRun], *, pairs: int = PAIRS) -> None:
    """Writes the page with every picture and video embedded.

    Args:
        file: to be written; it appears when it is whole.
        summary: of the runs.
        runs: those of the summary, in its order; their folders are read for paths and films.
        pairs: how many pairs of twins are filmed; 0 needs no graphics driver.

    Raises:
        BombError: if matplotlib is not installed.
        FileError: if a run cannot be read.
    """
    names = Names(summary)
    page = Page(_title(summary), contents=True)
    sections_rates.headline(page, summary, names)
    sections_ceilings.ceilings(page, summary, names)
    sections_rates.severity(page, summary, names)
    sections_rates.tables(page, summary, names)
    sections_rates.differences(page, summary, names)
    sections_draws.by_draw(page, summary, names)
    sections_compared.training(page, summary)
    sections_compared.comparisons(page, summary)
    sections_compared.simulators(page, summary)
    sections_episodes.endings(page, summary, names)
    sections_boards.boards(page, summary, names, runs)
    sections_boards.paths(page, summary, names, runs)
    if pairs:
        films(page, runs, pairs)
    sections_run.efficiency(page, summary)
    sections_run.errors(page, summary)
    sections_run.provenance(page, summary)
    words = ", ".join(f"{name} {version}" for name, version in versions().items() if version)
    page.paragraph(f"Made with {words}. What each number means: docs/statistics.md, docs/report.md.")
    write_text(file, page.html())


def _title(summary: Summary) -> str:
    policies = list(dict.fromkeys(run.policy for run in summary.runs))
    shown = ", ".join(policies[:3]) + (f" and {len(policies) - 3} more" if len(policies) > 3 else "")
    return f"BOMB: {shown}"
