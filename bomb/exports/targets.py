"""Where the stone of a move belongs, and what stands on the board."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.demonstration import Demonstration
from bomb.pictures.views import goal_in_world
from core.board.boards import COLORS
from core.board.goals import Intersection
from core.judge.checker import Tolerances
from core.judge.measuring import Frame, stone_colors
from core.world.scene import SceneSpec
from core.world.state import SceneState

Measure = Callable[[SceneState], Frame]


def target_points(
    demonstration: Demonstration, scene: SceneSpec, measure: Measure
) -> list[npt.NDArray[np.float64] | None]:
    """The target of every move, float64[3] in W (m): a point of the board's or the table's upper face.

    Of a goal with several intersections it is the one that the demonstration filled. None where that cannot
    be told, in the move that an unsuccessful episode stopped in.

    Args:
        demonstration: whose moves.
        scene: of its episode.
        measure: measures a state of that scene.
    """
    placements = demonstration.about["moves"]["placements"]
    points: list[npt.NDArray[np.float64] | None] = []
    for move in range(len(demonstration.instructions)):
        if move < len(placements):
            goal = placements[move]["goal"]
        else:
            goal = demonstration.about["goal"] if move == 0 else None
        if goal is not None and goal["kind"] == "pattern":
            first = int(np.argmax(demonstration.instruction_index == move))
            state = demonstration.world(first)
            before = occupancy(scene, state, measure(state))
            goal = filled(goal, before, placements[move]["board"]) if move < len(placements) else None
        points.append(None if goal is None else _point(goal, scene))
    return points


def filled(
    goal: dict[str, Any], before: npt.NDArray[np.int64], after: list[list[int]]
) -> dict[str, Any] | None:
    """The intersection of a pattern that a move filled: right afterwards, and not so when it began."""
    stone: dict[str, Any]
    for stone in goal["stones"]:
        row, column, color = stone["row"], stone["column"], COLORS[stone["color"]]
        if after[row][column] == color != before[row, column]:
            return stone
    return None


def _point(goal: dict[str, Any], scene: SceneSpec) -> npt.NDArray[np.float64]:
    if goal["kind"] == "region":
        return np.array([*goal["center"], scene.table.height])
    place = Intersection(color=goal["color"], row=goal["row"], column=goal["column"])
    return goal_in_world(scene, place)


def occupancy(scene: SceneSpec, state: SceneState, frame: Frame) -> npt.NDArray[np.int64]:
    """What stands on the board, int64[n, n] by row and column: 0 nothing, 1 black, 2 white.

    The checker's rule (docs/checker.md): a stone occupies its nearest intersection when its centre is over
    the board and its lowest point within 1 mm of the top; of several the nearest counts.

    Args:
        scene: of the episode.
        state: the world.
        frame: what the checker measures of it.
    """
    board = np.zeros((scene.board.size, scene.board.size), dtype=np.int64)
    measures, colors = frame.measures, stone_colors(scene, state)
    rests = (measures["over_board"] == 1) & (np.abs(measures["low"]) <= Tolerances().gap)
    # Farthest first: of several stones on one intersection the nearest is written last.
    for k in sorted(np.flatnonzero(rests), key=lambda k: -measures["distance_mm"][k]):
        board[measures["row"][k], measures["column"][k]] = colors[k]
    return board
