"""The scripted expert: it knows the truth, watches what happens, and tries again when it drops a stone.

One attempt is a list of stages, each a place to go to and a condition to go on. Between stages it
looks at the stone: lost on the way up or on the way over, it begins again with whichever stone of the
colour is nearest. Heights are those of the tool centre point, which is also the middle of the pads.

How it goes about it is left to the methods under "manner", which ``bomb.policies.varied`` varies.
"""

from collections.abc import Iterator

import numpy as np

from bomb.policies.planned import Command, Knowing
from bomb.policies.world import Transfer, Vector, World
from core.control.actions import Coordinates
from core.world.state import SceneState

# The pads' lower edge is 9.5 mm below the tool centre point (URDF), so with the tool 7 mm above the
# stone's middle it clears the surface by 1.5 mm while the pads cover the stone's rim.
GRASP_ABOVE_MIDDLE = 0.007
SLOW_HEIGHT = 0.020  # the last stretch down is done at a third of the speed
RELEASE_GAP = 0.0005  # the stone is let go this far above the board
LOST = 0.015  # a carried stone farther than this from the tool has been dropped


class Expert(Knowing):
    """Picks the stone that each move asks for, or the nearest of its colour, and sets it where it belongs."""

    _world: World  # as it stands when the move begins

    def _look_at(self, truth: SceneState) -> None:
        self._world = self._look(World(self._episode.scene, self._goal, truth))

    # ---- the plan ---------------------------------------------------------------------------

    def _play(self) -> Iterator[Command]:
        """Attempts until the stone stands, then stays away from it."""
        while True:
            transfer = self._world.choose(self._state, self._tool)
            if transfer is None:
                yield from self._retreat()
                continue
            yield from self._attempt(transfer)

    def _attempt(self, transfer: Transfer) -> Iterator[Command]:
        world, stone = self._world, transfer.stone
        yield from self._rise(1.0)
        above = world.stone(self._state, stone)
        above[2] = world.travel
        yield from self._go(self._aim("above_stone", above), 1.0)
        yield from self._pause("above_stone", 1.0)
        grasp = self._aim("grasp", world.stone(self._state, stone) + [0, 0, GRASP_ABOVE_MIDDLE])
        yield from self._descend(grasp, world.opening_at(grasp))
        yield from self._wait(grasp, 0.0, seconds=0.3)
        if not self._holds(stone):
            return
        yield from self._lift(stone)
        if not self._holds(stone):
            return
        yield from self._pause("lifted", 0.0)
        # Along the robot's x first, at the side of the board, then across: so the arm stays behind the
        # goal and the head camera sees it.
        goal = transfer.place.copy()
        goal[2] = world.travel
        yield from self._carry([goal[0], self._commanded[1], goal[2]], stone)
        yield from self._carry(self._aim("above_goal", goal), stone)
        if not self._holds(stone):
            return
        yield from self._pause("above_goal", 0.0)
        # The stone rarely sits exactly between the pads: bring the stone, not the tool, over the goal.
        release = transfer.place + (self._tool - world.stone(self._state, stone))
        release[2] += world.half_height + RELEASE_GAP
        yield from self._carry([release[0], release[1], world.travel], stone)
        yield from self._descend(release, 0.0)
        release[:2] += transfer.place[:2] - world.stone(self._state, stone)[:2]
        yield from self._wait(release, 0.0, seconds=0.15)
        yield from self._wait(release, 1.0, seconds=0.3)
        yield from self._retreat()

    def _retreat(self) -> Iterator[Command]:
        """Straight up, then wait for half a second with the gripper open."""
        yield from self._rise(1.0)
        yield from self._wait(self._commanded, 1.0, seconds=0.5)

    def _rise(self, opening: float) -> Iterator[Command]:
        up = np.array([*self._commanded[:2], max(self._commanded[2], self._world.travel)])
        yield from self._go(up, opening)

    def _lift(self, stone: int) -> Iterator[Command]:
        yield from self._carry([*self._commanded[:2], self._world.travel], stone)

    def _descend(self, target: Vector, opening: float) -> Iterator[Command]:
        yield from self._go(target + [0, 0, SLOW_HEIGHT], opening)
        yield from self._go(target, opening, speed=0.34)
        yield from self._wait(target, opening, seconds=0.1)

    def _carry(self, target: Coordinates, stone: int) -> Iterator[Command]:
        """Goes with a stone in hand; stops going when it is lost."""
        for point in self._path(np.asarray(target, dtype=np.float64)):
            if not self._holds(stone):
                return
            yield Command(target=point, opening=0.0)

    def _holds(self, stone: int) -> bool:
        """Whether the stone is between the pads."""
        offset = self._world.stone(self._state, stone) - self._tool
        return bool(abs(offset[:2]).max() < LOST and abs(offset[2]) < LOST)

    # ---- manner: straight, as fast as it goes, without hesitation -----------------------------

    def _look(self, world: World) -> World:
        """The world that a move is planned in."""
        return world

    def _aim(self, stage: str, target: Vector) -> Vector:
        """Where to go instead of ``target``. ``stage``: ``above_stone``, ``grasp`` or ``above_goal``."""
        return target

    def _pause(self, stage: str, opening: float) -> Iterator[Command]:
        """What to do for a while. ``stage``: ``above_stone``, ``lifted`` or ``above_goal``."""
        return iter(())
