"""Short runs of scripted policies."""

import pytest

from bomb.evaluation import EvaluationSettings, ExecutionSettings, evaluate
from bomb.runs.store import RunStore
from tests.conftest import BACKENDS
from tests.evaluation.policies import HERE

ONE = BACKENDS[0]


def settings(policy: str = "hold", **changes) -> EvaluationSettings:
    """Three steps an episode in one engine; a capital letter begins a policy of these tests."""
    values = {
        "policy": f"{HERE}:{policy}" if policy[0].isupper() else policy,
        "backends": (ONE,),
        "episodes": 3,
        "max_steps": 3,
        "split": "ci",
        "cameras": (),
    }
    return EvaluationSettings(**{**values, **changes})


@pytest.fixture
def run(tmp_path):
    """Evaluates into ``tmp_path / "run"``; returns the result and the store, opened for reading."""
    opened = []

    def evaluate_into(asked: EvaluationSettings, **execution):
        execution = ExecutionSettings(**{"workers": 1, "retries": 0, **execution})
        result = evaluate(asked, tmp_path / "run", execution=execution)
        opened.append(RunStore.open(tmp_path / "run"))
        return result, opened[-1]

    yield evaluate_into
    for store in opened:
        store.close()
