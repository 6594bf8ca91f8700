"""Conditions of a run against their clean twins, pooled by category and severity, and along severities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bomb.report.compared import Comparison
from bomb.report.conditions import by_carrying
from bomb.report.loading import LoadedRun, where
from bomb.report.makings import made_otherwise
from bomb.report.model import CurvePoint, Group, SeverityCurve
from bomb.report.pairing import Pairs, compare, pair, pool, settle
from bomb.runs.rows import Condition, EpisodeRow
from bomb.statistics import Estimate, clustered_difference, clustered_rate, rate, undefined

CLEAN = "clean"
PERTURBED = "perturbed"
NO_TWIN = "this is the clean world"

Twins = Callable[[Condition], Pairs | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class CleanEpisodes:
    """Clean episodes by seed, and what their run was made with that the perturbed one was not."""

    rows: Mapping[int, EpisodeRow]
    differs: tuple[str, ...] = ()


def twins_of(run: LoadedRun, runs: Sequence[LoadedRun], *, across: bool = False) -> Twins:
    """Looks up the pairs (clean, perturbed) of a condition; None for a clean one, or one without twins.

    Twins are those of the run itself, else those of another run of the same policy under the same terms, made
    with the same versions, renderer and tolerances unless ``across``.
    """
    known: dict[str, Pairs | None] = {}

    def look_up(condition: Condition) -> Pairs | None:
        if condition.perturbation == CLEAN:
            return None
        if condition.key not in known:
            task, backend, split, _ = where(condition)
            clean = clean_rows(run, runs, task, backend, split, across=across)
            known[condition.key] = None
            if clean is not None:
                pairs = pair(clean.rows, run.episodes[condition.key], cluster=(task, split), twins=True)
                known[condition.key] = replace(pairs, differs=clean.differs)
        return known[condition.key]

    return look_up


def clean_rows(
    run: LoadedRun,
    runs: Sequence[LoadedRun],
    task: str,
    backend: str,
    split: str,
    *,
    across: bool = False,
) -> CleanEpisodes | None:
    """The clean episodes of the run, or of another of the same policy; None without any.

    One that was made with the same versions, renderer and tolerances comes first; others only ``across``.
    """
    others = [other for other in runs if other is not run and other.same_policy(run)]
    places = [(place, made_otherwise(place, run)) for place in (run, *others)]
    for place, differs in sorted(places, key=lambda entry: bool(entry[1])):
        clean = place.find(task=task, backend=backend, split=split, perturbation=CLEAN)
        if clean is not None and (across or not differs):
            return CleanEpisodes(rows=place.episodes[clean.key], differs=differs)
    return None


def against_clean(run: LoadedRun, twins: Twins, margin: float | None) -> dict[str, Comparison]:
    """Condition key to its comparison with the clean twins: one family of tests for the run."""
    family = {
        condition.key: compare(
            pairs,
            first=CLEAN,
            second=condition.perturbation,
            task=condition.task,
            backend=condition.backend,
            split=condition.split,
        )
        for condition in run.conditions
        if (pairs := twins(condition)) is not None
    }
    return dict(zip(family, settle(list(family.values()), margin), strict=True))


def groups(run: LoadedRun, twins: Twins) -> tuple[Group, ...]:
    """Per task, backend and split: clean, all perturbed, then category by category and severity."""
    found = []
    for place in dict.fromkeys(where(condition)[:3] for condition in run.conditions):
        here = [condition for condition in run.conditions if where(condition)[:3] == place]
        perturbed = [condition for condition in here if condition.perturbation != CLEAN]
        clean = [condition for condition in here if condition.perturbation == CLEAN]
        found += [_group(run, place, CLEAN, None, clean, twins)] if clean else []
        found += [_group(run, place, PERTURBED, None, perturbed, twins)] if perturbed else []
        cells = dict.fromkeys((condition.category, condition.severity) for condition in perturbed)
        for category, severity in sorted(cells, key=lambda cell: (cell[0], cell[1] is None, cell[1] or 0)):
            members = [c for c in perturbed if (c.category, c.severity) == (category, severity)]
            found.append(_group(run, place, category, severity, members, twins))
    return tuple(found)


def curves(
    run: LoadedRun, runs: Sequence[LoadedRun], twins: Twins, *, across: bool = False
) -> tuple[SeverityCurve, ...]:
    """Every knob and preset that was played with a severity; severity 0 is where its clean twins are from.

    Where there are clean episodes, a point is of the perturbed ones that have their twins among them.
    """
    found = []
    names = dict.fromkeys(
        (*where(condition)[:3], condition.knob, condition.category)
        for condition in run.conditions
        if condition.knob is not None and condition.severity
    )
    for task, backend, split, knob, category in names:
        clean = clean_rows(run, runs, task, backend, split, across=across)
        members = [
            (condition.severity, condition)
            for condition in run.conditions
            if where(condition)[:3] == (task, backend, split)
            and condition.knob == knob
            and condition.severity
        ]
        members.sort(key=lambda member: member[0])
        points = []
        if clean is not None:
            success = rate([row.success for row in clean.rows.values()])
            points.append(_point(0, CLEAN, success, undefined(NO_TWIN)))
        points += [
            _point(severity, c.perturbation, _paired_rate(run, c, twins), _difference([c], twins))
            for severity, c in members
        ]
        found.append(
            SeverityCurve(
                run=run.name,
                task=task,
                backend=backend,
                split=split,
                name=knob,
                category=category,
                points=tuple(points),
                differs=() if clean is None else clean.differs,
            )
        )
    return tuple(found)


def _point(severity: int, perturbation: str, success: Estimate, versus_clean: Estimate) -> CurvePoint:
    return CurvePoint(
        severity=severity, perturbation=perturbation, success=success, versus_clean=versus_clean
    )


def _paired_rate(run: LoadedRun, condition: Condition, twins: Twins) -> Estimate:
    pairs = twins(condition)
    return rate(
        [row.success for row in run.episodes[condition.key].values()] if pairs is None else pairs.second
    )


def _group(
    run: LoadedRun,
    place: tuple[str, ...],
    category: str,
    severity: int | None,
    members: Sequence[Condition],
    twins: Twins,
) -> Group:
    rows = [row for condition in members for row in run.episodes[condition.key].values()]
    seeds = [row.seed for row in rows]
    pairs = _pairs(members, twins)
    return Group(
        run=run.name,
        task=place[0],
        backend=place[1],
        split=place[2],
        category=category,
        severity=severity,
        perturbations=tuple(condition.perturbation for condition in members),
        episodes=len(rows),
        success=clustered_rate([row.success for row in rows], seeds),
        success_once=clustered_rate([row.success_once for row in rows], seeds),
        by_carrying=by_carrying(rows, clustered=True),
        versus_clean=_difference(members, twins),
        pairs=len(pairs.first),
        paired=clustered_rate(pairs.second, pairs.clusters),
        clean_twins=clustered_rate(pairs.first, pairs.clusters),
        differs=pairs.differs,
    )


def _pairs(members: Sequence[Condition], twins: Twins) -> Pairs:
    return pool([found for condition in members if (found := twins(condition)) is not None])


def _difference(members: Sequence[Condition], twins: Twins) -> Estimate:
    if all(condition.perturbation == CLEAN for condition in members):
        return undefined(NO_TWIN)
    pairs = [found for condition in members if (found := twins(condition)) is not None]
    if not pairs:
        return undefined("no clean episodes to pair with")
    whole = pool(pairs)
    return clustered_difference(whole.first, whole.second, whole.clusters)
