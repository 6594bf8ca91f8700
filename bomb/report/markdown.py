"""Markdown: the tables of a report with their intervals, ready for a paper."""

from bomb.report.formats import differing, number, percent, points, words
from bomb.report.markdown_comparisons import comparison_sections
from bomb.report.model import ConditionSummary, RunSummary, Summary
from bomb.report.sections_draws import markdown_by_draw
from bomb.report.tables import escaped, section, table
from bomb.statistics.formats import NOTHING, fixed, p_value, share


def to_markdown(summary: Summary) -> str:
    """Every table that the runs allow."""
    parts = [
        "# Results\n",
        _reading(summary),
        _headline(summary),
        _categories(summary),
        _conditions(summary),
        _twins(summary),
        markdown_by_draw(summary),
        _reasons(summary),
        _stages(summary),
        _moves(summary),
        *comparison_sections(summary),
        _efficiency(summary),
        _errors(summary),
        _provenance(summary),
    ]
    return "\n".join(part for part in parts if part)


def _reading(summary: Summary) -> str:
    lines = [
        f"Rates are of completed episodes, with {summary.confidence:.0%} intervals in brackets (percent). ",
        "Differences are in percentage points, over pairs of the same seed and goal. ",
        f"Tests are corrected by Holm's method within each table and run, at {summary.level:.0%}. ",
        "*No difference shown* does not mean equal",
        "; equality is not claimed without a margin (`--margin`).\n"
        if summary.margin is None
        else f"; equal is what has its whole interval within {100 * summary.margin:g} points.\n",
    ]
    notes = "".join(f"- {escaped(note)}\n" for note in summary.notes)
    return "".join(lines) + (f"\n{notes}" if notes else "")


def _headline(summary: Summary) -> str:
    rows = []
    for run in summary.runs:
        groups = [group for group in run.groups if group.category in ("clean", "perturbed")]
        for place in dict.fromkeys((g.task, g.backend, g.split) for g in groups):
            here = {g.category: g for g in groups if (g.task, g.backend, g.split) == place}
            clean, perturbed = here.get("clean"), here.get("perturbed")
            shown = [f"{percent(clean.success)} ({clean.episodes})" if clean and clean.episodes else NOTHING]
            if perturbed and perturbed.pairs:
                shown += [percent(perturbed.clean_twins), f"{percent(perturbed.paired)} ({perturbed.pairs})"]
                shown += [points(perturbed.versus_clean)]
            else:
                shown += [NOTHING] * 3
            alone = perturbed.episodes - perturbed.pairs if perturbed else 0
            rows.append([run.name, _policy(run), *place, *shown, str(alone)])
    head = ["run", "policy", "task", "simulator", "split", "clean (episodes)", "clean twins"]
    head += ["perturbed (pairs)", "difference", "perturbed without a twin"]
    groups = [group for run in summary.runs for group in run.groups]
    return section("Success at the end", table(head, rows) + differing(groups))


def _categories(summary: Summary) -> str:
    rows = [
        [
            group.run,
            group.task,
            group.category,
            NOTHING if group.severity is None else str(group.severity),
            group.backend,
            str(group.episodes),
            str(group.pairs),
            percent(group.paired if group.pairs else group.success),
            points(group.versus_clean),
        ]
        for run in summary.runs
        for group in run.groups
        if group.category not in ("clean", "perturbed")
    ]
    head = ["run", "task", "category", "severity", "simulator", "episodes", "with a clean twin"]
    head += ["success of these (of all where none has)", "against clean"]
    groups = [group for run in summary.runs for group in run.groups]
    return section("Category x severity x simulator", table(head, rows) + differing(groups))


def _conditions(summary: Summary) -> str:
    rows = [
        [
            *_where(condition),
            str(condition.episodes),
            str(condition.unplayed),
            percent(condition.success),
            percent(condition.by_carrying),
            percent(condition.success_once),
            number(condition.distance_median_mm),
            number(condition.distance_p95_mm),
        ]
        for condition in _all(summary)
    ]
    head = ["run", "task", "simulator", "perturbation", "completed", "unplayed", "success at end"]
    head += ["by carrying", "success once", "placement error, median (mm)", "95th percentile (mm)"]
    return section("Conditions: of completed episodes", table(head, rows))


def _twins(summary: Summary) -> str:
    rows = []
    for condition in _all(summary):
        versus = condition.versus_clean
        if versus is not None:
            rows.append(
                [
                    *_where(condition),
                    str(versus.pairs),
                    f"{versus.only_first} / {versus.only_second}",
                    points(versus.difference),
                    p_value(versus.p_value),
                    f"{p_value(versus.p_holm)} ({versus.tests})",
                    versus.verdict,
                ]
            )
    head = ["run", "task", "simulator", "perturbation", "twins", "only clean / only perturbed"]
    head += ["difference (points)", "McNemar p", "Holm p (tests)", "verdict"]
    found = [condition.versus_clean for condition in _all(summary) if condition.versus_clean is not None]
    return section("Perturbed against clean twins", table(head, rows) + differing(found))


def _reasons(summary: Summary) -> str:
    conditions = _all(summary)
    names = list(dict.fromkeys(name for condition in conditions for name in condition.reasons))
    rows = [
        [*_where(condition), *(str(condition.reasons.get(name, 0)) for name in names)]
        for condition in conditions
    ]
    head = ["run", "task", "simulator", "perturbation", *map(words, names)]
    return section("First reason of failures (episodes)", table(head, rows) if names else "")


def _stages(summary: Summary) -> str:
    conditions = _all(summary)
    names = list(dict.fromkeys(name for condition in conditions for name in condition.stages))
    rows = [
        [
            *_where(condition),
            *(percent(condition.stages[n]) if n in condition.stages else NOTHING for n in names),
        ]
        for condition in conditions
    ]
    head = ["run", "task", "simulator", "perturbation", *map(words, names)]
    return section("Stages reached", table(head, rows) if names else "")


def _moves(summary: Summary) -> str:
    rows = []
    for condition in _all(summary):
        if condition.moves is not None:
            moves = condition.moves
            shares = [f"{k}: {share(one['value'], 1)} of {one['n']}" for k, one in moves["in_a_row"].items()]
            of_all = [f"{k}: {share(one['value'], 1)}" for k, one in moves["of_all"].items()]
            average = moves["average_length"]["value"]
            said = [fixed(average, 2), "; ".join(shares), "; ".join(of_all), str(moves["wrong_moves"])]
            rows.append([*_where(condition), *said])
    head = ["run", "task", "simulator", "perturbation", "moves done, mean"]
    head += ["in a row, of those that have so many", "of all (CALVIN)", "wrong moves"]
    return section("Consecutive moves", table(head, rows))


def _efficiency(summary: Summary) -> str:
    rows = [
        [
            run.name,
            entry.backend,
            NOTHING if entry.parameters is None else f"{entry.parameters:,}",
            fixed(entry.memory_mb, 0),
            number(entry.policy_ms_mean, 1),
            number(entry.policy_ms_p95, 1),
            fixed(entry.policy_hz),
            fixed(entry.actions_hz),
            fixed(entry.actions_per_decision),
            fixed(entry.steps_per_s),
            number(entry.episode_s, 1),
            ", ".join(f"{name} {share(part)}" for name, part in entry.shares.items()) or NOTHING,
        ]
        for run in summary.runs
        for entry in run.efficiency
    ]
    head = ["run", "simulator", "parameters", "memory (MB)", "latency (ms)", "latency p95 (ms)"]
    head += [
        "decisions (Hz)",
        "actions (Hz)",
        "actions a decision",
        "whole harness, actions/s",
        "episode (s)",
        "share of time",
    ]
    return section("Efficiency", table(head, rows))


def _errors(summary: Summary) -> str:
    rows = [
        [
            run.name,
            str(run.errors.attempts),
            str(run.errors.recovered),
            str(run.errors.unplayed),
            ", ".join(f"{kind} {count}" for kind, count in run.errors.kinds.items()),
        ]
        for run in summary.runs
        if run.errors.attempts
    ]
    head = ["run", "failed attempts", "played in the end", "not played", "by kind"]
    worst = [
        [*_where(condition), str(condition.unplayed), percent(condition.success)]
        + [percent(condition.success_at_worst)]
        for condition in _all(summary)
        if condition.unplayed
    ]
    below = ["run", "task", "simulator", "perturbation", "not played", "success of completed"]
    below += ["success if all of these had failed"]
    tables = [table(head, rows), table(below, worst)]
    return section("Errors (no failures of a policy; in no rate)", "\n".join(filter(None, tables)))


def _provenance(summary: Summary) -> str:
    rows = [
        [run.name, _policy(run), run.path, run.started or NOTHING, run.finished or NOTHING]
        + [", ".join(f"{k} {v}" for k, v in (run.provenance.get("versions") or {}).items() if v)]
        for run in summary.runs
    ]
    return section("Provenance", table(["run", "policy", "folder", "started", "finished", "versions"], rows))


def _all(summary: Summary) -> list[ConditionSummary]:
    return [condition for run in summary.runs for condition in run.conditions]


def _where(condition: ConditionSummary) -> list[str]:
    return [condition.run, condition.task, condition.backend, condition.perturbation]


def _policy(run: RunSummary) -> str:
    return f"{run.policy} (privileged)" if run.privileged else run.policy
