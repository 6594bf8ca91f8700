"""The scorer: a state that moves from one simulator into the other must measure and be judged the same."""

from typing import Any

from bomb.parity.play import environment
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import Bound, Row
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from bomb.statistics import rate
from core.environment import Environment
from core.judge.measuring import Measurer
from core.world.kinematics import Kinematics

# No interval lies beyond 100%: one state that differs fails the row, and none that differs passes it.
BOUND = Bound(value=1.0, at_least=True, extreme=True)

MOMENTS = ("reset", "grasp", "carry", "release", "end")


class ScorerStudy(Study[list[bool]]):
    """Share of moved states with identical bytes, measures and verdicts."""

    name = "scorer"
    keys = ("scorer_identical",)

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.share(100, least=2))]

    def run(self, plan: StudyPlan, seed: int) -> list[bool]:
        source = seed % 2
        env, other = (environment(plan.backends[k], plan.split) for k in (source, 1 - source))
        saved = moments(env, seed)
        return [same_score(env, other, saved[name]) for name in MOMENTS if name in saved]

    def rows(self, plan: StudyPlan, results: list[list[bool]]) -> list[Row]:
        same = [equal for result in results for equal in result]
        return [Row(key="scorer_identical", estimate=rate(same), bound=BOUND)]


def moments(env: Environment, seed: int) -> dict[str, bytes]:
    """Saved states of one expert episode: at reset, when both pads first hold a stone, when it has first
    been lifted, when it has been let go of, and at the end. Those that did not come are left out.
    """
    saved: dict[str, bytes] = {}

    def watch(env: Environment, info: dict[str, Any]) -> None:
        stage = info["stage"]
        for name, reached in (
            ("reset", True),
            ("grasp", stage["grasped"]),
            ("carry", stage["lifted"]),
            ("release", stage["released"]),
        ):
            if reached and name not in saved:
                saved[name] = env.save_state()
                return

    play(env, make_policy("expert"), seed, watch)
    saved["end"] = env.save_state()
    return saved


def same_score(env: Environment, other: Environment, saved: bytes) -> bool:
    """Whether ``saved`` is the same state, measures the same and is judged the same in both."""
    scores = []
    for place in (env, other):
        _, info = place.load_state(saved)
        state = place.scene_state
        measure = Measurer(place.episode.scene, Kinematics(place.episode.scene.robot))
        scores.append((state.to_bytes(), measure(state).measures.tobytes(), info, place.save_state()))
    return scores[0] == scores[1]
