"""A VLA with words hidden acts as the model does whose attention columns are masked."""

import numpy as np
import pytest
import torch

from bomb.explanation.masked import Masked
from bomb.explanation.spans import spans_of
from bomb.models.checkpoint import Checkpoint
from bomb.models.policy import VLAHistoryPolicy, VLAPolicy
from bomb.models.requests import Request as Question
from core.policy import Request
from tests.explanation.conftest import model, question_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("vla") / "checkpoint"
    Checkpoint(vla=model("vlm4vla")).save(place)
    return place


def test_the_attention_is_masked_at_fixed_positions(folder):
    question = question_of(model("vlm4vla"))
    request = Request(observation=question.observation, seed=question.seed, step=question.step)
    policy = Masked.around(VLAPolicy(str(folder), device="cpu"), span="row")
    assert policy.describe()["masked"] == {"span": "row", "words": "attention"}
    vla = policy.inside.vla
    batch = vla.encode([Question.from_observation(request.observation)])
    span = spans_of(question.observation["instruction"])["row"]
    hidden = torch.zeros_like(batch.attention_mask)
    hidden[0, torch.from_numpy(batch.layouts[0].words(span.start, span.end))] = True
    with torch.inference_mode():
        wanted = vla.act(batch.hide(hidden), seeds=[(question.seed, question.step)])[0, 0]
        clean = vla.act(batch, seeds=[(question.seed, question.step)])[0, 0]
    (found,) = policy.infer([request])
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert np.abs(found - clean).max() > 1e-6
    left_out = Masked.around(VLAPolicy(str(folder), device="cpu"), span="row", words="text")
    assert np.abs(left_out.infer([request])[0] - found).max() > 1e-7


def test_a_model_that_remembers_is_masked_too(tmp_path):
    Checkpoint(vla=model("robovlms/interleaved", 2)).save(tmp_path / "one")
    observation = question_of(model("vlm4vla")).observation
    chunks = []
    for span in (None, "color"):
        policy = VLAHistoryPolicy(str(tmp_path / "one"), device="cpu")
        if span:
            policy = Masked.around(policy, span=span)
        policy.reset(observation["instruction"], 3)
        chunks.append([policy.act(observation, step=step) for step in (0, 1)])
    assert all(np.abs(a - b).max() > 1e-7 for a, b in zip(*chunks, strict=True))
