"""One situation in both simulators, and in each of them once more with its path moved by a hair."""

from typing import Any

import numpy as np

from bomb.parity.contact.bench import HAIR
from bomb.parity.contact.courses import Course, course
from bomb.parity.contact.measures import moved
from bomb.parity.contact.noisy import NoisyExpertStudy
from bomb.parity.contact.rows import Compared, rows_of
from bomb.parity.contact.situations import SITUATIONS, Situation
from bomb.parity.study import Study, StudyPlan
from bomb.parity.table import Row
from core.seeding import stream

SHARE = 100  # episodes of each situation at the full size


class ContactStudy(Study[Compared]):
    """How far apart the simulators end, beside how far apart each ends from itself."""

    def __init__(self, situation: Situation):
        self._situation, self.name = situation, situation.name
        self.keys = tuple(f"{situation.name}_{kind}" for kind in situation.kinds)

    def jobs(self, plan: StudyPlan) -> list[int]:
        return [plan.seed + k for k in range(plan.share(SHARE, least=2))]

    def run(self, plan: StudyPlan, seed: int) -> Compared:
        return compared(self._situation, plan, seed)

    def rows(self, plan: StudyPlan, results: list[Compared]) -> list[Row]:
        return rows_of(self.name, self._situation.kinds, plan.backends, results)


def compared(situation: Situation, plan: StudyPlan, seed: int) -> Compared:
    """Four courses of one start, and what is told of them."""
    purpose, scale = f"contact {situation.name}", situation.scale
    hairs = (np.zeros(3), stream(plan.split, seed, f"{purpose} hair").normal(size=3) * HAIR)
    starts = [situation.make(stream(plan.split, seed, purpose), hair) for hair in hairs]
    courses: list[list[Course]] = [[course(backend, start) for start in starts] for backend in plan.backends]
    (first, _), (second, _) = courses
    return Compared(
        apart=scale.apart(first, second),
        floor=tuple(scale.apart(*own) for own in courses),
        went=(scale.went(first), scale.went(second)),
        moved=tuple(tuple(map(moved, own)) for own in courses),
        outcome=tuple(tuple(map(situation.outcome, own)) for own in courses) if situation.outcome else None,
    )


CONTACT_STUDIES: tuple[Study[Any], ...] = (*map(ContactStudy, SITUATIONS), NoisyExpertStudy())
