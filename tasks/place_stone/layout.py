"""Where the stones of ``place_stone`` stand at reset."""

from dataclasses import dataclass
from math import hypot, inf

import numpy as np
import numpy.typing as npt

from core.board.layout import at_rest, board_reach
from core.errors import EpisodeInitializationError
from core.task import Intersection
from core.world.kinematics import home_position
from core.world.rotations import Pose, compose
from core.world.scene import SceneSpec
from core.world.state import SceneState

TRIES = 4000


@dataclass(frozen=True, kw_only=True)
class LayoutSpec:
    """What layouts may look like. Lengths in metres, in the frames that docs/conventions.md names.

    Attributes:
        per_color: fewest and most stones of each colour on the table.
        on_board: most stones on the board; half of the episodes begin with an empty one.
        side: nearest and farthest distance of a stone on the table from the board's middle, along x_W. A
            board that is turned keeps them as far from its corners, one that is shifted within the reach.
        depth: range of y_W on the table.
        spacing: smallest distance between stones on the table, so that the open fingers fit.
        nearest_by: by how much the nearest stone of a colour is nearer than the next of that colour; of both
            colours, so that the layout does not tell which one is named.
    """

    per_color: tuple[int, int] = (2, 4)
    on_board: int = 6
    side: tuple[float, float] = (0.197, 0.300)
    depth: tuple[float, float] = (-0.30, -0.05)
    spacing: float = 0.060
    nearest_by: float = 0.020


def make_layout(
    scene: SceneSpec, goal: Intersection, rng: np.random.Generator, spec: LayoutSpec
) -> SceneState:
    """Draws a layout in which ``goal`` can be reached.

    Raises:
        EpisodeInitializationError: if ``TRIES`` draws of table positions met no constraints.
    """
    black = [k for k, stone in enumerate(scene.stones) if stone.color == "black"]
    white = [k for k, stone in enumerate(scene.stones) if stone.color == "white"]
    pools = {"black": iter(black), "white": iter(white)}
    poses: dict[int, npt.NDArray[np.float64]] = {}

    for row, column, color in _board_stones(scene, goal, rng, spec):
        index = next(pools[color])
        poses[index] = _on_board(scene, index, row, column, rng)

    counts = {color: int(rng.integers(spec.per_color[0], spec.per_color[1] + 1)) for color in pools}
    points = _table_points(scene, counts, rng, spec)
    for color in ("black", "white"):
        for x, y in points[color]:
            index = next(pools[color])
            z = scene.table.height + scene.stones[index].height / 2
            poses[index] = np.array([x, y, z, *_yaw(rng)])

    return at_rest(scene, poses)


def _yaw(rng: np.random.Generator) -> tuple[float, float, float, float]:
    half = rng.uniform(0, np.pi)
    return (float(np.cos(half)), 0.0, 0.0, float(np.sin(half)))


def _board_stones(
    scene: SceneSpec, goal: Intersection, rng: np.random.Generator, spec: LayoutSpec
) -> list[tuple[int, int, str]]:
    """(row, column, colour) of the stones already on the board; never on the goal.

    Half of the boards are empty. Of the others, every second has stones around a free intersection that is
    drawn without regard to the goal: where the goal is, only the words say, and that it is free.
    """
    if rng.random() < 0.5 or spec.on_board == 0:
        return []
    n = scene.board.size
    cells = [(r, c) for r in range(n) for c in range(n)]
    together = rng.random() < 0.5
    while True:
        middle = cells[int(rng.integers(len(cells)))]
        others = [cell for cell in cells if not together or cell != middle]
        rng.shuffle(others)
        if together:
            near = [cell for cell in others if abs(cell[0] - middle[0]) + abs(cell[1] - middle[1]) == 1]
            near = near[: int(rng.integers(1, len(near) + 1))]
            others = near + [cell for cell in others if cell not in near]
            count = int(rng.integers(len(near), max(len(near), spec.on_board) + 1))
        else:
            count = int(rng.integers(1, spec.on_board + 1))
        if (goal.row, goal.column) not in others[:count]:
            return [(r, c, str(rng.choice(["black", "white"]))) for r, c in others[:count]]


def _on_board(
    scene: SceneSpec, index: int, row: int, column: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    p_BS = (*scene.board.point(row, column), scene.stones[index].height / 2)
    return compose(scene.board.X_WB, Pose(p_BS, _yaw(rng))).array()


def _table_points(
    scene: SceneSpec,
    counts: dict[str, int],
    rng: np.random.Generator,
    spec: LayoutSpec,
) -> dict[str, list[tuple[float, float]]]:
    """Positions (x_W, y_W) on the table, at both sides of the board, by colour."""
    home = home_position(scene.robot)
    board_x = scene.board.X_WB.p[0]
    nearest = round(spec.side[0] + board_reach(scene) - scene.board.width / 2, 9)
    total = sum(counts.values())
    points: list[tuple[float, float]] = []
    for _ in range(TRIES):
        side = (-1.0, 1.0)[int(rng.integers(2))]
        x = board_x + side * float(rng.uniform(nearest, spec.side[1] - side * board_x))
        y = float(rng.uniform(*spec.depth))
        if all(hypot(x - p, y - q) >= spec.spacing for p, q in points):
            points.append((x, y))
        if len(points) < total:
            continue
        colors = ["black"] * counts["black"] + ["white"] * counts["white"]
        chosen = {color: [p for p, c in zip(points, colors, strict=True) if c == color] for color in counts}
        if all(_lead(places, home) >= spec.nearest_by for places in chosen.values()):
            return chosen
        points = []
    raise EpisodeInitializationError(
        f"no layout of {counts} stones with {spec.spacing} m between them and the nearest of each "
        f"colour nearest by {spec.nearest_by} m was found in {TRIES} tries; ask for fewer stones"
    )


def _lead(places: list[tuple[float, float]], home: tuple[float, ...]) -> float:
    """By how much the nearest of some places is nearer to the gripper's start than the next (m)."""
    distances = sorted(hypot(x - home[0], y - home[1]) for x, y in places)
    return distances[1] - distances[0] if len(distances) > 1 else inf
