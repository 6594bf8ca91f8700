"""How far two simulators agree: outcome by outcome, and in how they order conditions and policies."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from bomb.report.compared import Agreement, RankAgreement, RankPoint, SimulatorAgreement
from bomb.report.loading import LoadedRun
from bomb.report.makings import any_not_alike, made_otherwise
from bomb.report.pairing import Pairs, compare, pair, pool, settle
from bomb.runs.rows import EpisodeRow
from bomb.statistics import agreement, clustered_kappa, clustered_rate, cohen_kappa, correlations

ALL = "all"
EXPERT = "expert"

Place = tuple[str, str, str]  # task, split, perturbation
CountedSeeds = Callable[[Place, str, str], set[int] | None]  # which seeds count; None: all


def agreements(runs: Sequence[LoadedRun], margin: float | None) -> tuple[SimulatorAgreement, ...]:
    """For each run and pair of its backends over all seeds and over the expert's; then over policies."""
    found = []
    for run in runs:
        for first, second in combinations(_backends([run]), 2):
            found.append(_of_run(run, first, second, ALL, _every_seed, margin))
            solved = _of_run(run, first, second, EXPERT, _solved(runs), margin)
            experts = [other for other in runs if other.is_expert]
            differs = tuple(dict.fromkeys(words for one in experts for words in made_otherwise(one, run)))
            found.append(replace(solved, differs=differs if solved.reason is None else ()))
    if len(runs) > 1:
        for first, second in combinations(_backends(runs), 2):
            for name, seeds in ((ALL, _every_seed), (EXPERT, _solved(runs))):
                ranks = _over_policies(runs, first, second, seeds)
                if ranks is not None:
                    entry = _entry(None, first, second, name, ranks=ranks)
                    both = [run for run in runs if {first, second} <= set(_backends([run]))]
                    found.append(replace(entry, differs=any_not_alike(both)))
    return tuple(found)


def _backends(runs: Iterable[LoadedRun]) -> list[str]:
    return list(dict.fromkeys(condition.backend for run in runs for condition in run.conditions))


def _places(run: LoadedRun) -> list[Place]:
    return list(dict.fromkeys((c.task, c.split, c.perturbation) for c in run.conditions))


def _entry(
    run: str | None,
    first: str,
    second: str,
    seeds: str,
    *,
    reason: str | None = None,
    conditions: Iterable[Agreement] = (),
    pooled: Agreement | None = None,
    ranks: RankAgreement | None = None,
) -> SimulatorAgreement:
    return SimulatorAgreement(
        run=run,
        first=first,
        second=second,
        seeds=seeds,
        reason=reason,
        conditions=tuple(conditions),
        pooled=pooled,
        ranks=ranks,
    )


def _every_seed(place: Place, first: str, second: str) -> None:
    return None


def _solved(runs: Sequence[LoadedRun]) -> CountedSeeds:
    """Seeds that the expert solves in both simulators; none where it did not play."""

    def seeds(place: Place, first: str, second: str) -> set[int]:
        solved: set[int] = set()
        for run in runs:
            if run.is_expert:
                sides = [_rows(run, place, backend) for backend in (first, second)]
                solved |= set.intersection(*({s for s, row in side.items() if row.success} for side in sides))
        return solved

    return seeds


def _rows(run: LoadedRun, place: Place, backend: str) -> Mapping[int, EpisodeRow]:
    task, split, perturbation = place
    condition = run.find(task=task, backend=backend, split=split, perturbation=perturbation)
    return {} if condition is None else run.episodes[condition.key]


def _pairs(run: LoadedRun, first: str, second: str, seeds: CountedSeeds) -> dict[Place, Pairs]:
    """Pairs of each condition that has any."""
    found = {
        place: pair(
            _rows(run, place, first),
            _rows(run, place, second),
            cluster=place[:2],
            only=seeds(place, first, second),
        )
        for place in _places(run)
    }
    return {place: pairs for place, pairs in found.items() if pairs.first}


def _of_run(
    run: LoadedRun, first: str, second: str, name: str, seeds: CountedSeeds, margin: float | None
) -> SimulatorAgreement:
    if name == EXPERT and run.is_expert:
        return _entry(run.name, first, second, name, reason="this run is the expert's own")
    pairs = _pairs(run, first, second, seeds)
    if not pairs:
        reason = "no episode was played in both" + (
            "" if name == ALL else ", and solved by the expert in both: give its run, too"
        )
        return _entry(run.name, first, second, name, reason=reason)
    family = settle(
        [
            compare(p, first=first, second=second, task=task, split=split, perturbation=perturbation)
            for (task, split, perturbation), p in pairs.items()
        ],
        margin,
    )
    conditions = [
        Agreement(
            task=place[0],
            split=place[1],
            perturbation=place[2],
            agreement=agreement(p.first, p.second),
            kappa=cohen_kappa(p.first, p.second),
            comparison=comparison,
        )
        for (place, p), comparison in zip(pairs.items(), family, strict=True)
    ]
    return _entry(
        run.name,
        first,
        second,
        name,
        conditions=conditions,
        pooled=_pooled(list(pairs.values()), first, second, margin),
        ranks=_ranks("conditions", {_label(run, place): [p] for place, p in pairs.items()}),
    )


def _pooled(parts: list[Pairs], first: str, second: str, margin: float | None) -> Agreement:
    whole = pool(parts)
    same = [a == b for a, b in zip(whole.first, whole.second, strict=True)]
    return Agreement(
        task=None,
        split=None,
        perturbation=None,
        agreement=clustered_rate(same, whole.clusters),
        kappa=clustered_kappa(whole.first, whole.second, whole.clusters),
        comparison=settle([compare(whole, first=first, second=second)], margin)[0],
    )


def _label(run: LoadedRun, place: Place) -> str:
    """The perturbation, and what it takes to tell it from the others of the run."""
    places = _places(run)
    parts = [part for k, part in enumerate(place[:2]) if len({other[k] for other in places}) > 1]
    return " ".join([*parts, place[2]])


def _over_policies(
    runs: Sequence[LoadedRun], first: str, second: str, seeds: CountedSeeds
) -> RankAgreement | None:
    """Runs as points, over the conditions that all of them played in both simulators."""
    both = [run for run in runs if {first, second} <= set(_backends([run]))]
    if len(both) < 2:
        return None
    by_run = {run.name: _pairs(run, first, second, seeds) for run in both}
    common = set.intersection(*(set(pairs) for pairs in by_run.values()))
    if not common:
        return None
    order = [place for place in _places(both[0]) if place in common]
    return _ranks("policies", {name: [pairs[p] for p in order] for name, pairs in by_run.items()})


def _ranks(over: str, points: dict[str, list[Pairs]]) -> RankAgreement:
    """Rank agreement of points, each with one or more conditions.

    An episode of one seed is one column, whatever point it belongs to; a point that pools conditions has a
    column for each, and those of one seed are resampled together.
    """
    columns: dict[tuple[int, Hashable], int] = {}
    for parts in points.values():
        for k, part in enumerate(parts):
            for cluster in part.clusters:
                columns.setdefault((k, cluster), len(columns))
    matrices = np.full((2, len(points), len(columns)), np.nan)
    for row, parts in enumerate(points.values()):
        for k, part in enumerate(parts):
            where_ = [columns[k, cluster] for cluster in part.clusters]
            matrices[0, row, where_], matrices[1, row, where_] = part.first, part.second
    found = correlations(matrices[0], matrices[1], clusters=[cluster for _, cluster in columns])
    return RankAgreement(
        over=over,
        points=tuple(
            RankPoint(
                label=label,
                episodes=sum(len(part.first) for part in parts),
                first=float(np.nanmean(matrices[0, row])),
                second=float(np.nanmean(matrices[1, row])),
            )
            for row, (label, parts) in enumerate(points.items())
        ),
        pearson=found.pearson,
        spearman=found.spearman,
        kendall=found.kendall,
        mmrv_first=found.mmrv_first,
        mmrv_second=found.mmrv_second,
    )
