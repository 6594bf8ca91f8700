"""The tables of results in Markdown: success by policy, engine and condition, and what was played."""

from collections.abc import Callable, Iterable, Sequence

from bomb.policies.words import PolicyWords
from bomb.report.formats import percent
from bomb.report.tables import table
from bomb.results.entry import Entry
from bomb.statistics.formats import NOTHING, significant

# Columns in this order, then what else was played, by name.
FIRST = (
    "clean",
    "clean, unseen goals",
    "board_pose:3",
    "bomb:3",
    "bomb:3+board_pose:3",
    "words:paraphrase_unseen",
)
BASELINES = ("blind", "mute")


def results_tables(entries: Sequence[Entry]) -> str:
    """Every table: of each task and split, the project's own entries, then those of others."""
    parts = []
    for by in sorted({bool(entry.by) for entry in entries}):
        there = [entry for entry in entries if bool(entry.by) == by]
        if by:
            parts.append("### Of others\n")
        for task, split in dict.fromkeys((entry.task, entry.split) for entry in there):
            here = [entry for entry in there if (entry.task, entry.split) == (task, split)]
            parts += [_success(task, split, here), _played(here)]
    return "\n".join(parts) if parts else "No results yet.\n"


def _success(task: str, split: str, entries: Sequence[Entry]) -> str:
    columns = [name for name in FIRST if any(entry.condition == name for entry in entries)]
    columns += sorted({entry.condition for entry in entries} - {*columns})
    cells = {(entry.by, entry.policy, _engine(entry), entry.condition): entry for entry in entries}
    lines = list(dict.fromkeys((entry.by, entry.policy, _engine(entry)) for entry in _ordered(entries)))
    rows = [
        [
            f"{policy} ({by})" if by else _named(policy, entries),
            engine,
            *(_cell(cells.get((by, policy, engine, column))) for column in columns),
        ]
        for by, policy, engine in lines
    ]
    title = f"Success at the end in `{task}`, split `{split}`: percent, 95% interval (Wilson), episodes.\n"
    return f"{title}\n{table(['policy', 'engine', *columns], rows)}"


def _played(entries: Sequence[Entry]) -> str:
    """What the numbers stand on, a line for each policy."""
    rows = []
    for by, policy in dict.fromkeys((entry.by, entry.policy) for entry in _ordered(entries)):
        own = [entry for entry in entries if (entry.by, entry.policy) == (by, policy)]
        rows.append([policy, *(_all(own, what) for what in WHAT.values())])
    return f"What was played:\n\n{table(['policy', *WHAT], rows)}"


WHAT = {
    "seeds": lambda entry: (
        f"{entry.seed} to {entry.seed + entry.asked - 1}"
        if entry.goals == "all"
        else f"{entry.asked} from {entry.seed}, {entry.goals} goals"
    ),
    "sees": lambda entry: (
        "the true state"
        if entry.privileged
        else f"{', '.join(entry.cameras)}, {entry.image_size[0]} x {entry.image_size[1]}"
        if entry.cameras
        else "nothing"
    ),
    "parameters": lambda entry: NOTHING if entry.parameters is None else f"{entry.parameters:,}",
    "trained on": lambda entry: _trained(entry),
    "chunk": lambda entry: str(entry.terms.get("chunk")),
    "ms a decision": lambda entry: significant(entry.policy_ms, NOTHING, 3),
    "renderer": lambda entry: NOTHING if entry.renderer is None else str(entry.renderer),
    "BOMB": lambda entry: _version(entry),
    "digest": lambda entry: entry.digest[:8],
}


def _all(entries: Iterable[Entry], what: Callable[[Entry], str]) -> str:
    """What is said of the entries, each said once; of numbers of many conditions the range."""
    said = list(dict.fromkeys(map(what, entries)))
    if what is WHAT["ms a decision"] and len(said) > 1:
        numbers = sorted(float(one) for one in said if one != NOTHING)
        return (
            f"{significant(numbers[0], digits=3)} to {significant(numbers[-1], digits=3)}"
            if numbers
            else NOTHING
        )
    if what is WHAT["digest"] and len(said) > 2:
        return f"{said[0]} and {len(said) - 1} more"
    return "; ".join(said)


def _cell(entry: Entry | None) -> str:
    if entry is None:
        return NOTHING
    lost = f", {entry.unplayed} not played" if entry.unplayed else ""
    return f"{percent(entry.success)} ({entry.episodes}{lost})"


def _ordered(entries: Iterable[Entry]) -> list[Entry]:
    """Privileged first, then by success, each policy beside its blind and mute twins."""
    best: dict[tuple[str, str], float] = {}
    entries = list(entries)
    for entry in entries:
        key = entry.by, _inside(entry)
        best[key] = max(best.get(key, 0.0), (entry.success.value or 0.0) * (not _wrapped(entry)))

    def place(entry: Entry) -> tuple[object, ...]:
        family = entry.by, _inside(entry)
        return (
            entry.by,
            not entry.privileged,
            -best[family],
            family,
            _wrapped(entry),
            entry.policy,
            _engine(entry),
        )

    return sorted(entries, key=place)


def _wrapped(entry: Entry) -> bool:
    return PolicyWords.parse(entry.policy).name in BASELINES


def _inside(entry: Entry) -> str:
    words = PolicyWords.parse(entry.policy)
    return (words.inside or "") if words.name in BASELINES else entry.policy


def _named(policy: str, entries: Sequence[Entry]) -> str:
    privileged = any(entry.privileged for entry in entries if entry.policy == policy)
    return f"{policy} (privileged)" if privileged else policy


def _engine(entry: Entry) -> str:
    return f"{entry.backend}, drawn by {entry.drawn_by}" if entry.drawn_by else entry.backend


def _trained(entry: Entry) -> str:
    if not entry.trained_on:
        return NOTHING
    said = []
    for data in entry.trained_on:
        knobs = ", ".join(f"{name}:{level}" for name, level in (data.get("perturbations") or {}).items())
        said.append(f"{data.get('split')}{f' with {knobs}' if knobs else ''}")
    return "; ".join(dict.fromkeys(said))


def _version(entry: Entry) -> str:
    commit = (entry.git or {}).get("commit")
    changed = "+" if (entry.git or {}).get("changed") else ""
    return f"{entry.versions.get('bomb') or ''} {commit[:8] + changed if commit else ''}".strip() or NOTHING
