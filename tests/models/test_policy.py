"""VLAs as policies: `--policy "vla(checkpoint='DIR')"` in both simulators, and what is refused."""

import json
from collections import Counter

import numpy as np
import pytest

from bomb.cli import main
from bomb.evaluation.runner import evaluate
from bomb.evaluation.settings import EvaluationSettings, ExecutionSettings
from bomb.models.checkpoint import Checkpoint
from bomb.models.registry import FAMILIES
from bomb.models.testing import tiny
from bomb.policies.making import make_policy, policy_class
from core.errors import ConventionError, OptionError
from core.policy import Request
from tests.conftest import BACKENDS

STEPS = 3


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """A folder with a tiny random checkpoint of a family, written once."""
    written = {}

    def folder(family: str):
        if family not in written:
            written[family] = tmp_path_factory.mktemp("checkpoints") / family.replace("/", "-")
            Checkpoint(vla=tiny(family)).save(written[family])
        return written[family]

    return folder


@pytest.mark.render
def test_every_family_acts_in_both_simulators_through_evaluate(tmp_path):
    """One run, one process with torch: each seed is another family's. SpatialVLA's twin sees true depth."""
    folder, asked = tmp_path / "checkpoints", tmp_path / "asked.txt"
    # One that remembers has a policy of its own, which tests/models/test_small.py plays.
    families = [name for name in FAMILIES.names() if not FAMILIES.load(name).recurrent]
    for k, family in enumerate(families):
        options = {"options": {"depth": "true"}} if family == "spatialvla" else {}
        Checkpoint(vla=tiny(family, **options)).save(folder / f"{k:02d}")
    policy = f"tests.models.every_family:EveryFamily(folder={str(folder)!r}, asked={str(asked)!r})"
    settings = EvaluationSettings(
        policy=policy, backends=tuple(BACKENDS), episodes=len(families), split="ci", max_steps=STEPS
    )
    result = evaluate(settings, execution=ExecutionSettings(workers=1))
    assert result["errors_in_all"] == 0 and result["complete"]
    assert [entry["n"] for entry in result["conditions"]] == [len(families)] * len(BACKENDS)
    answers = Counter(asked.read_text().split())
    assert answers == dict.fromkeys(families, len(BACKENDS) * STEPS)


@pytest.mark.render
def test_bomb_evaluate_plays_one(checkpoints, tmp_path):
    policy = f"vla(checkpoint={str(checkpoints('openvla'))!r}, threads=1)"
    words = f"evaluate --backend {','.join(BACKENDS)} --episodes 1 --workers 1 --max-steps {STEPS}"
    words = [*f"{words} --image-size 64 --split ci --policy".split(), policy]
    assert main([*words, "--json", str(tmp_path / "result.json")]) == 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert [(c["backend"], c["n"]) for c in result["conditions"]] == [(name, 1) for name in BACKENDS]
    assert result["errors_in_all"] == 0


def test_requests_beyond_a_batch_are_answered_in_parts(checkpoints):
    folder = str(checkpoints("openvla"))
    draw = np.random.default_rng(0)
    requests = [
        Request(
            observation={
                "images": {"head": draw.integers(0, 256, (64, 64, 3), dtype=np.uint8)},
                "state": np.zeros(4, np.float32),
                "instruction": "Put the black stone on row 1, column 2.",
            },
            seed=k,
            step=0,
        )
        for k in range(5)
    ]
    whole, parts = (make_policy(f"vla(checkpoint={folder!r}, batch={n})") for n in (5, 2))
    np.testing.assert_allclose(whole.infer(requests), parts.infer(requests), atol=1e-5)
    lacking = Request(observation={**requests[0].observation, "images": {}}, seed=0, step=0)
    with pytest.raises(ConventionError, match="lacks head"):
        whole.infer([lacking])


def test_options_are_checked(checkpoints):
    folder = str(checkpoints("openvla"))
    for words, message in (("batch=0", "batch"), ("threads=0", "threads"), ("dtype='int8'", "unknown dtype")):
        with pytest.raises((OptionError, LookupError), match=message):
            make_policy(f"vla(checkpoint={folder!r}, {words})")
    assert not policy_class("vla").privileged


def test_a_closed_policy_says_so(checkpoints):
    policy = make_policy(f"vla(checkpoint={str(checkpoints('openvla'))!r}, threads=1)")
    policy.close()
    policy.close()
    with pytest.raises(ConventionError, match="closed"):
        policy.vla.count()
    with pytest.raises(ConventionError, match="closed"):
        policy.describe()
