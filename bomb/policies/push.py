"""The push-only policy: it slides a stone of the board to where one belongs, and never closes around it.

A success is a matter of where stones end, so a board that holds a stone of the right colour can be solved
without picking anything up. This policy does that as well as it can be done, so that a report can say how
much of a success rate needs no grasp: it is a ceiling, not a baseline.
"""

import heapq
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from bomb.policies.planned import Command, Knowing
from bomb.policies.world import Transfer, Vector, World
from core.world.state import SceneState

LOWER_EDGE = 0.0095  # m, of the pads below the tool centre point (URDF)
PRESSED = 0.004  # m, how far below a stone's top the closed fingers are sent: what presses on it
ROOM = 0.025  # m, from the middle of the stone on its way to that of any other: rims 3 mm apart
NEAR = 0.0015  # m, from its place: near enough
LOST = 0.014  # m, from the tool: the fingers slid off the stone
ATTEMPTS = 10  # of coming down on one
# A stone that fell off the board lies against its edge, which the fingers come down on. So, if a stone moved
# less than this (m), they come down so much farther ahead of its middle the next time.
STUCK, AHEAD, MOST_AHEAD = 0.010, 0.005, 0.008


class Push(Knowing):
    """Presses closed fingers on a stone of the board and slides it to its place, around the others.

    It takes the stone of the right colour with the shortest free way. Without one it waits.

    Attributes:
        world: the present move as it began, once it was looked at.
    """

    world: World

    def look(self, truth: SceneState) -> tuple[int, list[Vector]] | None:
        """Looks at a move as it begins; the pool index of the stone to push, and its way, if there is one."""
        self._look_at(truth)
        return self._shortest()

    def _look_at(self, truth: SceneState) -> None:
        self._state = truth
        self.world = World(self._episode.scene, self._goal, truth, board_stones=True)

    # ---- the plan ---------------------------------------------------------------------------

    def _play(self) -> Iterator[Command]:
        ahead = 0.0
        for _ in range(ATTEMPTS):
            found = self._shortest()
            if found is None:
                break
            before = self.world.stone(self._state, found[0])
            yield from self._slide(*found, ahead=ahead)
            moved = float(np.hypot(*(self.world.stone(self._state, found[0]) - before)[:2]))
            ahead = min(ahead + AHEAD, MOST_AHEAD) if moved < STUCK else 0.0
        yield from self._go(self._above(self._commanded), 0.0)
        while True:
            yield from self._wait(self._commanded, 0.0, seconds=0.5)

    def _slide(self, stone: int, way: list[Vector], *, ahead: float) -> Iterator[Command]:
        """Comes down on a stone, so far ahead of its middle, and takes it along a way.

        Up again where the way ends or the stone is lost.
        """
        p = self.world.stone(self._state, stone)
        first = (way[0] - p)[:2]
        p = p + [*(ahead * first / max(float(np.hypot(*first)), 1e-9)), 0.0]
        yield from self._go(self._above(self._commanded), 0.0)
        yield from self._go(self._above(p), 0.0)
        yield from self._go(self._on(stone, p) + [0, 0, 0.01], 0.0)
        yield from self._go(self._on(stone, p), 0.0, speed=0.3)
        for point in way:
            while True:
                here = self.world.stone(self._state, stone)
                offset, left = (here - self._tool)[:2], point[:2] - here[:2]
                far = float(np.hypot(*left))
                if far < NEAR or np.hypot(*offset) > LOST:
                    break
                # The fingers lag, and slip a little: what is commanded leads by as much as is missing.
                step = left * min(1.0, self._stride(far) / far)
                target = np.array([*(self._commanded[:2] + step), self._on(stone, here)[2]])
                yield Command(target=target, opening=0.0)
        yield from self._wait(self._commanded, 0.0, seconds=0.1)
        yield from self._go(self._above(self._commanded), 0.0)
        yield from self._wait(self._commanded, 0.0, seconds=0.6)

    def _stride(self, far: float) -> float:
        """How far to send the tool in one action when the stone has so far to go (m)."""
        return min(0.3 * self._spec.max_step, max(0.0004, 0.12 * far))

    def _above(self, p: Vector) -> Vector:
        return np.array([p[0], p[1], self.world.travel])

    def _on(self, stone: int, p: Vector) -> Vector:
        """Where the tool presses on a stone whose middle is at ``p``."""
        return p + [0.0, 0.0, self.world.half_height + LOWER_EDGE - PRESSED]

    # ---- the way ----------------------------------------------------------------------------

    def _shortest(self) -> tuple[int, list[Vector]] | None:
        """The stone with the shortest free way, and the way; None: there is none, or all is done."""
        ways = []
        for transfer in self.world.transfers(self._state):
            way = self._way(transfer)
            if way is not None:
                start = self.world.stone(self._state, transfer.stone)
                length = sum(float(np.hypot(*(b - a)[:2])) for a, b in pairwise([start, *way]))
                ways.append((length, transfer.stone, way))
        return min(ways, key=lambda entry: entry[:2])[1:] if ways else None

    def _way(self, transfer: Transfer) -> list[Vector] | None:
        """Points of the surface from a stone to its place that keep clear of every other stone."""
        stones = self._state.stone_ids.tolist()
        others = [self.world.stone(self._state, k)[:2] for k in stones if k != transfer.stone]
        start, end = self.world.stone(self._state, transfer.stone)[:2], transfer.place[:2]
        if _free(start, end, others):
            return [transfer.place]
        nodes = [start, *(p[:2] for p in self.world.lattice), end]
        last, near = len(nodes) - 1, 1.5 * self._episode.scene.board.pitch / 2
        best, queue = {0: (0.0, 0)}, [(0.0, 0)]
        done: set[int] = set()
        while queue:
            cost, at = heapq.heappop(queue)
            if at in done:
                continue
            done.add(at)
            if at == last:
                way = [at]
                while way[-1]:
                    way.append(best[way[-1]][1])
                return [np.array([*nodes[k], transfer.place[2]]) for k in way[-2::-1]]
            for k, node in enumerate(nodes):
                step = float(np.hypot(*(node - nodes[at])))
                if k in done or (step > near and k != last) or not _free(nodes[at], node, others):
                    continue
                if cost + step < best.get(k, (np.inf, 0))[0]:
                    best[k] = (cost + step, at)
                    heapq.heappush(queue, (cost + step, k))
        return None


def _free(a: Vector, b: Vector, others: list[Vector]) -> bool:
    """Whether a stone can slide from ``a`` to ``b`` without coming near any of the others."""
    ab = b - a
    long = float(ab @ ab)
    for p in others:
        share = 0.0 if long == 0 else float(np.clip((p - a) @ ab / long, 0.0, 1.0))
        if np.hypot(*(a + share * ab - p)) < ROOM:
            return False
    return True
