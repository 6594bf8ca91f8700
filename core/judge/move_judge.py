"""Who judges one move: an ``EpisodeJudge`` for each placement that would fulfil its goal."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.board.boards import COLORS
from core.board.goals import Goal, Intersection, Region, alternatives
from core.errors import EpisodeInitializationError
from core.judge.checker import STAGES, EpisodeJudge, Tolerances, Verdict
from core.world.rotations import inverse, matrix_from_quaternion
from core.world.scene import SceneSpec


def judge_arguments(
    scene: SceneSpec, goal: Goal, colors: npt.NDArray[np.uint8], measures: npt.NDArray[np.void]
) -> list[dict[str, Any]]:
    """What tells each judge its goal, as plain values.

    Args:
        scene: the world; regions are turned from W into the board frame.
        goal: what the move asks for.
        colors: uint8[S], of the stones in play.
        measures: array[S] of ``MEASURE_DTYPE``, when the move begins.

    Raises:
        EpisodeInitializationError: if the goal names a stone that is not there.
    """
    return [_arguments(scene, single, colors, measures) for single in alternatives(goal)]


def _arguments(
    scene: SceneSpec, goal: Intersection | Region, colors: np.ndarray, measures: npt.NDArray[np.void]
) -> dict[str, Any]:
    plain: dict[str, Any] = {"goal_color": COLORS[goal.color]}
    if goal.source is not None:
        plain["goal_stone"] = _stone_at(goal.source, goal.color, colors, measures)
    if isinstance(goal, Region):
        plain["region"] = region_in_board(scene, goal)
    else:
        plain |= {"goal_row": goal.row, "goal_column": goal.column}
    return plain


def region_in_board(scene: SceneSpec, goal: Region) -> list[float]:
    """x, y, half_x, half_y and yaw in B (m, rad) of where a stone's centre must be to be wholly inside."""
    X_BW = inverse(scene.board.X_WB)
    R_BW = matrix_from_quaternion(X_BW.q)
    p_B = R_BW @ [*goal.center, scene.table.height] + np.asarray(X_BW.p)
    radius = scene.stones[0].radius
    half_x, half_y = (half - radius for half in goal.half_size)
    return [float(p_B[0]), float(p_B[1]), half_x, half_y, float(np.arctan2(R_BW[1, 0], R_BW[0, 0]))]


def _stone_at(cell: tuple[int, int], color: str, colors: np.ndarray, measures: npt.NDArray[np.void]) -> int:
    there = (measures["row"] == cell[0]) & (measures["column"] == cell[1]) & (measures["over_board"] == 1)
    found = np.flatnonzero(there & (colors == COLORS[color]))
    if not len(found):
        raise EpisodeInitializationError(f"the move is about the {color} stone on {cell}, where none stands")
    return int(found[np.argmin(measures["distance_mm"][found])])


class MoveJudge:
    """Judges one move from the layout it began with; of several judges the most favourable one speaks.

    Raises:
        EpisodeInitializationError: if the layout fulfils the goal already, or contradicts it.
    """

    def __init__(
        self,
        goals: Sequence[dict[str, Any]],
        *,
        size: int,
        pitch: float,
        colors: np.ndarray,
        layout: np.ndarray,
        tool_position: npt.NDArray[np.float32],
        tolerances: Tolerances,
    ):
        try:
            self._judges = [
                EpisodeJudge(
                    size=size,
                    pitch=pitch,
                    colors=colors.tolist(),
                    layout=layout,
                    tool_position=tool_position,
                    tolerances=tolerances,
                    **goal,
                )
                for goal in goals
            ]
        except ValueError as error:
            raise EpisodeInitializationError(f"this move cannot be judged: {error}") from error
        # Most moves have one judge: no Python frame between the control loop and C++.
        self.update: Callable[[float, npt.NDArray[np.float32], float, npt.NDArray[np.void]], object] = (
            self._judges[0].update if len(self._judges) == 1 else self._update_all
        )

    def _update_all(
        self, time: float, tool: npt.NDArray[np.float32], opening: float, measures: npt.NDArray[np.void]
    ) -> None:
        for judge in self._judges:
            judge.update(time, tool, opening, measures)

    def verdict(self) -> Verdict:
        """What can be said now."""
        if len(self._judges) == 1:
            return self._judges[0].verdict()
        return best_verdict(judge.verdict() for judge in self._judges)

    def rejudge(
        self,
        times: npt.ArrayLike,
        tools: npt.ArrayLike,
        openings: npt.ArrayLike,
        measures: npt.NDArray[np.void],
    ) -> Verdict:
        """The verdict at the end of a stored series; changes nothing."""
        return best_verdict(judge.rejudge(times, tools, openings, measures) for judge in self._judges)

    def get_states(self) -> list[bytes]:
        """The memory of every judge."""
        return [judge.get_state() for judge in self._judges]

    def set_states(self, states: Sequence[bytes]) -> None:
        """Inverse of ``get_states``.

        Raises:
            ValueError: if a state belongs to another episode.
        """
        for judge, state in zip(self._judges, states, strict=True):
            judge.set_state(state)


def best_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that succeeds; else the one that got farthest, then nearest to its goal, then the first."""
    return max(verdicts, key=lambda v: (v.success, v.success_once, _steps(v), -v.distance_mm))


def whole_verdict(verdict: Verdict, *, complete: bool, moves: int) -> Verdict:
    """What the verdict of a move says of the whole episode, which has at most so many moves."""
    return verdict if complete or moves == 1 or not verdict.success else verdict.unfinished()


def _steps(verdict: Verdict) -> int:
    return STAGES.index(verdict.stage) if verdict.stage in STAGES else -1
