"""Plays jobs in this process: environment and policy are made once and used again."""

import os
import platform
from contextlib import suppress
from dataclasses import replace
from typing import Any

import core
from bomb.disk.text import message_of
from bomb.evaluation.jobs import EpisodeJob, JobOutcome, Setup, raised
from bomb.evaluation.workers.episode_rows import make_row
from bomb.evaluation.workers.policy_client import PolicyClient
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import Deadline, play
from bomb.runs.states import film, pack_states
from bomb.runs.store import now
from core.environment import Environment
from core.errors import LifecycleError, PolicyError
from core.policy import Policy
from core.registry import register_again
from core.world.state import SceneState

FILMED = "head"  # what is filmed where the policy itself sees nothing


class Player:
    """What a worker is made of.

    Args:
        setup: what is played.
        deadline: told when the policy is waited for.
    """

    def __init__(self, setup: Setup, deadline: Deadline | None = None):
        register_again(setup.registered)
        self._setup, self._deadline = setup, deadline
        self._name = f"{platform.node()}:{os.getpid()}"
        self._policy: Policy | None = None
        self._env: Environment | None = None
        self._condition: str | None = None

    def play(self, job: EpisodeJob) -> JobOutcome:
        """Plays an episode; whatever is raised becomes an outcome, and what raised is made anew next time."""
        try:
            return self._play(job)
        except PolicyError as error:
            self._forget_policy()
            return raised(job, error)
        except Exception as error:
            self._forget_policy()
            self._forget_environment()
            return raised(job, error)

    def close(self) -> None:
        """Frees environment and policy."""
        self._forget_policy()
        self._forget_environment()

    def _play(self, job: EpisodeJob) -> JobOutcome:
        execution, started = self._setup.execution, now()
        policy, env = self._make_policy(), self._environment(job.condition)
        wanted = {execution.videos, execution.states} - {"none"}
        seen: list[tuple[int, SceneState]] = []

        def watch(env: Environment, info: dict[str, Any]) -> None:
            seen.append((round(info["sim_time"] * env.action_spec.control_hz), env.scene_state))

        result = play(
            env,
            policy,
            job.seed,
            watch if wanted else None,
            chunks=self._setup.chunks,
            deadline=self._deadline,
        )
        if wanted:
            watch(env, result.info)  # the end, after the final hold
        row, record = make_row(job, result, started=started, worker=self._name, privileged=policy.privileged)
        states = video = None
        if _kept(execution.states, row.success):
            states = pack_states([state for _, state in seen])
        if _kept(execution.videos, row.success):
            video = film(env, self._filmed(job.condition), seen)
        return JobOutcome(job=job, row=row, record=record, states=states, video=video)

    def _make_policy(self) -> Policy:
        if self._policy is None:
            if self._setup.address is not None:
                self._policy = PolicyClient(
                    self._setup.address, self._setup.execution.policy_timeout, self._setup.policy
                )
            else:
                try:
                    self._policy = make_policy(self._setup.policy)
                except (Exception, SystemExit) as error:
                    words = f"{type(error).__name__}: {message_of(error)}"
                    raise PolicyError(f"policy {self._setup.policy!r} cannot be made: {words}") from error
        return self._policy

    def _environment(self, condition: str) -> Environment:
        if self._condition != condition:
            self._forget_environment()
            settings = self._setup.plans[condition].environment
            if self._setup.execution.videos != "none" and not settings.cameras:
                # Observations stay free of pictures.
                settings = replace(settings, cameras=(FILMED,), modalities=())
            self._env, self._condition = core.make_environment(settings), condition
        if self._env is None:
            raise LifecycleError("the player was closed")
        return self._env

    def _filmed(self, condition: str) -> str:
        cameras = self._setup.plans[condition].environment.cameras
        return cameras[0] if cameras else FILMED

    def _forget_policy(self) -> None:
        if self._policy is not None:
            with suppress(Exception):  # it is broken already
                self._policy.close()
            self._policy = None

    def _forget_environment(self) -> None:
        if self._env is not None:
            with suppress(Exception):
                self._env.close()
        self._env = self._condition = None


def _kept(choice: str, success: bool) -> bool:
    return choice == "all" or (choice == "failures" and not success)
