"""BOMB, the BOard Manipulation Benchmark: one board, two simulators, one checker.

``core`` has the environment, ``bomb`` what stands on top of it. The public names of both are here, and
importing this module registers ``bomb/PlaceStone-v0`` with gymnasium.
"""

from importlib import import_module
from typing import Any

import core
from bomb.rollouts.gymnasium_plugin import register

# Public names of the harness and the modules they live in; imported on first use.
PUBLIC = {
    "Estimate": "bomb.statistics",
    "EpisodeResult": "bomb.rollouts.rollout",
    "ExecutionSettings": "bomb.evaluation",
    "RunStore": "bomb.runs.store",
    "EvaluationSettings": "bomb.evaluation",
    "evaluate": "bomb.evaluation",
    "list_policies": "bomb.policies.registry",
    "make_policy": "bomb.policies.making",
    "make_vec": "bomb.rollouts.vector",
    "play": "bomb.rollouts.rollout",
    "register_policy": "bomb.policies.registry",
    "register_policy_scheme": "bomb.policies.registry",
    "rescore": "bomb.runs.rescoring",
}

__all__ = sorted({*PUBLIC, *core.__all__})

register()


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        value = getattr(import_module(PUBLIC[name]), name)
    elif name in core.__all__:
        value = getattr(core, name)
    else:
        raise AttributeError(f"module 'bomb' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
