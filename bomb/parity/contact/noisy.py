"""The noisy expert, which looks while it plays: is a policy that often errs as good in both?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.parity.contact.bench import HAIR
from bomb.parity.contact.rows import Outcome, kappa_row
from bomb.parity.play import ACTION, environment
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import FAILS, PASSES, UNDECIDED, Bound, Row
from bomb.policies.noisy import NoisyExpert
from bomb.rollouts.rollout import play
from bomb.statistics import Estimate, PairedTable
from core.seeding import stream
from core.world.state import SceneState

SIGMA = 0.020  # m, of the noise
DIFFERENCE = 0.03  # of the two rates of success
SHARE = 100  # episodes at the full size


@dataclass(frozen=True, kw_only=True)
class Within(Bound):
    """A difference that must lie within ``value`` of zero, with its whole interval."""

    at_least: bool = False

    def __str__(self) -> str:
        return f"+-{self.value:g}"

    def judge(self, estimate: Estimate) -> str:
        if estimate.low is None or estimate.high is None:
            return UNDECIDED
        if estimate.low > self.value or estimate.high < -self.value:
            return FAILS
        return PASSES if -self.value <= estimate.low and estimate.high <= self.value else UNDECIDED


class Moved(NoisyExpert):
    """The noisy expert whose hand is ``hair``, float64[3] (m, in R), off from its first action on."""

    def __init__(self, sigma: float, hair: npt.NDArray[np.float64]):
        super().__init__(sigma)
        self._hair = hair

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], truth: SceneState | None = None, *, step: int
    ) -> npt.NDArray[np.float32]:
        """One action, float32[1, 4]."""
        actions = super().act(observation, truth, step=step)
        if step == 0:
            off = (self._hair / ACTION.max_step).astype(np.float32)
            # An action that is at its limit cannot be longer, but shorter by as much.
            within = abs(actions[0, :3] + off) <= 1
            actions[0, :3] += np.where(within, off, -off)
        return actions


class NoisyExpertStudy(Study[Outcome]):
    """Kappa and difference of success of the noisy expert, beside each simulator's agreement with itself."""

    name = "noisy_expert"
    keys = ("noisy_expert_kappa", "noisy_expert_difference")

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.share(SHARE, least=2))]

    def run(self, plan: StudyPlan, seed: int) -> Outcome:
        hair = stream(plan.split, seed, "contact noisy_expert hair").normal(size=3) * HAIR
        return tuple(
            tuple(
                bool(play(environment(backend, plan.split), policy, seed).info["success"])
                for policy in (NoisyExpert(SIGMA), Moved(SIGMA, hair))
            )
            for backend in plan.backends
        )

    def rows(self, plan: StudyPlan, results: list[Outcome]) -> list[Row]:
        first, second = ([one[k][0] for one in results] for k in range(2))
        return [
            kappa_row("noisy_expert_kappa", plan.backends, results),
            Row(
                key="noisy_expert_difference",
                estimate=PairedTable.of(first, second).difference(),
                bound=Within(value=DIFFERENCE),
            ),
        ]
