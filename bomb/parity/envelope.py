"""The grasp envelope: from which offsets does the gripper hold the stone?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bomb.parity.play import CLEAR, environment, episode, grasp_and_lift, named_stone, play_script, stone_row
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import Bound, Row
from bomb.statistics import iou
from core.seeding import stream

BOUND = Bound(value=0.90, at_least=True)
LOW, HIGH = (-0.016, -0.020, -0.004), (0.016, 0.020, 0.006)  # m, in R about the nominal grasp
HELD = 0.040  # m that a stone must have risen to count as held; the lift is 0.06 m


@dataclass(frozen=True, kw_only=True)
class Grasp:
    """One grasp: its offset from the nominal one (m, in R), and whether each simulator held the stone."""

    offset: tuple[float, float, float]
    held: tuple[bool, bool]


class EnvelopeStudy(Study[Grasp]):
    """Intersection over union of the sets of offsets from which the two simulators hold the stone."""

    name = "grasp envelope"
    keys = ("grasp_envelope_iou",)

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.episodes)]

    def run(self, plan: StudyPlan, seed: int) -> Grasp:
        offset, (first, second) = offset_of(plan, seed), plan.backends
        x, y, z = offset.tolist()
        return Grasp(
            offset=(x, y, z),
            held=(held_from(first, plan.split, seed, offset), held_from(second, plan.split, seed, offset)),
        )

    def rows(self, plan: StudyPlan, results: list[Grasp]) -> list[Row]:
        first, second = ([grasp.held[k] for grasp in results] for k in (0, 1))
        shares = ", ".join(
            f"{backend} {sum(held)}" for backend, held in zip(plan.backends, (first, second), strict=True)
        )
        notes = (f"held of {len(results)}: {shares}",)
        return [Row(key="grasp_envelope_iou", estimate=iou(first, second), bound=BOUND, notes=notes)]


def held_from(backend: str, split: str, seed: int, offset: npt.ArrayLike, *, astride: bool = True) -> bool:
    """Whether the stone is still held half a second after the lift; see ``grasp_and_lift``."""
    start = episode(split, CLEAR, seed)
    env = environment(backend, split, CLEAR)
    play_script(env, start, grasp_and_lift(start, np.asarray(offset), astride=astride))
    row = stone_row(start, named_stone(start))
    risen = env.scene_state.stone_poses[row, 2] - start.state.stone_poses[row, 2]
    return bool(risen > HELD)


def offset_of(plan: StudyPlan, seed: int) -> npt.NDArray[np.float64]:
    """The offset of a seed's grasp, float64[3] (m, in R)."""
    return stream(plan.split, seed, "grasp envelope").uniform(LOW, HIGH)
