"""Episodes that are the same but for one thing, and what their difference says."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bomb.report.compared import Comparison
from bomb.runs.rows import EpisodeRow
from bomb.statistics import PairedTable, clustered_difference, clustered_rate, holm, judge, rate


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Outcomes of both sides, pair by pair.

    Attributes:
        first, second: success at the end.
        clusters: pairs with the same label are not independent.
        unpaired: episodes of either side that the other does not have.
        other_goal: episodes of both with different goals.
        shared: counts of what the pairs share with their clean twins.
        differs: what both sides were made with and differ in, see ``bomb.report.makings``.
    """

    first: list[bool] = field(default_factory=list)
    second: list[bool] = field(default_factory=list)
    clusters: list[Hashable] = field(default_factory=list)
    unpaired: int = 0
    other_goal: int = 0
    shared: Counter[str] = field(default_factory=Counter)
    differs: tuple[str, ...] = ()

    @property
    def independent(self) -> bool:
        """Whether no two pairs are of one cluster."""
        return len(set(self.clusters)) == len(self.clusters)


def pair(
    first: Mapping[int, EpisodeRow],
    second: Mapping[int, EpisodeRow],
    *,
    cluster: tuple[str, ...] = (),
    only: Iterable[int] | None = None,
    twins: bool = False,
) -> Pairs:
    """Episodes of the same seed and goal, by seed.

    Args:
        first, second: seed to row, of the same task and split.
        cluster: what tells seeds of different tasks or splits apart.
        only: seeds to look at; None: all.
        twins: whether ``first`` is the clean world of ``second``; then ``second`` must say that it shares the
            goal, and ``shared`` counts what else.
    """
    if only is not None:
        wanted = set(only)
        first, second = ({s: row for s, row in side.items() if s in wanted} for side in (first, second))
    common = sorted(first.keys() & second.keys())
    same = [
        seed
        for seed in common
        if first[seed].goal == second[seed].goal and (not twins or _twin(second[seed]).get("goal", True))
    ]
    return Pairs(
        first=[first[seed].success for seed in same],
        second=[second[seed].success for seed in same],
        clusters=[(*cluster, seed) for seed in same],
        unpaired=len(first) + len(second) - 2 * len(common),
        other_goal=len(common) - len(same),
        shared=sum((_shared(second[seed]) for seed in same), Counter()) if twins else Counter(),
    )


def pool(parts: Iterable[Pairs]) -> Pairs:
    """All pairs together."""
    parts = list(parts)
    return Pairs(
        first=[outcome for part in parts for outcome in part.first],
        second=[outcome for part in parts for outcome in part.second],
        clusters=[cluster for part in parts for cluster in part.clusters],
        unpaired=sum(part.unpaired for part in parts),
        other_goal=sum(part.other_goal for part in parts),
        shared=sum((part.shared for part in parts), Counter()),
        differs=tuple(dict.fromkeys(words for part in parts for words in part.differs)),
    )


def compare(
    pairs: Pairs,
    *,
    first: str,
    second: str,
    task: str | None = None,
    backend: str | None = None,
    split: str | None = None,
    perturbation: str | None = None,
) -> Comparison:
    """Second minus first; what may be said of it comes with its family, see ``settle``."""
    table = PairedTable.of(pairs.first, pairs.second)
    if pairs.independent:
        difference, p_value = table.difference(), table.p_value()
        first_rate, second_rate = rate(pairs.first), rate(pairs.second)
    else:
        difference, p_value = clustered_difference(pairs.first, pairs.second, pairs.clusters), None
        first_rate = clustered_rate(pairs.first, pairs.clusters)
        second_rate = clustered_rate(pairs.second, pairs.clusters)
    finding = judge(difference, p_value)
    return Comparison(
        first=first,
        second=second,
        task=task,
        backend=backend,
        split=split,
        perturbation=perturbation,
        both=table.both,
        only_first=table.only_first,
        only_second=table.only_second,
        neither=table.neither,
        pairs=table.n,
        unpaired=pairs.unpaired,
        other_goal=pairs.other_goal,
        shared=dict(sorted(pairs.shared.items())),
        first_rate=first_rate,
        second_rate=second_rate,
        difference=difference,
        p_value=p_value,
        p_holm=p_value,
        tests=0 if p_value is None else 1,
        verdict=finding.verdict,
        within_margin=finding.within_margin,
        words=finding.words,
        differs=pairs.differs,
    )


def settle(family: Sequence[Comparison], margin: float | None) -> tuple[Comparison, ...]:
    """The comparisons of one family with Holm's correction, and what may be said of each."""
    adjusted = holm([comparison.p_value for comparison in family])
    tests = sum(p is not None for p in adjusted)
    settled = []
    for comparison, p in zip(family, adjusted, strict=True):
        finding = judge(comparison.difference, p, margin)
        settled.append(
            replace(
                comparison,
                p_holm=p,
                tests=tests if p is not None else 0,
                verdict=finding.verdict,
                within_margin=finding.within_margin,
                words=finding.words,
            )
        )
    return tuple(settled)


def _twin(row: EpisodeRow) -> dict[str, Any]:
    """What the episode shares with its clean twin, see ``core/perturbations/suite.py``."""
    twin: dict[str, Any] = row.draws.get("twin", {})
    return twin


def _shared(row: EpisodeRow) -> Counter[str]:
    twin = _twin(row)
    changes = twin.get("stones", {})
    shared = {name: bool(twin.get(name)) for name in ("instruction", "arm")}
    shared["stones"] = bool(twin) and not any(changes.get(name) for name in ("moved", "added", "removed"))
    return Counter({name: int(held) for name, held in shared.items() if held})
