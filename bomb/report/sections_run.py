"""What a run cost, what went wrong in it, and what it was made with."""

from collections.abc import Iterator
from typing import Any

from bomb.pages.page import Page
from bomb.report.model import Efficiency, RunSummary, Summary
from bomb.report.wording import counted, number_cell
from bomb.statistics import formats

_SHARES = ("sim", "render", "policy", "overhead")


def efficiency(page: Page, summary: Summary) -> None:
    """Parameters, memory, Hz."""
    rows = [_efficiency_row(run, e) for run in summary.runs for e in run.efficiency]
    if not rows:
        return
    page.heading("Efficiency")
    page.paragraph(
        "Times are of the machine that is named under “Provenance”, with everything else it was doing. "
        "Decisions a second: how often the policy could be asked if nothing else took time. Actions a "
        "second: what came of them; a policy that answers with chunks decides less often for as many actions."
    )
    page.table(
        ["run", "simulator", "parameters", "memory", "decision, mean", "95th percentile",
         "decisions", "actions", "actions a decision",
         "whole harness", "one episode", "engine / renderer / policy / harness"],
        rows,
        "Cost by run and simulator; a dash is not known",
    )  # fmt: skip


def errors(page: Page, summary: Summary) -> None:
    """Attempts that ended in an error."""
    page.heading("Errors")
    runs = [run for run in summary.runs if run.errors.attempts]
    page.paragraph(
        "Attempts in which a policy, a simulator or a process broke, answered too late or gave no action "
        "that can be executed. They are tried again and never counted as failures; success rates are of the "
        "episodes that were completed."
    )
    if not runs:
        page.paragraph("None: every attempt was completed.")
    for run in runs:
        found = run.errors
        kinds = ", ".join(f"{count} {kind}" for kind, count in found.kinds.items())
        page.paragraph(
            f"{run.name}: {counted(found.attempts, 'attempt')} ({kinds}); completed later: "
            f"{counted(found.recovered, 'episode')}, not at all: {counted(found.unplayed, 'episode')}."
        )
        if found.examples:
            page.table(
                ["condition", "seed", "kind", "step", "value", "message"],
                [
                    [*(_plain(example.get(name)) for name in ("condition", "seed", "kind", "step", "value")),
                     str(example.get("message", ""))[:300]]
                    for example in found.examples
                ],
                f"{run.name}: the last attempt of episodes without a result",
            )  # fmt: skip


def provenance(page: Page, summary: Summary) -> None:
    """What would be needed to make the numbers again."""
    page.heading("Provenance")
    page.paragraph("What was run, with what, on what: enough to make the numbers again.")
    for run in summary.runs:
        times = f", {run.started[:19]} to {run.finished[:19]} UTC" if run.started and run.finished else ""
        with page.details(f"{run.name}: `{run.policy}`, {run.episodes} episodes{times}"):
            entries = {"folder": run.path, "policy": run.policy, **run.describe, **run.provenance}
            page.table(
                ["setting", "value"],
                [list(entry) for entry in flat(entries)],
                f"{run.name}: settings",
                numbers=False,
            )


def flat(entries: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as (dotted name, value in words)."""
    for name, value in entries.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _plain(value)


def _efficiency_row(run: RunSummary, cost: Efficiency) -> list[str]:
    shares = " / ".join(formats.share(cost.shares.get(name), missing=formats.NOTHING) for name in _SHARES)
    return [
        run.name,
        cost.backend,
        formats.NOTHING if cost.parameters is None else _count(cost.parameters),
        formats.fixed(cost.memory_mb, 0, "MB"),
        number_cell(cost.policy_ms_mean, "ms", 2),
        number_cell(cost.policy_ms_p95, "ms", 2),
        formats.fixed(cost.policy_hz, 0, "Hz"),
        formats.fixed(cost.actions_hz, 0, "Hz"),
        formats.fixed(cost.actions_per_decision),
        formats.fixed(cost.steps_per_s, 0, "actions/s"),
        number_cell(cost.episode_s, "s", 2),
        shares,
    ]


def _count(number: int) -> str:
    for unit, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def _plain(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
