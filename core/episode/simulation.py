"""An episode while it is played: engine, controller, measures and referee, period after period."""

from collections import deque
from math import dist, inf
from typing import Any

import numpy as np
import numpy.typing as npt

from core.backend import Backend
from core.board.layout import add_stones
from core.control.actions import ActionSpec, check_action
from core.control.actuation import Actuator
from core.control.controller import Controller
from core.episode.info import episode_about, episode_info
from core.episode.log import EpisodeLog
from core.episode.record import EpisodeRecord
from core.episode.resuming import terms
from core.episode.snapshot import Snapshot
from core.errors import StateError
from core.judge.checker import Tolerances
from core.judge.measuring import Measurer
from core.judge.referee import Referee
from core.perturbations.base import Actuation
from core.task import Episode, Move, Task
from core.world.state import ARM_JOINTS, SceneState, Trace

FINAL_HOLD = 0.5  # seconds that the world is held after the last action, before the end is judged


class Simulation:
    """One episode in one engine. Who may call what, and when, is for ``Environment`` to say.

    Args:
        task: whose episode it is.
        backend: has built the episode's scene; it is put into ``state``.
        episode: what is played.
        state: where it begins.
        spec: what actions mean.
        actuation: what becomes of actions before the controller gets them.
        tolerances: what the referee allows.

    Attributes:
        episode: as given.
        state: the world as it stands.
        frame: what was measured of it.
        controller: knows the commanded target.
        referee: knows the move that is on.
        steps: actions so far.
        periods: control periods so far, those of the final hold too.
        over: whether the end has been judged.
    """

    def __init__(
        self,
        task: Task,
        backend: Backend,
        episode: Episode,
        state: SceneState,
        *,
        spec: ActionSpec,
        actuation: Actuation,
        tolerances: Tolerances,
    ):
        backend.reset(episode.scene, state)
        self.episode, self.state = episode, state
        self._task, self._backend, self._spec, self._tolerances = task, backend, spec, tolerances
        self.controller = Controller(spec, episode.scene)
        self.controller.reset(episode.state.joint_positions[:ARM_JOINTS].astype(np.float64))
        self._actuator = Actuator(
            actuation,
            spec,
            split=episode.split,
            seed=episode.seed,
            hold=self.controller.hold_action(),
        )
        self._measure = Measurer(episode.scene, self.controller.kinematics)
        layout = self._measure(episode.state)
        self.referee = Referee(task, episode, tolerances, layout)
        self.frame = layout if state is episode.state else self._measure(state)
        self._log = EpisodeLog(layout, episode.state.stone_ids)
        self.steps = self.periods = self._clipped = 0
        self.over, self._complete = False, True
        self._tool_before: list[float] = [inf, inf, inf]

    # ---- moving on --------------------------------------------------------------------------

    def act(self, action: object) -> None:
        """Carries out one action for one control period.

        Raises:
            ActionError: if the action cannot be executed; the world has not moved.
        """
        checked = self._checked(action)
        self._run_period(checked)
        self._log.actions.append(checked)
        self.steps += 1

    def finish(self) -> None:
        """Holds the world for ``FINAL_HOLD`` and judges the end."""
        hold = self.hold_action()
        for _ in range(round(FINAL_HOLD * self._spec.control_hz)):
            self._run_period(hold)
        self.over = True

    def show(self, state: SceneState, *, period: int) -> None:
        """As ``Environment.show``."""
        if not set(self.episode.state.stone_ids) <= set(state.stone_ids):
            raise StateError("the state lacks stones of the episode: it is of another one")
        self._backend.write_state(state)
        self.state, self.frame = state, self._measure(state)
        self.periods, self.over, self._complete = period, True, False

    def hold_action(self) -> npt.NDArray[np.float32]:
        """The action, float32[4], that does nothing: the target stays, the gripper stays as asked."""
        return self._actuator.hold(self.controller.hold_action())

    def _checked(self, action: object) -> npt.NDArray[np.float32]:
        action = check_action(action)
        if self._spec.holds(action):
            return action
        self._clipped += 1
        clipped: npt.NDArray[np.float32] = np.clip(action, self._spec.low, self._spec.high)
        return clipped

    def _run_period(self, action: npt.NDArray[np.float32]) -> None:
        """One control period: joint targets, physics, measures, verdict."""
        before = self.frame
        targets = self.controller.advance(self._actuator(action, self.periods))
        # A stone may be struck and be gone again before the period ends: then the states in between count.
        tool = before.p_RT.tolist()
        reach = self.controller.farthest(tool, before.opening, dist(tool, self._tool_before))
        self._tool_before = tool
        trace: Trace | None = None
        rise = self.controller.state.target[2] - tool[2]
        if self._measure.worth_tracing(before, reach, rise):
            trace = self._backend.step_traced(targets)
        else:
            self._backend.step(targets)
        self.periods += 1
        self.state = state = self._backend.read_state()
        frame = self._measure(state)
        if trace is not None:
            frame = self._measure.sweep(before, frame, trace)
        self.frame = frame
        time = self.periods / self._spec.control_hz
        self.referee.update(time, frame, len(self._log.frames))
        self._log.frames.append(frame)
        self._log.times.append(time)
        if self.referee.pending is not None and self.referee.ready(frame):
            self._begin_move(self.referee.pending)

    def _begin_move(self, move: Move) -> None:
        """Sets the stones that come with the move on the board, at rest, and has it judged from here."""
        if move.replies:
            self.state = add_stones(self.episode.scene, self.state, move.replies)
            self._backend.write_state(self.state)
            self.frame = self._log.frames[-1] = self._measure(self.state)
        self.referee.begin(move, self.state, self.frame, len(self._log.frames) - 1)
        self._log.stones.append(self.state.stone_ids)

    # ---- what is told of it -----------------------------------------------------------------

    def info(self) -> dict[str, Any]:
        """What ``Environment.step`` returns as ``info``, made anew."""
        sim_time = self.periods / self._spec.control_hz
        return episode_info(self.episode, self.referee, sim_time=sim_time, clipped=self._clipped)

    def record(self) -> EpisodeRecord:
        """As ``Environment.episode_record``."""
        if not self._complete:
            raise StateError("the episode was loaded half-way: its first measures were not saved with it")
        about = episode_about(
            self.episode,
            self.referee,
            backend=self._backend.name,
            action_mode=self._spec.mode,
            control_hz=self._spec.control_hz,
        )
        return self._log.record(about, self.episode, self.state, self.referee.segments)

    # ---- saving and loading -----------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything that is needed to resume it in another environment."""
        referee, start, judges = self.referee.get_state()
        header = {
            **terms(self._task, self._spec, self._tolerances),
            "split": self.episode.split,
            "seed": self.episode.seed,
            "perturbation": self.episode.perturbation,
            "steps": self.steps,
            "periods": self.periods,
            "clipped": self._clipped,
            "over": self.over,
            "pending": [action.tolist() for action in self._actuator.pending],
            "referee": referee,
        }
        return Snapshot(
            header=header,
            scene_state=self.state,
            controller=self.controller.state,
            start=start,
            judges=judges,
        )

    def resume(self, snapshot: Snapshot, referee: Referee) -> None:
        """Takes up what ``snapshot`` left, in whose state the world is already.

        Args:
            snapshot: of an episode like this one.
            referee: as he was then; see ``resumed_referee``.
        """
        header = snapshot.header
        self.referee, self.controller.state = referee, snapshot.controller
        self.steps, self.periods = header["steps"], header["periods"]
        self._clipped, self.over = header["clipped"], header["over"]
        self._actuator.pending = deque(np.array(action, dtype=np.float32) for action in header["pending"])
        self._complete = False
