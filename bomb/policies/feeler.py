"""The eye-blind policy: it hears the words and feels for a stone, without any picture.

It knows what everybody can read about BOMB: where the board lies in the clean world, and where beside it
stones may lie. Closed fingers that come down on a stone stop above the table, and the measured state tells
that. So it narrows down where a stone is, grasps it, and sets it on the intersection that the words name;
what colour it is, it cannot feel. Where the words say which stone is meant, nothing need be felt for. A
report can so say how much of a success rate needs no eyes: it is a ceiling, not a baseline.
"""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.policies.expert import GRASP_ABOVE_MIDDLE, RELEASE_GAP
from bomb.policies.planned import Command, Planned
from bomb.policies.simple import DELTA
from bomb.policies.world import TRAVEL_HEIGHT, Vector, into_base
from core.board.boards import empty_board
from core.board.goals import Goal, Intersection, Region, alternatives
from core.board.layout import intersection_pose
from core.control.actions import ActionSpec
from core.errors import BombError
from core.registry import TASKS
from core.world.stage import clean_scene
from tasks.place_stone.layout import LayoutSpec

EDGE = 0.0095  # m, of the pads below the tool centre point (URDF)
OVER_TABLE = 0.0025  # m, of the pads' edge while it feels: the stone's top is 8 mm above the table
STOPPED = 0.003  # m above where it was sent: there is something below
# How far a stone's middle may be from that of the closed fingers (m, along x and y of R) to be felt for
# sure, and at all: half the fingers' width (8.75 and 15 mm) and a stone's flat top, or its whole radius.
SURE, AT_ALL = np.array([0.014, 0.020]), np.array([0.021, 0.028])
KNOWN = np.array([0.0035, 0.006])  # m, standard deviations: so well is a place known when a grasp is tried
GRID = 0.004  # m, of places that a stone may be at
CARRIED = 0.2  # of the opening that is left when the fingers have closed on a stone (22 mm of 48: 0.46)
UP = 0.022  # m above the table, of the tool on its way from one place to the next: clear of stones
ASIDE, STILL, MOST_LAG = 0.004, 0.0005, 8  # m, m, actions: how long the arm, which lags, is waited for
FELT = 6  # times that it feels around a place before it tries elsewhere
STEP_COST = 0.02  # of a whole touch, for each centimetre on the way


class Feeler(Planned):
    """Feels for a stone beside the board and puts it where the words say; it looks at no picture."""

    wants_action_spec = True

    _opening: float  # of the gripper, as measured

    def reset(self, instruction: str, seed: int, *, action_spec: ActionSpec = DELTA) -> None:
        """Begins an episode."""
        self._begin(action_spec)
        self._scene = clean_scene()
        self._into_base = into_base(self._scene)
        self._table = float(self._into_base([0.0, 0.0, self._scene.table.height])[2])
        self._half_height = self._scene.stones[0].height / 2
        self._removed = 0
        self._places = self._beside_the_board()
        self._chance = np.ones(len(self._places))  # that a stone is there, as far as it knows
        self._plan = self._play(instruction)

    def proceed(self, instruction: str) -> None:
        """Continues with the next move."""
        self._plan = self._play(instruction)

    def act(self, observation: dict[str, Any]) -> npt.NDArray[np.float32]:
        """One action, float32[1, 4], from the measured state alone."""
        self._see(observation)
        self._opening = float(observation["state"][3])
        return self._perform(next(self._plan))

    # ---- the plan ---------------------------------------------------------------------------

    def _play(self, instruction: str) -> Iterator[Command]:
        for goal in heard(instruction):
            yield from self._fulfil(goal)
        while True:
            yield from self._wait(self._commanded, 1.0, seconds=0.5)

    def _fulfil(self, goal: Intersection | Region) -> Iterator[Command]:
        if goal.source is not None:
            yield from self._grasp(self._into_base(intersection_pose(self._scene, goal.source).p))
        else:
            yield from self._find()
        if self._opening < CARRIED:
            return
        place = self._place(goal)
        above = np.array([place[0], place[1], self._table + TRAVEL_HEIGHT])
        yield from self._go(above, 0.0)
        release = place + [0.0, 0.0, GRASP_ABOVE_MIDDLE + RELEASE_GAP]
        yield from self._go(release + [0.0, 0.0, 0.02], 0.0)
        yield from self._go(release, 0.0, speed=0.34)
        yield from self._wait(release, 0.0, seconds=0.15)
        yield from self._wait(release, 1.0, seconds=0.3)
        yield from self._go(above, 1.0)
        yield from self._wait(above, 1.0, seconds=0.5)

    def _place(self, goal: Intersection | Region) -> Vector:
        """Where the stone's middle belongs, float64[3] in R (m)."""
        if isinstance(goal, Intersection):
            return self._into_base(intersection_pose(self._scene, (goal.row, goal.column)).p)
        # One behind the other along the region's long side, where more than one goes into it.
        self._removed += 1
        steps = (0.0, 0.05, -0.05)[(self._removed - 1) % 3]
        x, y = goal.center
        return self._into_base([x, y + steps, self._scene.table.height + self._half_height])

    # ---- feeling ----------------------------------------------------------------------------

    def _beside_the_board(self) -> Vector:
        """Places where stones may lie, float64[N, 2] in R (m): LayoutSpec's bands at both sides."""
        (near, far), depth = LayoutSpec().side, LayoutSpec().depth
        points = [
            self._into_base([side * x, y, 0.0])[:2]
            for side in (-1.0, 1.0)
            for x in np.arange(near, far, GRID)
            for y in np.arange(*depth, GRID)
        ]
        return np.array(points)

    def _find(self) -> Iterator[Command]:
        """Feels until a stone is between the fingers, or there is nowhere left to feel."""
        places = self._places
        yield from self._go(self._at(self._commanded, TRAVEL_HEIGHT), 0.0)
        while self._chance.sum() > 0.5:
            p = self._likeliest()
            if not (yield from self._feel(p)):
                self._chance *= 1.0 - felt_at(places, p)
                continue
            here = felt_at(places, p)
            for _ in range(FELT):
                middle, spread = _moments(places, here)
                if (spread < KNOWN).all():
                    break
                p = self._halving(here, middle, spread)
                felt = felt_at(places, p)
                here = here * (felt if (yield from self._feel(p)) else 1.0 - felt)
                if here.sum() < 1e-3:
                    break
            else:
                middle, _ = _moments(places, here)
            yield from self._grasp(np.array([*middle, self._table + self._half_height]))
            if self._opening >= CARRIED:
                return
            self._chance *= 1.0 - 0.9 * felt_at(places, middle)
            yield from self._go(self._at(self._commanded, TRAVEL_HEIGHT), 0.0)

    def _feel(self, p: Vector) -> Generator[Command, None, bool]:
        """Comes down closed at ``p`` float64[2]; returns whether something is there."""
        yield from self._go(self._at(p, UP), 0.0)
        for _ in range(MOST_LAG):
            if abs(self._tool[:2] - p).max() < ASIDE:
                break
            yield Command(target=self._at(p, UP), opening=0.0)
        down = self._at(p, EDGE + OVER_TABLE)
        yield from self._go(down, 0.0)
        for _ in range(MOST_LAG):
            before = self._tool[2]
            yield Command(target=down, opening=0.0)
            if self._tool[2] < down[2] + STOPPED or before - self._tool[2] < STILL:
                break
        touched = bool(self._tool[2] >= down[2] + STOPPED)
        yield Command(target=self._at(p, UP), opening=0.0)
        return touched

    def _grasp(self, p: Vector) -> Iterator[Command]:
        """Closes the fingers around a stone whose middle should be at ``p``, and lifts."""
        above = np.array([p[0], p[1], self._table + TRAVEL_HEIGHT])
        grasp = p + [0.0, 0.0, GRASP_ABOVE_MIDDLE]
        yield from self._go(self._at(self._commanded, 0.04), 1.0)
        yield from self._go(self._at(p, 0.04), 1.0)
        yield from self._wait(self._at(p, 0.04), 1.0, seconds=0.15)
        yield from self._go(grasp, 1.0, speed=0.5)
        yield from self._wait(grasp, 1.0, seconds=0.1)
        yield from self._wait(grasp, 0.0, seconds=0.35)
        yield from self._go(above, 0.0)

    def _at(self, p: Vector, height: float) -> Vector:
        return np.array([p[0], p[1], self._table + height])

    def _likeliest(self) -> Vector:
        """Where to feel next: as many places at once as can be, and not far."""
        tries = self._places[::7]
        found = np.array([(self._chance * felt_at(self._places, p)).sum() for p in tries])
        far = np.linalg.norm(tries - self._tool[:2], axis=1)
        best: Vector = tries[int(np.argmax(found / found.max() - STEP_COST * far / 0.01))]
        return best

    def _halving(self, here: Vector, middle: Vector, spread: Vector) -> Vector:
        """Where to feel so that touching it is as likely as not, off along the axis that is known least."""
        axis = int(np.argmax(spread / KNOWN))
        offsets = np.arange(-1.0, 1.01, 0.1) * (AT_ALL[axis] + 2 * spread[axis])
        tries = middle + offsets[:, None] * np.eye(2)[axis]
        shares = np.array([(here * felt_at(self._places, p)).sum() for p in tries]) / here.sum()
        best: Vector = tries[int(np.argmin(abs(shares - 0.5)))]
        return best


def felt_at(places: Vector, p: Vector) -> Vector:
    """How likely a stone at each of ``places`` float64[N, 2] is felt by fingers that come down at ``p``."""
    felt: Vector = np.clip((AT_ALL - abs(places - p)) / (AT_ALL - SURE), 0.0, 1.0).prod(axis=1)
    return felt


def _moments(places: Vector, weights: Vector) -> tuple[Vector, Vector]:
    """Mean and standard deviation of places, each float64[2]."""
    share = weights / weights.sum()
    mean = share @ places
    return mean, np.sqrt(share @ (places - mean) ** 2)


def heard(instruction: str) -> tuple[Intersection | Region, ...]:
    """The single placements that words ask for, read by the tasks' own grammars; none if no task says so."""
    board = empty_board(clean_scene().board.size)
    for name in TASKS.names():
        try:
            goals: tuple[Goal, ...] = TASKS.load(name)().read(instruction, board)
        except BombError:
            continue
        return tuple(single for goal in goals for single in alternatives(goal)[:1])
    return ()
