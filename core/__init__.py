"""BOMB's simulator-neutral API. ``import core; core.make_task("place_stone", backend="mujoco")``."""

from importlib import import_module
from typing import Any

# Public names and the rooms they live in; imported on first use, so that ``import core`` is quick.
PUBLIC = {
    "ActionError": "core.errors",
    "ActionSpec": "core.control.actions",
    "Actuation": "core.perturbations.base",
    "Backend": "core.backend",
    "BatchPolicy": "core.policy",
    "Board": "core.board.boards",
    "BoardSpec": "core.world.scene",
    "BombError": "core.errors",
    "CAMERAS": "core.world.stage",
    "COLOR": "core.language.sentences",
    "COLORS": "core.board.boards",
    "COLOR_NAMES": "core.board.boards",
    "CameraImage": "core.backend",
    "CameraPerturbation": "core.perturbations.base",
    "CameraSpec": "core.world.scene",
    "Capability": "core.backend",
    "CapabilityError": "core.errors",
    "Cell": "core.board.boards",
    "ContactForce": "core.backend",
    "Environment": "core.environment",
    "EnvironmentSettings": "core.settings",
    "Episode": "core.task",
    "EpisodeInitializationError": "core.errors",
    "EpisodeJudge": "core.judge.checker",
    "EpisodeRecord": "core.episode.record",
    "Goal": "core.board.goals",
    "Instruction": "core.task",
    "InstructionError": "core.errors",
    "Intersection": "core.board.goals",
    "Level": "core.perturbations.base",
    "LifecycleError": "core.errors",
    "LightSpec": "core.world.scene",
    "MarkSpec": "core.world.scene",
    "MaterialSpec": "core.world.scene",
    "Move": "core.task",
    "ObjectSpec": "core.world.scene",
    "OptionError": "core.errors",
    "Pattern": "core.board.goals",
    "Perturbation": "core.perturbations.base",
    "Phrasing": "core.language.sentences",
    "PhysicsSpec": "core.world.scene",
    "PlacementChecker": "core.judge.checker",
    "Policy": "core.policy",
    "PolicyConnectionError": "core.errors",
    "PolicyError": "core.errors",
    "PolicyTimeoutError": "core.errors",
    "Pose": "core.world.rotations",
    "Region": "core.board.goals",
    "RegistrationError": "core.errors",
    "RenderError": "core.errors",
    "Request": "core.policy",
    "RobotSpec": "core.world.scene",
    "SPLITS": "core.seeding",
    "SceneSpec": "core.world.scene",
    "SceneState": "core.world.state",
    "SegmentationId": "core.world.scene",
    "Sight": "core.rendering.sight",
    "Span": "core.task",
    "StateError": "core.errors",
    "StoneSpec": "core.world.scene",
    "TRAY": "core.world.stage",
    "TableSpec": "core.world.scene",
    "Task": "core.task",
    "TextureSpec": "core.world.scene",
    "Tolerances": "core.judge.checker",
    "Touches": "core.perturbations.base",
    "UnknownNameError": "core.errors",
    "Verdict": "core.judge.checker",
    "Wording": "core.task",
    "board_after": "core.board.goals",
    "board_of": "core.board.layout",
    "clean_scene": "core.world.stage",
    "empty_board": "core.board.boards",
    "lay_out": "core.board.layout",
    "list_backends": "core.registry",
    "list_perturbations": "core.perturbations",
    "list_tasks": "core.registry",
    "load_backend": "core.registry",
    "make_environment": "core.make",
    "make_task": "core.make",
    "quaternion_about_z": "core.world.rotations",
    "read_back": "core.language.sentences",
    "read_cells": "core.language.sentences",
    "register_backend": "core.registry",
    "register_perturbation": "core.perturbations",
    "register_task": "core.registry",
    "reword_cells": "core.language.sentences",
    "say": "core.language.sentences",
    "say_cells": "core.language.sentences",
    "stream": "core.seeding",
    "with_cell": "core.board.boards",
}

__all__ = sorted(PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'core' has no attribute {name!r}")
    value = getattr(import_module(PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
