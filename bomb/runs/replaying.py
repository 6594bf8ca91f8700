"""An episode played again: the same world, and the actions that were executed in it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bomb.rollouts.rollout import EpisodeResult, SceneWatcher, play, replay
from bomb.runs.rows import Condition
from core.environment import Environment
from core.episode.record import EpisodeRecord
from core.errors import OptionError, StateError
from core.make import make_environment
from core.perturbations.base import split_name
from core.perturbations.conditions import ConditionSet
from core.perturbations.suite import TWIN
from core.policy import Policy
from core.rendering.sight import DECLARED, Sight
from core.seeding import PrivateSplit
from core.settings import APPEARANCE, EPISODE_OPTIONS, EnvironmentSettings

Perform = Callable[[Environment, SceneWatcher], EpisodeResult]

# Settings of a run that decide what happens in an episode; what the policy saw does not.
_SETTINGS = tuple(name for name in EPISODE_OPTIONS if name not in ("split", *APPEARANCE))


def recorded_settings(
    settings: Mapping[str, Any],
    condition: Condition,
    record: EpisodeRecord,
    camera: str | None,
    private: PrivateSplit | None = None,
) -> EnvironmentSettings:
    """The world of a recorded episode, seen by one camera.

    Perturbations are those that were drawn then, out of the record: another version, with other ranges, makes
    the same world. Knobs of other cameras change nothing that ``camera`` sees and are left out.

    Args:
        settings: of the run, as its store has them.
        condition: of the episode; another simulator than its own may be put into the result.
        record: the episode.
        camera: that is going to look, if any.
        private: the split with its salt, of a run of the private split.

    Raises:
        OptionError: for a run of the private split without its salt, or with another one.
    """
    about = record.about
    if private is not None and private.salt_sha256 != settings.get("salt_sha256"):
        raise OptionError(
            f"the salt has the SHA-256 {private.salt_sha256}, the run was drawn from "
            f"{settings.get('salt_sha256') or 'none'}"
        )
    levels = {
        name: level for name, level in condition.levels.items() if split_name(name)[1] in (None, camera)
    }
    perturbations = None
    if levels:
        draws = {name: draw for name, draw in about["perturbation"].items() if name != TWIN}
        drawn = {"split": about["split"], "seed": about["seed"], "goal": about["goal"], "draws": draws}
        perturbations = ConditionSet(task=condition.task, levels=levels, episodes=(drawn,))
    return EnvironmentSettings(
        condition.task,
        backend=condition.backend,
        split=private or about["split"],
        cameras=() if camera is None else (camera,),
        perturbations=perturbations,
        **{name: settings[name] for name in _SETTINGS if name in settings},
    )


def played(policy: Policy, seed: int) -> Perform:
    """What plays a policy, as ``perform(env, watch)``, whatever pictures ``env`` makes.

    A policy that looks at something plays first in an environment of its own, which differs only in what it
    shows; then the recorded actions are played in ``env``.
    """
    return partial(_played, policy, seed)


def _played(policy: Policy, seed: int, env: Environment, watch: SceneWatcher) -> EpisodeResult:
    sight = Sight.of(policy).seen(privileged=policy.privileged)
    if sight.cameras == ():
        return play(env, policy, seed, watch)
    shown = {name: getattr(sight, name) for name in DECLARED}
    with make_environment(replace(env.settings, **shown)) as own:
        record = play(own, policy, seed).record
    return _again(record, env, watch)


def again(record: EpisodeRecord) -> Perform:
    """What plays the recorded actions, as ``perform(env, watch)``."""
    return partial(_again, record)


def _again(record: EpisodeRecord, env: Environment, watch: SceneWatcher) -> EpisodeResult:
    result = replay(env, record.about["seed"], record.actions, watch)
    if result.record.about["goal"] != record.about["goal"]:
        raise StateError(
            f"seed {record.about['seed']} had the goal {record.about['goal']} when it was recorded, and has "
            f"{result.record.about['goal']} now: another version of the task wrote it"
        )
    return result
