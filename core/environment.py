"""The environment: backend, controller, task and checker as one ``gymnasium.Env``."""

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from core.backend import Backend, CameraImage, Capability, ContactForce
from core.board.goal_picture import goal_picture
from core.episode.debug import DebugHandle
from core.episode.record import EpisodeRecord
from core.episode.resuming import check_terms, resumed_referee, terms
from core.episode.simulation import Simulation
from core.episode.snapshot import Snapshot
from core.errors import LifecycleError, OptionError, RenderError
from core.judge.checker import Tolerances
from core.rendering.graphics import select_device
from core.rendering.observation import action_space, compose_observation
from core.rendering.pinhole import Cameras
from core.rendering.viewing import Viewer
from core.seeding import check_seed
from core.settings import DEFAULT_SUPERSAMPLE, EnvironmentSettings
from core.task import Episode, Move, Task
from core.world.scene import SceneSpec
from core.world.state import SceneState

NOT_BEGUN = "no episode has begun; call reset first"


class Environment(gymnasium.Env):
    """One robot, one board, one engine. Made by ``core.make_task``.

    Calls out of order raise ``LifecycleError``: ``step`` before ``reset`` or after the end of an episode,
    anything after ``close``. A refused call has not moved the world.

    Attributes:
        settings: what it was made with.
        action_spec: what actions mean.
        task, tolerances: what is asked for, and what the referee allows.
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
        self._simulation: Simulation | None = None
        self._cameras: Cameras | None = None  # of the episode's scene, once somebody asks for their numbers
        self.tolerances = tolerances or Tolerances()
        self._suite = settings.suite
        self._observation_spec, self._scene, self._backend = observation, scene, backend
        self._closed = False
        self._viewer = Viewer(backend, settings.suite, observation.cameras)
        supersample = DEFAULT_SUPERSAMPLE if settings.supersample is None else settings.supersample
        if observation.cameras:
            select_device(settings.device)
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

    def begin(self, *, seed: int | None = None, visual_draw: int = 0) -> None:
        """``reset`` without looking, so that nothing is drawn.

        Args:
            seed: as ``reset`` takes it.
            visual_draw: number of the draw of the knobs that change only what is seen and said; 0 is the one
                of ``reset``. Everything else is the same in all of them.

        Raises:
            OptionError: for another draw than 0 of a condition set.
        """
        self._check_open()
        if seed is not None:
            seed = check_seed(seed)
        super().reset(seed=seed)
        if seed is None:
            seed = int(self.np_random.integers(2**31))
        episode = self._suite.episode(
            self.task, self._scene, split=self.settings.split, seed=int(seed), visual_draw=visual_draw
        )
        self._begin(episode, episode.state)

    def step(self, action: npt.ArrayLike) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
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

    def advance(self, action: npt.ArrayLike) -> tuple[float, bool, bool]:
        """``step`` without looking, so that nothing is drawn: (reward, terminated, truncated)."""
        simulation = self._running()
        before = simulation.referee.success_once
        simulation.act(action)
        referee = simulation.referee
        terminated = (self.settings.stop_on_success and referee.success) or (
            self.settings.stop_on_wrong_move and bool(referee.wrong)
        )
        truncated = not terminated and simulation.steps >= self._max_steps
        if terminated or truncated:
            simulation.finish()
        return (1.0 if referee.success_once and not before else 0.0), terminated, truncated

    def observe(self) -> dict[str, Any]:
        """The observation of the present moment, as ``step`` returns it."""
        simulation = self._begun()
        self._viewer.check()
        words = simulation.referee.move.instruction.text
        return compose_observation(
            self._observation_spec, self._picture, self._geometry, simulation.frame, words
        )

    def show(self, state: SceneState, *, period: int = 0) -> None:
        """Puts the world into a recorded state of this episode, to be looked at and not to be played on from.

        Args:
            state: the world as it stood.
            period: control periods since reset, which noise of the cameras depends on.

        Raises:
            StateError: if the state lacks stones of the episode.
        """
        self._begun().show(state, period=period)

    def hold_action(self) -> npt.NDArray[np.float32]:
        """The action, float32[4], that does nothing: the target stays, the gripper stays as asked."""
        return self._begun().hold_action()

    def info(self) -> dict[str, Any]:
        """What ``step`` returned last, made anew."""
        return self._begun().info()

    def end_episode(self) -> dict[str, Any]:
        """Ends the episode now, as if ``max_steps`` had been reached: holds, judges, returns ``info``."""
        self._running().finish()
        return self.info()

    def close(self) -> None:
        """Frees the engine. A second call does nothing."""
        if self._closed:
            return
        if self._viewer.inherited:
            return  # the parent's renderer: touching it would hang
        self._viewer.check()
        self._closed = True
        self._backend.close()

    @property
    def episode(self) -> Episode:
        """The episode that was begun last.

        Raises:
            LifecycleError: before the first ``reset``.
        """
        if self._simulation is None:
            raise LifecycleError(NOT_BEGUN)
        return self._simulation.episode

    @property
    def scene_state(self) -> SceneState:
        """The world as it stands; only privileged policies are shown it.

        Raises:
            LifecycleError: before the first ``reset``.
        """
        if self._simulation is None:
            raise LifecycleError(NOT_BEGUN)
        return self._simulation.state

    @property
    def move(self) -> Move:
        """What is asked for now: goal and words of the present move."""
        return self._begun().referee.move

    @property
    def debug(self) -> DebugHandle:
        """Ways past the referee, for tests and benchmarks; nothing that is scored may use them."""
        return DebugHandle(backend=self._backend, simulation=self._simulation, restart=self._restart)

    # ---- pictures ---------------------------------------------------------------------------

    def render(self) -> npt.NDArray[np.uint8]:
        """The first camera's picture, uint8[H, W, 3].

        Raises:
            RenderError: if the environment was made without cameras.
        """
        self._begun()
        if not self._observation_spec.cameras:
            raise RenderError(
                "this environment was made without cameras; pass cameras=('head',) to make_task"
            )
        return self.render_camera(self._observation_spec.cameras[0], ("rgb",)).colors

    def render_camera(self, camera: str, modalities: tuple[str, ...] = ("rgb",)) -> CameraImage:
        """Any view of the present state, whatever the observation holds.

        Raises:
            RenderError: in a forked child or another thread, or if the camera was not asked for.
            UnknownNameError: for a modality that does not exist.
            CapabilityError: for one that the backend does not have.
        """
        self._begun()
        self._viewer.check_asked(camera, modalities)
        return self._picture(camera, modalities)

    def contact_forces(self) -> list[ContactForce]:
        """Contacts of the last time step as the engine sees them: a diagnostic, judged by nobody.

        Raises:
            CapabilityError: if the backend does not report them.
        """
        self._begun()
        self._backend.require({Capability.CONTACT_FORCES}, "contact forces")
        return self._backend.contact_forces()

    def goal_picture(self, size: int = 256) -> npt.NDArray[np.uint8]:
        """The board from above as the present goal wants it, drawn by code: uint8[size, size, 3]."""
        return goal_picture(self._scene, self._begun().referee.wanted(), size)

    # ---- saving and loading -----------------------------------------------------------------

    def save_state(self) -> bytes:
        """The whole environment as bytes: world, judge, controller, step, and which episode it is."""
        return self._begun().snapshot().to_bytes()

    def load_state(self, saved: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Continues from ``save_state``, from this backend or another.

        What is loaded twice continues the same twice, bit for bit, in one backend. The run that was saved is
        not touched, and continues a little differently from a loaded one: a state is float32, without the
        contact solver's memory. Over 40 steps at 20 Hz no joint or stone differs by more than 1e-5 m or rad
        in MuJoCo and 1e-3 in SAPIEN, which forgets more; what is chaotic by nature, such as a falling stone,
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
        self._begin(episode, snapshot.scene_state).resume(snapshot, referee)
        return self.observe(), self.info()

    def episode_record(self) -> EpisodeRecord:
        """The series of measures so far, from which the episode can be judged again.

        Raises:
            StateError: after ``load_state``, which brings no series with it.
        """
        return self._begun().record()

    # ---- inside -----------------------------------------------------------------------------

    def _begin(self, episode: Episode, state: SceneState) -> Simulation:
        """Puts the world into ``state`` of ``episode`` and forgets what came before."""
        self._viewer.check()
        self._simulation = Simulation(
            self.task,
            self._backend,
            episode,
            state,
            spec=self.action_spec,
            actuation=self._suite.actuation(episode),
            tolerances=self.tolerances,
        )
        return self._simulation

    def _restart(self, state: SceneState) -> None:
        self._begin(replace(self._begun().episode, state=state), state)

    def _picture(self, camera: str, modalities: tuple[str, ...]) -> CameraImage:
        simulation = self._begun()
        return self._viewer.draw(simulation.episode, simulation.periods, camera, modalities)

    def _geometry(self, camera: str, modality: str) -> npt.NDArray[np.float64]:
        """K or X_CR of a camera, as it stands in this episode at this moment."""
        simulation = self._begun()
        scene = simulation.episode.scene
        if self._cameras is None or self._cameras.scene is not scene:
            self._cameras = Cameras(scene, self._observation_spec.image_size)
        known = self._cameras
        return known.K[camera] if modality == "intrinsics" else known.extrinsics(camera, simulation.state)

    def _check_open(self) -> None:
        if self._closed:
            raise LifecycleError("the environment is closed; make a new one")

    def _begun(self) -> Simulation:
        """The present episode."""
        self._check_open()
        if self._simulation is None:
            raise LifecycleError(NOT_BEGUN)
        return self._simulation

    def _running(self) -> Simulation:
        """The present episode, if it can go on."""
        simulation = self._begun()
        if simulation.over:
            raise LifecycleError("the episode is over; call reset")
        self._viewer.check()
        return simulation
