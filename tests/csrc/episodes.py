"""Episodes for the judge's tests, played by hand: poses are set, nothing is simulated.

Every move is one or more control steps at 20 Hz; each step is measured, given to the judge and kept,
so that the series can be judged again.
"""

import numpy as np

from core.judge.checker import EpisodeJudge, Tolerances

from . import worlds

BLACK, WHITE = 1, 2
GEOMETRY = worlds.make_geometry()
STEP = 0.05  # s
OPEN, CLOSED = 0.048, 0.0219  # m between the pads
START_TOOL = np.array([0.0, -0.3, 1.3])

# The usual layout: two black and two white stones on the table, one white on the board at (0, 0).
# The first black is the nearest to the tool at reset.
COLORS = (BLACK, BLACK, WHITE, WHITE, WHITE)
LAYOUT = (
    worlds.on_table(0.25, -0.30),
    worlds.on_table(0.35, -0.30),
    worlds.on_table(-0.25, -0.30),
    worlds.on_table(-0.35, -0.30),
    worlds.on_board(0, 0),
)
GOAL = (1, 3)


class Play:
    """One episode in progress. Stones are named by index; places are poses in the world."""

    def __init__(
        self,
        *,
        goal=GOAL,
        goal_color=BLACK,
        colors=COLORS,
        layout=LAYOUT,
        stone=-1,
        region=None,
        **tolerances,
    ):
        self.stones = np.array(layout, float)
        self.velocities = np.zeros((len(layout), 6))
        self.tool, self.opening = START_TOOL.copy(), OPEN
        self.goal = worlds.on_board(*goal)
        self.time = 0.0
        self.layout = self._measure()
        self.arguments = dict(
            size=worlds.SIZE,
            pitch=worlds.PITCH,
            colors=colors,
            goal_color=goal_color,
            goal_row=goal[0],
            goal_column=goal[1],
            goal_stone=stone,
            region=region,
            layout=self.layout,
            tool_position=self.tool_B(),
        )
        self.judge = self.new_judge(**tolerances)
        self.times, self.tools, self.openings, self.series = [], [], [], []

    def new_judge(self, **tolerances) -> EpisodeJudge:
        return EpisodeJudge(**self.arguments, tolerances=Tolerances(**tolerances))

    def _measure(self) -> np.ndarray:
        return GEOMETRY.measure(self.stones, self.velocities, worlds.fingers_around(self.tool, self.opening))

    def tool_B(self) -> np.ndarray:
        p = worlds.matrix(worlds.BOARD_POSE[3:]).T @ (self.tool - worlds.BOARD_POSE[:3])
        return p.astype(np.float32)

    def step(self, steps: int = 1) -> "Play":
        """Lets control steps pass in which nothing changes."""
        for _ in range(steps):
            self.time += STEP
            self.times.append(self.time)
            self.tools.append(self.tool_B())
            self.openings.append(np.float32(self.opening / OPEN))
            self.series.append(self._measure())
            self.judge.update(self.times[-1], self.tools[-1], self.openings[-1], self.series[-1])
        return self

    def wait(self, seconds: float = 0.55) -> "Play":
        return self.step(round(seconds / STEP))

    def reach(self, place, opening: float = OPEN) -> "Play":
        """Moves the tool to a place, fingers straddling it."""
        self.tool, self.opening = np.array(place[:3]), opening
        return self.step()

    def hover(self, stone: int, height: float = 0.015) -> "Play":
        """Tool above a stone, near enough to have reached it unless told otherwise."""
        return self.reach(self.stones[stone][:3] + (0, 0, height))

    def brush(self, stone: int) -> "Play":
        """Open fingers around a stone, one pad against it."""
        return self.reach(self.stones[stone][:3] + (0, OPEN / 2 - worlds.RADIUS - 0.0003, 0))

    def grasp(self, stone: int) -> "Play":
        return self.reach(self.stones[stone]).reach(self.stones[stone], CLOSED).step()

    def carry(self, stone: int, place) -> "Play":
        """Moves a grasped stone, tool and all: up, across, down."""
        for height in (0.05, 0.0):
            self.stones[stone] = place
            self.stones[stone][2] += height
            self.tool = self.stones[stone][:3].copy()
            self.step()
        return self

    def put(self, stone: int, place) -> "Play":
        """Moves a stone, fingers left where they are."""
        self.stones[stone] = place
        return self.step()

    def open(self) -> "Play":
        self.opening = OPEN
        return self.step()

    def leave(self) -> "Play":
        self.tool, self.opening = START_TOOL.copy(), OPEN
        return self.step()

    def place(self, stone: int, place) -> "Play":
        """The whole job: grasp, carry, let go, leave, and rest."""
        return self.grasp(stone).carry(stone, place).open().leave().wait()

    def move(self, stone: int, speed: float = 0.0, spin: float = 0.0) -> "Play":
        """Sets how fast a stone moves, in the measures alone."""
        self.velocities[stone] = (speed, 0, 0, 0, 0, spin)
        return self

    @property
    def verdict(self):
        return self.judge.verdict()

    def recorded(self) -> tuple[np.ndarray, ...]:
        return np.array(self.times), np.array(self.tools), np.array(self.openings), np.array(self.series)


def beside(place, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    """A place moved by so much in the board's axes."""
    moved = np.array(place, float)
    moved[:3] += worlds.matrix(worlds.BOARD_POSE[3:]) @ (x, y, z)
    return moved
