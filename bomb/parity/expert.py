"""The expert in both simulators, and what its actions do when the other one plays them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.parity.play import environment
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import Bound, Row
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play, replay
from bomb.statistics import agreement, quantile, rate
from core.environment import Environment

SUCCESS = Bound(value=0.99, at_least=True)
AGREEMENT = Bound(value=0.95, at_least=True)
MEDIAN = Bound(value=1.0, at_least=False)  # mm
P95 = Bound(value=3.0, at_least=False)  # mm


@dataclass(frozen=True, kw_only=True)
class EpisodeEnding:
    """How one episode ended.

    Attributes:
        success: the checker's verdict.
        released: whether a grasped stone was let go of.
        stone: which of the stones in play was judged.
        positions: float64[S, 3], where the stones in play lie (m, in W).
    """

    success: bool
    released: bool
    stone: int
    positions: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ExpertComparison:
    """One seed: the expert in both simulators, and one replay.

    Attributes:
        played: outcome per backend.
        source: index of the backend whose actions were played again in the other.
        replayed: how that went.
        offset_mm: between the places where the source's stone came to rest; None unless both let go of it.
    """

    played: tuple[EpisodeEnding, EpisodeEnding]
    source: int
    replayed: EpisodeEnding
    offset_mm: float | None


class ExpertStudy(Study[ExpertComparison]):
    """Success of the scripted expert, agreement of replays, and where the stones end up."""

    name = "expert and replay"
    keys = ("expert_success", "replay_agreement", "rest_offset_median_mm", "rest_offset_p95_mm")

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.episodes)]

    def run(self, plan: StudyPlan, seed: int) -> ExpertComparison:
        played, actions = [], []
        for backend in plan.backends:
            env = environment(backend, plan.split)
            result = play(env, make_policy("expert"), seed)
            actions.append(result.record.actions)
            played.append(outcome(env, result.info))
        # Even seeds are recorded in the first simulator, odd ones in the second.
        source = seed % 2
        other = environment(plan.backends[1 - source], plan.split)
        replayed = outcome(other, replay(other, seed, actions[source]).info)
        return ExpertComparison(
            played=(played[0], played[1]),
            source=source,
            replayed=replayed,
            offset_mm=rest_offset(played[source], replayed),
        )

    def rows(self, plan: StudyPlan, results: list[ExpertComparison]) -> list[Row]:
        rows = [
            Row(
                key="expert_success",
                part=backend,
                estimate=rate([result.played[k].success for result in results]),
                bound=SUCCESS,
            )
            for k, backend in enumerate(plan.backends)
        ]
        recorded = [result.played[result.source].success for result in results]
        again = [result.replayed.success for result in results]
        offsets = [result.offset_mm for result in results if result.offset_mm is not None]
        notes = (f"both let go in {len(offsets)} of {len(results)} episodes",)
        return [
            *rows,
            Row(key="replay_agreement", estimate=agreement(recorded, again), bound=AGREEMENT),
            Row(
                key="rest_offset_median_mm",
                estimate=quantile(offsets, 0.5),
                bound=MEDIAN,
                unit="mm",
                notes=notes,
            ),
            Row(key="rest_offset_p95_mm", estimate=quantile(offsets, 0.95), bound=P95, unit="mm"),
        ]


def outcome(env: Environment, info: dict[str, Any]) -> EpisodeEnding:
    """How the episode that ``env`` has just ended went."""
    state, placement = env.scene_state, info["placement"]
    return EpisodeEnding(
        success=info["success"],
        released=placement["stages"]["released"],
        stone=placement["stone"],
        positions=state.stone_poses[:, :3].astype(np.float64),
    )


def rest_offset(recorded: EpisodeEnding, replayed: EpisodeEnding) -> float | None:
    """How far apart (mm) the two put the stone on which ``recorded`` was judged; None unless both let go."""
    if not (recorded.released and replayed.released):
        return None
    return float(1000 * np.linalg.norm((recorded.positions - replayed.positions)[recorded.stone]))
