"""BOMB as a benchmark of vla-evaluation-harness. The one module that may import vla_eval at its top, with
``specs``: both are made of its classes, and both are imported on first use only.
"""

import os
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from vla_eval.benchmarks.base import StepBenchmark, StepResult
from vla_eval.specs import DimSpec

import core
from bomb.integrations.actions import ActionConvention
from bomb.integrations.vla_eval import specs
from bomb.integrations.vla_eval.conditions import TaskCondition, conditions
from bomb.integrations.vla_eval.observations import ObservationLayout
from core.errors import ConventionError, LifecycleError, OptionError, PolicyOutputError
from core.judge.checker import INT_ACT, STAGES
from core.registry import TASKS
from core.seeding import check_seed, policy_seed, shuffled
from core.settings import EnvironmentSettings

HOLD = "bomb_hold"  # key of an action that asks for the environment's own hold action
WRIST = "wrist"
BLOCK = 10  # episodes that are shuffled among themselves


class BombBenchmark(StepBenchmark):  # type: ignore[misc]  # vla-eval ships no types
    """Board games for vla-eval: every task under every perturbation, in one simulator.

    An episode is (task, split, seed, perturbation) and the same in both simulators; episode k of every task
    has the seed ``episode_seed(seed, k)``. Success is judged at the end of the episode by BOMB's checker, as
    ``bomb evaluate`` reports it; ``success_once`` is true if it held at any time.

    Args:
        task: registered name, or several; see ``bomb tasks``.
        backend: registered name, see ``bomb backends``. It has no default, as no simulator is the true one.
        split: family of seeds; results are reported on ``test``.
        seed: the lowest of every task, see ``episode_seed``.
        perturbations: null; a preset or a knob with its level (``bomb``, ``board_pose:3``), a dict of knobs,
            a condition set's file; or a list of these, each a condition of its own. See ``bomb knobs``.
        cameras: out of ``head``, ``front``, ``wrist``; empty renders nothing.
        camera_names: what the pictures are called in ``images``, in the order of ``cameras``; null: as the
            cameras.
        image_size: side of the pictures, or (height, width), in pixels.
        state: layout of ``states``: ``bomb``, ``axis_angle``, ``euler`` or ``none``.
        action_mode, rotation, gripper, delta_scale: what the model's numbers mean; see ``ActionConvention``.
        control_hz: actions per second; must divide 500. In ``mode: live`` it must equal ``hz``.
        max_steps: actions per episode; null takes the task's own, 400 for a single move.
        stop_on_success: whether an episode ends when success first holds.
        supersample: see ``core.make_task``.
        send_state: set by servers that ask for it; true contradicts ``state: none``.
        send_wrist_image: set by servers that ask for it; adds the wrist camera where it is missing.
        absolute_action: set by servers that send absolute positions; true contradicts ``action_mode: delta``.

    Raises:
        UnknownNameError, OptionError: for a value that is not allowed, before anything is built.
        ConventionError: if what the server asks for contradicts the other parameters.
    """

    _ALL_RECORD_FIELDS: ClassVar[frozenset[str]] = frozenset({"reward", "done", "success", "action", "state"})
    render_backends: ClassVar[frozenset[str]] = frozenset({"gpu", "cpu"})

    def __init__(
        self,
        *,
        backend: str,
        task: str | list[str] = "place_stone",
        split: str = "test",
        seed: int = 0,
        perturbations: Any = None,
        cameras: list[str] | tuple[str, ...] = ("head",),
        camera_names: list[str] | None = None,
        image_size: int | list[int] = 256,
        state: str = "bomb",
        action_mode: str = "delta",
        rotation: str = "absent",
        gripper: str = "continuous_01",
        delta_scale: float = 1.0,
        control_hz: int = 20,
        max_steps: int | None = None,
        stop_on_success: bool = False,
        supersample: int | None = None,
        send_state: bool | None = None,
        send_wrist_image: bool | None = None,
        absolute_action: bool | None = None,
    ) -> None:
        super().__init__()
        if isinstance(cameras, str):
            raise OptionError(f"cameras must be a list of names, got the string {cameras!r}")
        cameras = tuple(cameras)
        if send_wrist_image and WRIST not in cameras:
            cameras = (*cameras, WRIST)
        if send_state and state == "none":
            raise ConventionError("the server asks for the state, and state is 'none'")
        if absolute_action is not None and absolute_action != (action_mode == "absolute"):
            raise ConventionError(
                f"the server asks for absolute_action={absolute_action}, and action_mode is {action_mode!r}"
            )
        self._convention = ActionConvention(
            action_mode=action_mode, rotation=rotation, gripper=gripper, delta_scale=delta_scale
        )
        self._layout = ObservationLayout(state=state, names=tuple(camera_names or ()))
        self._layout.picture_names(cameras)
        self._conditions = {found.name: found for found in conditions(task, perturbations)}
        self._seed, self._cameras = check_seed(seed), cameras
        size: Any = image_size  # whichever it is, the settings check it and make a pair of it
        # Of every condition; each has its own task and perturbation.
        self._settings = EnvironmentSettings(
            backend=backend,
            split=split,
            cameras=cameras,
            image_size=size,
            action_mode=action_mode,
            control_hz=control_hz,
            max_steps=max_steps,
            stop_on_success=stop_on_success,
            supersample=supersample,
        )
        self._refused: list[str] = []
        self._env: core.Environment | None = None
        self._playing: str | None = None  # name of the condition that the environment is of
        self._begun = self._over = False

    # ---- what there is to do ----------------------------------------------------------------

    def get_tasks(self) -> list[dict[str, Any]]:
        """One task per condition; ``suite`` is the task's name, so that ``tasks:`` can select by it."""
        return [
            {
                "name": condition.name,
                "suite": condition.task,
                "task": condition.task,
                "perturbation": condition.label,
                "backend": self._settings.backend,
                "split": self._settings.split,
            }
            for condition in self._conditions.values()
        ]

    def get_metadata(self) -> dict[str, Any]:
        """``max_steps`` of the longest task; asked for after the specs are compared, so they are judged here.

        Raises:
            ConventionError: if the model server declares what contradicts this benchmark's parameters.
        """
        if self._refused:
            raise ConventionError(
                "the model server and BOMB do not mean the same: " + "; ".join(dict.fromkeys(self._refused))
            )
        steps = self._settings.max_steps
        tasks = {condition.task for condition in self._conditions.values()}
        return {
            "max_steps": steps or max(TASKS.load(task)().max_steps for task in tasks),
            "control_hz": self._settings.control_hz,
            "backend": self._settings.backend,
            "split": self._settings.split,
        }

    def get_action_spec(self) -> dict[str, DimSpec]:
        """Position, rotation where there is one, gripper."""
        return specs.action_spec(self._convention, self._settings.control_hz, self._refused)

    def get_observation_spec(self) -> dict[str, DimSpec]:
        """Every picture by its name and as ``image``; state; language."""
        return specs.observation_spec(self._layout, self._cameras, self._refused)

    def get_metric_keys(self) -> dict[str, str]:
        """Everything of ``get_result`` that has a mean."""
        names = ("success", "success_once", "success_distance_mm", "clipped", "moves_done")
        return dict.fromkeys([*names, *(flat(name) for name in (*STAGES, *INT_ACT))], "mean")

    # ---- an episode -------------------------------------------------------------------------

    def reset(self, task: dict[str, Any]) -> dict[str, Any]:
        """Begins the episode with the seed ``episode_seed(seed, episode_idx)``.

        vla-eval sends ``task`` to the model server after this; what names the scene is taken out of it.
        """
        env = self._environment(self._conditions[task["name"]])
        self._over = False
        observation, _ = env.reset(seed=episode_seed(self._seed, int(task.get("episode_idx", 0))))
        task["episode_idx"] = task["seed"] = policy_seed(env.episode.split, env.episode.seed)
        self._begun = True
        self._recorder.record_video(self._picture(observation))
        return observation

    def step(self, action: dict[str, Any]) -> StepResult:
        """Carries out one action.

        Raises:
            PolicyOutputError: for an action that is not what the parameters say; the world has not moved.
        """
        env = self._engine
        executed = env.hold_action() if action.get(HOLD) else self._executed(action)
        reward, terminated, truncated = env.advance(executed)
        self._over = terminated or truncated
        # After the end nobody looks.
        observation = None if self._over else env.observe()
        self._recorder.record_video(self.render() if observation is None else self._picture(observation))
        info = env.info()
        self._recorder.record_step(
            reward=float(reward),
            done=self._over,
            success=info["success"],
            action=executed,
            state=None if observation is None else observation["state"],
        )
        return StepResult(obs=observation, reward=reward, done=self._over, info=info)

    def _executed(self, action: dict[str, Any]) -> npt.NDArray[np.float32]:
        if "actions" not in action:
            raise PolicyOutputError(f"the answer of the model server has no 'actions', only {sorted(action)}")
        chunk = self._convention.to_bomb(action["actions"])
        if len(chunk) != 1:
            raise PolicyOutputError(
                f"the model server sent {len(chunk)} actions at once; set its chunk_size, so that it keeps "
                "them and sends one for each observation"
            )
        executed: npt.NDArray[np.float32] = chunk[0]
        return executed

    def make_obs(self, raw_obs: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
        """``images``, ``states`` and ``task_description``: the words of the present move."""
        return self._layout.message(raw_obs)

    def get_step_result(self, step_result: StepResult) -> dict[str, Any]:
        """How the episode ended; where vla-eval's ``max_steps`` came first, it is ended here and judged."""
        env = self._engine
        info = env.info() if self._over else env.end_episode()
        self._over = True
        placement = info["placement"]
        return {
            "success": info["success"],
            "success_once": info["success_once"],
            "reason": placement["reason"],
            "distance_mm": placement["distance_mm"],
            # The mean of the other one would be of stones that were never touched.
            "success_distance_mm": placement["distance_mm"] if info["success"] else None,
            "stages": {flat(name): held for name, held in placement["stages"].items()},
            **{flat(name): held for name, held in placement["stages"].items()},
            "clipped": info["clipped"],
            "moves_done": info["moves"]["done"],
        }

    def get_hold_action(self, last_action: dict[str, Any] | None) -> dict[str, Any]:
        """Stay where you are, the gripper as it was asked for; in every action mode."""
        return {"actions": np.zeros(self._convention.dims, dtype=np.float32), HOLD: True}

    # ---- engine and pictures ----------------------------------------------------------------

    @classmethod
    def configure_render(cls, mode: str) -> dict[str, str]:
        """``cpu`` selects Mesa's software Vulkan driver; ``gpu`` takes the best driver that works."""
        env = {"BOMB_RENDER": "cpu"} if mode == "cpu" else {}
        os.environ.update(env)
        return env

    def render(self) -> npt.NDArray[np.uint8] | None:
        """The first camera's picture, uint8[H, W, 3]; None without cameras or before the first episode."""
        return self._engine.render() if self._begun and self._cameras else None

    def cleanup(self) -> None:
        """Frees the engine."""
        if self._env is not None:
            self._env.close()
        self._env, self._playing, self._begun = None, None, False

    def _environment(self, condition: TaskCondition) -> core.Environment:
        if self._playing != condition.name:
            self.cleanup()
            self._env = core.make_environment(
                replace(self._settings, task=condition.task, perturbations=condition.perturbation)
            )
            self._playing = condition.name
        return self._engine

    @property
    def _engine(self) -> core.Environment:
        if self._env is None:
            raise LifecycleError("the benchmark has no episode yet: call reset first")
        return self._env

    def _picture(self, observation: dict[str, Any]) -> npt.NDArray[np.uint8] | None:
        return next(iter(observation.get("images", {}).values()), None)


def episode_seed(first: int, k: int) -> int:
    """The scene's seed of the k-th episode of a task, where ``seed`` of the benchmark is ``first``.

    The seeds from ``first`` on, each block of ten shuffled: any multiple of ten episodes plays the same seeds
    as ``bomb evaluate`` does, and a server that counts its episodes does not know which one it is in.
    """
    block = k // BLOCK
    return first + block * BLOCK + shuffled(range(BLOCK), f"vla-eval:{block}")[k % BLOCK]


def flat(stage: str) -> str:
    """A stage's name as a key of vla-eval's results: ``int_act/grasp`` becomes ``int_act_grasp``."""
    return stage.replace("/", "_")
