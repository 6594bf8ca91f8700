"""The course of an episode: which move is on, when it is done, what the board shows then."""

from typing import Any

import numpy as np

from core.board.boards import Board
from core.board.goals import Intersection, alternatives, board_after
from core.errors import StateError
from core.judge.checker import Tolerances, Verdict
from core.judge.measuring import Frame, stone_colors
from core.judge.move_judge import MoveJudge, judge_arguments, whole_verdict
from core.task import Episode, Move, Task
from core.world.state import SceneState

AWAY = 0.045  # m, of the tool above the board: so high the fingers are clear of stones that are set there


class Referee:
    """Judges move after move. After each it reads the whole board and asks the task for the next.

    A move is *done* when its judge says success and the task's rules do not object to the board. A *wrong
    move* is a board that has changed, to something else than asked for, and has come to rest with the
    gripper clear of all stones.

    Attributes:
        move: what is asked for now.
        pending: the next move, while the arm is still in the way of the stones that come with it.
        complete: whether every move has been done.
        boards: as read at reset and after each move that was done.
        done: a plain description of each of them.
        wrong: a plain description of each wrong move that was seen.
        segments: per move, for the record: rows of the series, columns, and what its judges were asked.
    """

    def __init__(self, task: Task, episode: Episode, tolerances: Tolerances, frame: Frame):
        self._task, self._episode, self.tolerances = task, episode, tolerances
        self.boards: list[Board] = []
        self.done: list[dict[str, Any]] = []
        self.segments: list[dict[str, Any]] = []
        self.wrong: list[dict[str, Any]] = []
        self.complete = False
        self.pending: Move | None = None
        self.begin(episode.moves[0], episode.state, frame, 0)
        self.boards.append(self._read())

    @property
    def verdict(self) -> Verdict:
        """Of the present move. While more moves are owed, one that is done counts as unfinished."""
        return whole_verdict(self._verdict, complete=self.complete, moves=self._episode.max_moves)

    @property
    def success(self) -> bool:
        """Whether every move is done and the last one still holds."""
        return self.complete and self._verdict.success

    @property
    def success_once(self) -> bool:
        """Whether that was ever so; it cannot be before every move is done."""
        return self.complete and self._verdict.success_once

    def begin(self, move: Move, state: SceneState, frame: Frame, row: int) -> None:
        """Begins a move from ``state``, which is row ``row`` of the episode's series."""
        scene = self._episode.scene
        colors = stone_colors(scene, state)
        goals = judge_arguments(scene, move.goal, colors, frame.measures)
        self._judge = MoveJudge(
            goals,
            size=scene.board.size,
            pitch=scene.board.pitch,
            colors=colors,
            layout=frame.measures,
            tool_position=frame.p_BT,
            tolerances=self.tolerances,
        )
        self.move, self.start, self.pending = move, state, None
        self._verdict: Verdict = self._judge.verdict()
        self._base = self._read()  # the board when the move begins, replies included
        self._base_bytes = self._verdict.occupancy.tobytes()
        self._wrong_since: float | None = None
        self._wrong_seen: Board | None = None
        self.segments.append({"begin": row, "end": None, "stones": len(colors), "goals": goals})

    def update(self, time: float, frame: Frame, row: int) -> None:
        """Takes one control step, row ``row`` of the series."""
        if self.pending is not None:
            return
        self._judge.update(time, frame.p_BT, frame.opening, frame.measures)
        self._verdict = self._judge.verdict()
        if self.complete:
            return
        if self._verdict.success and self._finish(time, row):
            return
        self._look_for_wrong_move(time, frame)

    def wanted(self) -> Board:
        """The board when the present goal is fulfilled, a pattern wholly."""
        board = self._base
        for single in alternatives(self.move.goal):
            board = board_after(board, single)
        return board

    def ready(self, frame: Frame) -> bool:
        """Whether the pending move can begin: its goal and the places of its replies are free."""
        if self.pending is None:
            return False
        replies, goal = self.pending.replies, self.pending.goal
        if replies and not float(frame.p_BT[2]) > AWAY:
            return False
        asked = [single for single in alternatives(goal) if isinstance(single, Intersection)]
        room = 2.2 * self._episode.scene.stones[0].radius
        return not any(self._crowded(frame, reply, room) for reply in replies) and not any(
            self._crowded(frame, single, self.tolerances.distance) for single in asked
        )

    def _crowded(self, frame: Frame, place: Intersection, room: float) -> bool:
        p_BS = frame.measures["position"]
        x, y = self._episode.scene.board.point(place.row, place.column)
        return bool((np.hypot(p_BS[:, 0] - x, p_BS[:, 1] - y) <= room).any())

    def info(self) -> dict[str, Any]:
        """The moves of the episode so far, as plain values."""
        return {
            "total": self._episode.max_moves,
            "index": len(self.segments) - 1,
            "done": len(self.done),
            "complete": self.complete,
            "wrong": [{**entry, "board": [list(line) for line in entry["board"]]} for entry in self.wrong],
            "placements": [dict(entry) for entry in self.done],
        }

    def _finish(self, time: float, row: int) -> bool:
        board = self._read()
        boards = tuple(self.boards)
        legal = self._task.is_legal(self._episode, boards, board)
        if legal is False:
            return False
        verdict = self._verdict
        self.boards.append(board)
        self.done.append(
            {
                "goal": self.move.goal.to_dict(),
                "instruction": self.move.instruction.text,
                "distance_mm": verdict.distance_mm,
                "offset_mm": list(verdict.offset_mm),
                "tilt": verdict.tilt,
                "others_moved_mm": verdict.to_dict()["others_moved_mm"],
                "board": [list(line) for line in board],
                "legal": legal,
                "sim_time": time,
            }
        )
        self.pending = self._task.next_move(self._episode, (*boards, board))
        self.complete = self.pending is None
        if not self.complete:
            self.segments[-1]["end"] = row
        return True

    def _look_for_wrong_move(self, time: float, frame: Frame) -> None:
        occupancy = self._verdict.occupancy.tobytes()
        if occupancy == self._base_bytes and self._wrong_since is None:
            return  # nothing has changed: almost every step
        board, m, limit = self._read(), frame.measures, self.tolerances
        astray = (
            board not in (self._base, self._wrong_seen)
            and (
                (m["speed"] <= limit.speed)
                & (m["spin"] <= limit.spin)
                & (m["pad_left"] > limit.clearance)
                & (m["pad_right"] > limit.clearance)
            ).all()
        )
        if not astray or board in [board_after(self._base, goal) for goal in alternatives(self.move.goal)]:
            self._wrong_since = None
        elif self._wrong_since is None:
            self._wrong_since = time
        elif time - self._wrong_since >= limit.rest_time - 1e-6:
            legal = self._task.is_legal(self._episode, tuple(self.boards), board)
            self.wrong.append({"board": board, "legal": legal, "sim_time": time})
            self._wrong_seen = board

    def _read(self) -> Board:
        return tuple(map(tuple, self._verdict.occupancy.tolist()))

    # ---- saving and loading -----------------------------------------------------------------

    def get_state(self) -> tuple[dict[str, Any], SceneState, list[bytes]]:
        """Plain values, the state that the present move began from, and the judges' memory."""
        plain = {
            "index": len(self.segments) - 1,
            "boards": self.boards,
            "done": self.done,
            "wrong": self.wrong,
            "wrong_since": self._wrong_since,
            "wrong_seen": self._wrong_seen,
        }
        return plain, self.start, self._judge.get_states()

    def set_state(self, plain: dict[str, Any], start: SceneState, frame: Frame, judges: list[bytes]) -> None:
        """Inverse of ``get_state``. ``frame`` is what the judges saw of ``start``.

        Raises:
            StateError: if the parts do not belong together.
        """
        boards = [tuple(map(tuple, board)) for board in plain["boards"]]
        try:
            if plain["index"]:
                move = self._task.next_move(self._episode, tuple(boards[: plain["index"] + 1]))
                if move is None:
                    raise StateError("saved state does not fit its episode, which is over by then")
                self.begin(move, start, frame, 0)
            self._judge.set_states(judges)
        except (ValueError, AttributeError) as error:
            raise StateError(f"saved state does not fit its episode: {error}") from error
        self.boards, self.done, self.wrong = boards, plain["done"], plain["wrong"]
        self.segments = [self.segments[-1]] * (plain["index"] + 1)
        self._verdict = self._judge.verdict()
        if len(boards) > plain["index"] + 1:
            self.pending = self._task.next_move(self._episode, tuple(boards))
            self.complete = self.pending is None
        seen = plain["wrong_seen"]
        self._wrong_since, self._wrong_seen = plain["wrong_since"], seen and tuple(map(tuple, seen))
