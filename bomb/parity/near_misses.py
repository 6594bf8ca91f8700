"""Near misses: grasps and releases that are off on purpose, so that luck and physics decide."""

from dataclasses import dataclass

from bomb.parity.play import CLEAR, Waypoint, environment, episode, grasp_and_lift, play_script, set_down
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import Bound, Row
from bomb.statistics import Estimate, cohen_kappa, formats, rate
from core.seeding import stream
from core.task import Episode

BOUND = Bound(value=0.85, at_least=True)
GRASP_NOISE = (0.010, 0.010, 0.003)  # m, standard deviations in x, y, z of R
RELEASE_NOISE = (0.003, 0.003, 0.0)  # m; exact in z, where an error would only push the stone into the board
FAIR = (0.30, 0.80)  # rates outside of which kappa says little


@dataclass(frozen=True, kw_only=True)
class NearMiss:
    """One script in both simulators: whether each lifted the stone, and whether each placed it."""

    lifted: tuple[bool, bool]
    placed: tuple[bool, bool]


def near_miss(split: str, seed: int) -> tuple[Episode, list[Waypoint]]:
    """The episode of a seed, and a script for it with errors on purpose."""
    start = episode(split, CLEAR, seed)
    rng = stream(split, seed, "near miss")
    return start, [
        *grasp_and_lift(start, rng.normal(size=3) * GRASP_NOISE),
        *set_down(start, rng.normal(size=3) * RELEASE_NOISE),
    ]


class NearMissStudy(Study[NearMiss]):
    """Cohen's kappa of *lifted* and of *placed* over noisy open-loop scripts."""

    name = "near misses"
    keys = ("near_miss_kappa_lifted", "near_miss_kappa_placed")

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.episodes)]

    def run(self, plan: StudyPlan, seed: int) -> NearMiss:
        start, waypoints = near_miss(plan.split, seed)
        first, second = (
            play_script(environment(backend, plan.split, CLEAR), start, waypoints).info
            for backend in plan.backends
        )
        return NearMiss(
            lifted=(first["stage"]["lifted"], second["stage"]["lifted"]),
            placed=(first["success"], second["success"]),
        )

    def rows(self, plan: StudyPlan, results: list[NearMiss]) -> list[Row]:
        return [
            kappa_row(plan, "near_miss_kappa_lifted", [result.lifted for result in results]),
            kappa_row(plan, "near_miss_kappa_placed", [result.placed for result in results]),
        ]


def kappa_row(plan: StudyPlan, key: str, outcomes: list[tuple[bool, bool]]) -> Row:
    """One row out of pairs of outcomes; a rate that is clearly not fair breaks it."""
    first, second = ([pair[k] for pair in outcomes] for k in (0, 1))
    rates = [rate(first), rate(second)]
    notes = [
        f"{backend} {formats.share(share.value, 1)}"
        for backend, share in zip(plan.backends, rates, strict=True)
        if share.n
    ]
    fair = " to ".join(map(formats.share, FAIR))
    return Row(
        key=key,
        estimate=cohen_kappa(first, second),
        bound=BOUND,
        notes=("rates: " + ", ".join(notes),) if notes else (),
        broken=f"a rate lies outside {fair}: kappa says little" if any(map(_unfair, rates)) else None,
    )


def _unfair(share: Estimate) -> bool:
    """Whether a rate is clearly outside of what is fair."""
    above, below = (
        share.low is not None and share.low > FAIR[1],
        share.high is not None and share.high < FAIR[0],
    )
    return above or below
