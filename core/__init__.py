"""BOMB's simulator-neutral API. ``import core; core.make_task("place_stone", backend="mujoco")``."""

from importlib import import_module

# Public names and the rooms they live in; imported on first use, so that ``import core`` is quick.
_PUBLIC = {
    "ActionError": "core.errors",
    "ActionSpec": "core.control.actions",
    "Backend": "core.backend",
    "BombError": "core.errors",
    "CameraImage": "core.backend",
    "CapabilityError": "core.errors",
    "Capability": "core.backend",
    "Environment": "core.environment",
    "EnvironmentSettings": "core.settings",
    "Episode": "core.task",
    "EpisodeInitializationError": "core.errors",
    "EpisodeJudge": "core.judge.checker",
    "EpisodeRecord": "core.episode.record",
    "Instruction": "core.task",
    "Intersection": "core.board.goals",
    "LifecycleError": "core.errors",
    "Move": "core.task",
    "OptionError": "core.errors",
    "Pattern": "core.board.goals",
    "PlacementChecker": "core.judge.checker",
    "Policy": "core.policy",
    "Region": "core.board.goals",
    "RegistrationError": "core.errors",
    "RenderError": "core.errors",
    "SceneSpec": "core.world.scene",
    "SceneState": "core.world.state",
    "SegmentationId": "core.world.scene",
    "StateError": "core.errors",
    "Task": "core.task",
    "Tolerances": "core.judge.checker",
    "UnknownNameError": "core.errors",
    "Verdict": "core.judge.checker",
    "list_backends": "core.registry",
    "list_tasks": "core.registry",
    "make_environment": "core.make",
    "make_task": "core.make",
    "register_backend": "core.registry",
    "register_task": "core.registry",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'core' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
