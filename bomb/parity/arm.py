"""The arm: does the tool take the same path in both simulators?"""

import numpy as np
import numpy.typing as npt

from bomb.parity.play import ACTION, environment
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import Bound, Row, not_measured
from bomb.statistics import Estimate
from bomb.statistics.formats import fixed
from core.environment import Environment
from core.seeding import stream

BOUND = Bound(value=0.5, at_least=False)  # mm

STEPS = 100  # control periods of one sequence: five seconds
LOWEST = 0.12  # m above the robot's base: nothing is touched
HOLD = (2, 8)  # control periods for which a direction is kept


class ArmStudy(Study[float]):
    """Root mean square distance between the two paths of the tool centre point, worst sequence."""

    name = "arm"
    keys = ("arm_rms_mm",)

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.share(20, least=20))]  # cheap, and the worst counts

    def run(self, plan: StudyPlan, seed: int) -> float:
        paths = [_path(environment(backend, plan.split), plan.split, seed) for backend in plan.backends]
        return float(1000 * np.sqrt(np.mean(np.sum((paths[0] - paths[1]) ** 2, axis=1))))

    def rows(self, plan: StudyPlan, results: list[float]) -> list[Row]:
        if len(results) < 2:
            return [not_measured("arm_rms_mm", BOUND, "an interval takes two sequences", "mm")]
        note = f"median {fixed(float(np.median(results)), 3, 'mm')}"
        return [Row(key="arm_rms_mm", estimate=worst(results), bound=BOUND, unit="mm", notes=(note,))]


def worst(values: list[float]) -> Estimate:
    """The largest of positive ``values``, with how far the next one may go.

    The low end is what was seen. The high end is the 97.5% prediction limit for one more value if their
    logarithms were normal (Student's t; Hahn 1969, "Factors for calculating two-sided prediction
    intervals"), or the largest value where that is above it.
    """
    from scipy.stats import t

    logs = np.log(np.maximum(values, 1e-9))
    n = len(logs)
    ahead = float(t.ppf(0.975, n - 1)) * np.std(logs, ddof=1) * np.sqrt(1 + 1 / n)
    top = float(max(values))
    return Estimate(value=top, low=top, high=max(top, float(np.exp(logs.mean() + ahead))), n=n)


def random_sequence(split: str, seed: int) -> npt.NDArray[np.float32]:
    """Actions float32[STEPS, 4]: full speed along every axis, in directions that change at random."""
    rng = stream(split, seed, "arm sequence")
    actions: list[npt.NDArray[np.float32]] = []
    while len(actions) < STEPS:
        step = np.array([*rng.choice([-1.0, 1.0], size=3), rng.uniform()], dtype=np.float32)
        actions += [step] * int(rng.integers(HOLD[0], HOLD[1] + 1))
    return np.array(actions[:STEPS])


def _path(env: Environment, split: str, seed: int) -> npt.NDArray[np.float64]:
    """Measured tool centre points, float64[STEPS, 3] in R (m), one per control period."""
    observation, _ = env.reset(seed=seed)
    commanded = observation["state"][:3].astype(np.float64)
    points = []
    for action in random_sequence(split, seed):
        # Turned back where it would come near the table; both simulators decide alike, by what is commanded.
        if ACTION.advance(commanded, action)[2] < LOWEST:
            action = action * np.array([1, 1, -1, 1], dtype=np.float32)
        commanded = ACTION.advance(commanded, action)
        observation = env.step(action)[0]
        points.append(observation["state"][:3].astype(np.float64))
    return np.array(points)
