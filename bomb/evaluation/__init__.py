"""Evaluation: policies on a matrix of tasks, perturbations and simulators, kept so that nothing is lost.

``settings`` says what is evaluated, ``matrix`` makes conditions of it, ``runner`` plays them with the help of
an ``executor`` and writes what comes back to the ``store``. docs/evaluation.md explains runs to their users.
"""

from bomb.evaluation.runner import evaluate
from bomb.evaluation.settings import EvaluationSettings, ExecutionSettings

__all__ = ["EvaluationSettings", "ExecutionSettings", "evaluate"]
