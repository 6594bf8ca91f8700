"""The environment: backend, controller, task and checker as one ``gymnasium.Env``."""

from collections import deque
from math import dist, inf
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from core.backend import Backend, CameraImage, Capability, ContactForce
from core.board.goal_picture import goal_picture
from core.board.layout import add_stones
from core.control.actions import check_action
from core.control.actuation import Actuator
from core.control.controller import Controller
from core.episode.info import episode_about, episode_info
from core.episode.log import EpisodeLog
from core.episode.record import EpisodeRecord
from core.episode.resuming import check_terms, resumed_referee, terms
from core.episode.snapshot import Snapshot
from core.errors import LifecycleError, OptionError, RenderError, StateError, check_choice
from core.judge.checker import Tolerances
from core.judge.measuring import Frame, Measurer
from core.judge.referee import Referee
from core.rendering.observation import MODALITIES, action_space, compose_observation
from core.rendering.render_guard import RenderGuard
from core.seeding import check_seed
from core.settings import DEFAULT_SUPERSAMPLE, EnvironmentSettings
from core.task import Episode, Move, Task
from core.world.scene import SceneSpec
from core.world.state import ARM_JOINTS, SceneState, Trace

FINAL_HOLD = 0.5  # seconds that the world is held after the last action, before the end is judged
NOT_BEGUN = "no episode has begun; call reset first"


class Environment(gymnasium.Env):
    """One robot, one board, one engine. Made by ``core.make_task``.

    Calls out of order raise ``LifecycleError``: ``step`` before ``reset`` or after the end of an episode,
    anything after ``close``. A refused call has not moved the world.

    Attributes:
        settings: what it was made with.
        action_spec: what actions mean.
        episode: the present episode; None before the first reset.
        scene_state: the present ``SceneState``; None before the first reset.
        backend_name: registered name of the engine.
    """

    def __init__(
        self,
        task: Task,
        backend: Backend,
        scene: SceneSpec,
        *,
        settings: EnvironmentSettings,
        tolerances: Tolerances | None = None,
    ):
        self.task, self.backend_name = task, backend.name
        self.settings, action, observation = settings, settings.action_spec, settings.observation_spec
        self.action_spec = action
        self._max_steps = task.max_steps if settings.max_steps is None else settings.max_steps
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": action.control_hz}
        self.render_mode = "rgb_array" if observation.cameras else None
        self.observation_space = observation.space()
        self.action_space = action_space(action)
        self._episode: Episode | None = None
        self._state: SceneState | None = None
        self.tolerances = tolerances or Tolerances()
        self._suite = settings.suite
        self._observation_spec, self._scene, self._backend = observation, scene, backend
        self._closed = False
        self._frame: Frame
        self._guard: RenderGuard | None = None
        if observation.cameras:
            self._guard = RenderGuard()
        supersample = DEFAULT_SUPERSAMPLE if settings.supersample is None else settings.supersample
        backend.build(scene, image_size=observation.image_size, supersample=supersample)

    # ---- the life of an episode -------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins the episode of a seed.

        Args:
            seed: episode seed; without one, the next of a sequence that the last given seed began.
            options: none are known.

        Returns:
            (observation, info).
        """
        self._check_open()
        if options:
            raise OptionError(f"reset takes no options, got {options!r}")
        self.begin(seed=seed)
        return self.observe(), self.info()

    def begin(self, *, seed: int | None = None) -> None:
        """``reset`` without looking, so that nothing is drawn."""
        self._check_open()
        if seed is not None:
            seed = check_seed(seed)
        super().reset(seed=seed)
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        episode = self._suite.episode(self.task, self._scene, split=self.settings.split, seed=int(seed))
        self._begin(episode, episode.state)

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Carries out one action, for ``1 / control_hz`` seconds: ``advance``, then ``observe``.

        After the last action of an episode the world is held for half a second and the end is judged.

        Args:
            action: real numbers of shape (4,): x, y, z, gripper; see ``core.control.actions``.

        Returns:
            (observation, reward, terminated, truncated, info); the reward is 1.0 at the step where success
            first holds, else 0.0.

        Raises:
            ActionError: if the action cannot be executed; the world has not moved.
        """
        reward, terminated, truncated = self.advance(action)
        return self.observe(), reward, terminated, truncated, self.info()

    def advance(self, action: np.ndarray) -> tuple[float, bool, bool]:
        """``step`` without looking, so that nothing is drawn: (reward, terminated, truncated)."""
        self._check_running()
        action = self._checked(action)
        before = self._referee.success_once
        self._run_period(action)
        self._log.actions.append(action)
        self._steps += 1
        referee = self._referee
        terminated = (self.settings.stop_on_success and referee.success) or (
            self.settings.stop_on_wrong_move and bool(referee.wrong)
        )
        truncated = not terminated and self._steps >= self._max_steps
        if terminated or truncated:
            self._finish()
        return (1.0 if self._referee.success_once and not before else 0.0), terminated, truncated

    def observe(self) -> dict[str, Any]:
        """The observation of the present moment, as ``step`` returns it."""
        self._check_begun()
        if self._guard is not None:
            self._guard.check()
        return compose_observation(
            self._observation_spec, self._picture, self._frame, self._referee.move.instruction.text
        )

    def show(self, state: SceneState, *, period: int = 0) -> None:
        """Puts the world into a recorded state of this episode, to be looked at and not to be played on from.

        Args:
            state: the world as it stood.
            period: control periods since reset, which noise of the cameras depends on.

        Raises:
            StateError: if the state lacks stones of the episode.
        """
        episode, _ = self._check_begun()
        if not set(episode.state.stone_ids) <= set(state.stone_ids):
            raise StateError("the state lacks stones of the episode: it is of another one")
        self._backend.write_state(state)
        self._state, self._frame = state, self._measure(state)
        self._periods, self._over, self._complete = period, True, False

    def hold_action(self) -> np.ndarray:
        """The action, float32[4], that does nothing: the target stays, the gripper stays as asked."""
        self._check_begun()
        return self._actuator.hold(self._controller.hold_action())

    def info(self) -> dict[str, Any]:
        """What ``step`` returned last, made anew."""
        episode, _ = self._check_begun()
        sim_time = self._periods / self.action_spec.control_hz
        return episode_info(episode, self._referee, sim_time=sim_time, clipped=self._clipped)

    def end_episode(self) -> dict[str, Any]:
        """Ends the episode now, as if ``max_steps`` had been reached: holds, judges, returns ``info``."""
        self._check_running()
        self._finish()
        return self.info()

    def close(self) -> None:
        """Frees the engine. A second call does nothing."""
        if self._closed:
            return
        if self._guard is not None:
            if self._guard.inherited:
                return  # the parent's renderer: touching it would hang
            self._guard.check()
        self._closed = True
        self._backend.close()

    @property
    def episode(self) -> Episode:
        """The episode that was begun last.

        Raises:
            LifecycleError: before the first ``reset``.
        """
        if self._episode is None:
            raise LifecycleError(NOT_BEGUN)
        return self._episode

    @property
    def scene_state(self) -> SceneState:
        """The world as it stands; only privileged policies are shown it.

        Raises:
            LifecycleError: before the first ``reset``.
        """
        if self._state is None:
            raise LifecycleError(NOT_BEGUN)
        return self._state

    @property
    def move(self) -> Move:
        """What is asked for now: goal and words of the present move."""
        self._check_begun()
        return self._referee.move

    # ---- pictures ---------------------------------------------------------------------------

    def render(self) -> np.ndarray:
        """The first camera's picture, uint8[H, W, 3].

        Raises:
            RenderError: if the environment was made without cameras.
        """
        self._check_begun()
        if not self._observation_spec.cameras:
            raise RenderError(
                "this environment was made without cameras; pass cameras=('head',) to make_task"
            )
        picture = self.render_camera(self._observation_spec.cameras[0], ("rgb",)).rgb
        if picture is None:
            raise RenderError(f"{self.backend_name} drew no colours")
        return picture

    def render_camera(self, camera: str, modalities: tuple[str, ...] = ("rgb",)) -> CameraImage:
        """Any view of the present state, whatever the observation holds.

        Raises:
            RenderError: in a forked child or another thread, or if the camera was not asked for.
            UnknownNameError: for a modality that does not exist.
            CapabilityError: for one that the backend does not have.
        """
        self._check_begun()
        if camera not in self._observation_spec.cameras:
            raise RenderError(
                f"no camera {camera!r} in this environment; it has {self._observation_spec.cameras}"
            )
        for name in modalities:
            check_choice("modality", name, MODALITIES)
        self._backend.require(map(Capability, modalities), "these pictures")
        if self._guard is not None:
            self._guard.check()
        return self._picture(camera, modalities)

    def contact_forces(self) -> list[ContactForce]:
        """Contacts of the last time step as the engine sees them: a diagnostic, judged by nobody.

        Raises:
            CapabilityError: if the backend does not report them.
        """
        self._check_begun()
        self._backend.require({Capability.CONTACT_FORCES}, "contact forces")
        return self._backend.contact_forces()

    def goal_picture(self, size: int = 256) -> np.ndarray:
        """The board from above as the present goal wants it, drawn by code: uint8[size, size, 3]."""
        self._check_begun()
        return goal_picture(self._scene, self._referee.wanted(), size)

    # ---- saving and loading -----------------------------------------------------------------

    def save_state(self) -> bytes:
        """The whole environment as bytes: world, judge, controller, step, and which episode it is."""
        episode, state = self._check_begun()
        header: dict[str, Any] = {
            **terms(self.task, self.action_spec, self.tolerances),
            "split": episode.split,
            "seed": episode.seed,
            "perturbation": episode.perturbation,
            "steps": self._steps,
            "periods": self._periods,
            "clipped": self._clipped,
            "over": self._over,
            "pending": [action.tolist() for action in self._actuator.pending],
        }
        header["referee"], start, judges = self._referee.get_state()
        return Snapshot(
            header=header,
            scene_state=state,
            controller=self._controller.state,
            start=start,
            judges=judges,
        ).to_bytes()

    def load_state(self, saved: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Goes on from ``save_state``, from this backend or another.

        What is loaded twice goes on twice the same, bit for bit, in one backend. The run that was saved is
        not touched, and goes on a little otherwise than a loaded one: a state has float32, and no memory of
        the contact solver. Over 40 steps at 20 Hz no joint or stone differs by more than 1e-5 m or rad in
        MuJoCo and 1e-3 in SAPIEN, which forgets more; what is chaotic by nature, a falling stone for example,
        may grow apart later.

        Returns:
            (observation, info), as ``reset`` does.

        Raises:
            StateError: if the bytes are damaged, foreign, or of another task or action mode. The
                environment is as before.
        """
        self._check_open()
        snapshot = Snapshot.from_bytes(saved)
        header = snapshot.header
        check_terms(snapshot, terms(self.task, self.action_spec, self.tolerances))
        episode = self._suite.episode(self.task, self._scene, split=header["split"], seed=header["seed"])
        # Made before anything moves: it refuses what does not fit.
        referee = resumed_referee(snapshot, self.task, episode, self.tolerances)
        self._begin(episode, snapshot.scene_state)
        self._referee = referee
        self._controller.state = snapshot.controller
        self._steps, self._periods = header["steps"], header["periods"]
        self._clipped, self._over = header["clipped"], header["over"]
        self._actuator.pending = deque(np.array(action, dtype=np.float32) for action in header["pending"])
        self._complete = False
        return self.observe(), self.info()

    def episode_record(self) -> EpisodeRecord:
        """The series of measures so far, from which the episode can be judged again.

        Raises:
            StateError: after ``load_state``, which brings no series with it.
        """
        episode, state = self._check_begun()
        if not self._complete:
            raise StateError("the episode was loaded half-way: its first measures were not saved with it")
        about = episode_about(
            episode,
            self._referee,
            backend=self.backend_name,
            action_mode=self.action_spec.mode,
            control_hz=self.action_spec.control_hz,
        )
        return self._log.record(about, episode, state, self._referee.segments)

    # ---- inside -----------------------------------------------------------------------------

    def _begin(self, episode: Episode, state: SceneState) -> None:
        """Puts the world into ``state`` of ``episode`` and forgets what came before."""
        if self._guard is not None:
            self._guard.check()
        self._backend.reset(episode.scene, state)
        self._episode, self._state = episode, state
        self._controller = Controller(self.action_spec, episode.scene)
        self._controller.reset(episode.state.joint_positions[:ARM_JOINTS].astype(np.float64))
        self._actuator = Actuator(
            self._suite.actuation(episode),
            self.action_spec,
            split=episode.split,
            seed=episode.seed,
            hold=self._controller.hold_action(),
        )
        self._measure = Measurer(episode.scene, self._controller.kinematics)
        layout = self._measure(episode.state)
        self._referee = Referee(self.task, episode, self.tolerances, layout)
        self._frame = layout if state is episode.state else self._measure(state)
        self._log = EpisodeLog(layout, episode.state.stone_ids)
        self._steps = self._periods = self._clipped = 0
        self._over, self._complete = False, True
        self._tool_before: list[float] = [inf, inf, inf]

    def _checked(self, action: object) -> np.ndarray:
        action = check_action(action)
        if self.action_spec.holds(action):
            return action
        self._clipped += 1
        clipped: npt.NDArray[np.float32] = np.clip(action, self.action_spec.low, self.action_spec.high)
        return clipped

    def _run_period(self, action: np.ndarray) -> None:
        """One control period: joint targets, physics, measures, verdict."""
        before = self._frame
        targets = self._controller.advance(self._actuator(action, self._periods))
        # A stone may be struck and be gone again before the period ends: then the states in between count.
        tool = before.p_RT.tolist()
        reach = self._controller.farthest(tool, before.opening, dist(tool, self._tool_before))
        self._tool_before = tool
        trace: Trace | None = None
        if self._measure.worth_tracing(before, reach):
            trace = self._backend.step_traced(targets)
        else:
            self._backend.step(targets)
        self._periods += 1
        self._state = state = self._backend.read_state()
        frame = self._measure(state)
        if trace is not None:
            frame = self._measure.sweep(before, frame, trace)
        self._frame = frame
        time = self._periods / self.action_spec.control_hz
        self._referee.update(time, frame, len(self._log.frames))
        self._log.frames.append(frame)
        self._log.times.append(time)
        if self._referee.pending is not None and self._referee.ready(frame):
            self._begin_move(self._referee.pending)

    def _begin_move(self, move: Move) -> None:
        """Sets the stones that come with the move on the board, at rest, and has it judged from here."""
        episode, state = self._check_begun()
        if move.replies:
            self._state = state = add_stones(episode.scene, state, move.replies)
            self._backend.write_state(state)
            self._frame = self._log.frames[-1] = self._measure(state)
        self._referee.begin(move, state, self._frame, len(self._log.frames) - 1)
        self._log.stones.append(state.stone_ids)

    def _finish(self) -> None:
        hold = self._actuator.hold(self._controller.hold_action())
        for _ in range(round(FINAL_HOLD * self.action_spec.control_hz)):
            self._run_period(hold)
        self._over = True

    def _picture(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        episode, _ = self._check_begun()
        image = self._backend.render(camera, modalities)
        return self._suite.develop(episode, camera, self._periods, image)

    def _check_open(self) -> None:
        if self._closed:
            raise LifecycleError("the environment is closed; make a new one")

    def _check_begun(self) -> tuple[Episode, SceneState]:
        """The episode and the state of the world."""
        self._check_open()
        if self._episode is None or self._state is None:
            raise LifecycleError(NOT_BEGUN)
        return self._episode, self._state

    def _check_running(self) -> None:
        self._check_begun()
        if self._over:
            raise LifecycleError("the episode is over; call reset")
        if self._guard is not None:
            self._guard.check()
