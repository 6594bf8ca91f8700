"""OpenVLA keeps the laws of all models; what it answers depends on what it is asked."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bomb.models.openvla.family import PROMPTS, STOP, OpenVLA
from bomb.models.testing import tiny, toy_actions, toy_requests
from bomb.models.tokens import forced, token_scores
from core.errors import ConventionError, OptionError, PolicyOutputError
from tests.models.conftest import close


def test_answers_depend_on_pictures_and_words():
    vla = tiny("openvla")
    request = toy_requests(vla.settings, 1)[0]
    black = replace(request, pictures={"head": np.zeros_like(request.pictures["head"])})
    other = replace(request, instruction=request.instruction.replace("2", "3"))
    with torch.no_grad():
        batch = vla.encode([request, black, other])
        reference = vla.decide(vla.encode([request]), seeds=[(0, 0)]).select([0, 0, 0])
        scores = vla.score(batch, reference).total
    assert abs(scores[1:] - scores[0]).min() > 1e-2


@torch.no_grad()
def test_hiding_words_is_leaving_them_out_with_the_others_in_place():
    vla = tiny("openvla")
    request = toy_requests(vla.settings, 1)[0]
    batch = vla.encode([request])
    start = request.instruction.index("row 1")
    places = batch.layouts[0].words(start, start + 5)
    hide = torch.zeros_like(batch.attention_mask)
    hide[0, torch.from_numpy(places)] = True
    reference = vla.decide(batch, seeds=[(0, 0)])
    hidden_score = vla.score(batch.hide(hide), reference).total
    kept = ~hide[0]
    embeddings = vla.embed(batch)[:, kept]
    shorter = replace(
        batch, attention_mask=batch.attention_mask[:, kept], position_ids=batch.position_ids[:, kept]
    )
    logits = forced(vla.network, embeddings, shorter, reference.raw["tokens"])
    left_out = token_scores(logits, reference.raw["tokens"], 1, vla.codec.groups).total
    close(hidden_score, left_out, 1e-5)
    assert abs(hidden_score - vla.score(batch, reference).total).item() > 1e-3


def test_samples_are_drawn_from_seed_step_and_sample_alone():
    vla = tiny("openvla", options={"temperature": 3.0})
    batch = vla.encode(toy_requests(vla.settings, 2))
    found = vla.act(batch, seeds=[(1, 0), (2, 0)], samples=4)
    again = vla.act(batch.select([1]), seeds=[(2, 0)], samples=4)
    close(found[1:], again, 0)
    close(found[:, :1], vla.act(batch, seeds=[(1, 0), (2, 0)]), 0)
    assert len(np.unique(found[0, :, 0, :3], axis=0)) > 1
    assert abs(vla.act(batch, seeds=[(1, 5), (2, 5)], samples=4)[:, 1:] - found[:, 1:]).max() > 0


def test_numbers_that_are_not_finite_are_an_error_of_the_policy():
    vla = tiny("openvla")
    vla.network.language_model.lm_head.weight.data[0, 0] = np.nan
    with pytest.raises(PolicyOutputError, match="not finite"):
        vla.act(vla.encode(toy_requests(vla.settings, 1)), seeds=[(0, 0)])


def test_questions_that_do_not_fit_are_refused():
    vla = tiny("openvla")
    request = toy_requests(vla.settings, 1)[0]
    with pytest.raises(ConventionError, match="lacks head"):
        vla.encode([replace(request, pictures={})])
    with pytest.raises(ConventionError, match="64 x 64 pixels, head has uint8 of 32 x 32"):
        vla.encode([replace(request, pictures={"head": np.zeros((32, 32, 3), np.uint8)})])
    with pytest.raises(ConventionError, match="float64"):
        vla.encode([replace(request, pictures={"head": np.zeros((64, 64, 3))})])
    with pytest.raises(OptionError, match="at least one request"):
        vla.encode([])
    with pytest.raises(OptionError, match=r"actions must have shape \(1, 1, 4\)"):
        vla.encode([request], np.zeros((1, 4)))
    with pytest.raises(OptionError, match="finite"):
        vla.encode([request], np.full((1, 1, 4), np.nan))
    with pytest.raises(OptionError, match="has no actions"):
        vla.loss(vla.encode([request]))
    batch = vla.encode([request], toy_actions(vla.settings, 1))
    with pytest.raises(LookupError, match="unknown group"):
        vla.loss(batch, weights={"yaw": 1.0})
    with pytest.raises(OptionError, match="must be bool"):
        batch.hide(torch.zeros(1, 3, dtype=torch.bool))
    with pytest.raises(OptionError, match="no token"):
        batch.layouts[0].words(500, 501)
    with pytest.raises(LookupError, match="unknown part 'eyes'"):
        vla.freeze("eyes")


def test_prompts_are_openvlas():
    vla = tiny("openvla")
    tokens = vla.prompt("Put the black stone on row 1, column 2.")
    words = vla.tokenizer.convert_ids_to_tokens(tokens.ids.tolist())
    assert words[0] == "<s>" and words[-1] == "▁" and "out" in words
    text = "put the black stone on row 1, column 2."
    start, end = tokens.characters[words.index("black")]
    assert text[start:end] == "black"
    assert vla.options.space == vla.tokenizer.convert_tokens_to_ids("▁") and STOP == 2
    assert set(PROMPTS) == {"openvla", "vicuna"}
    assert isinstance(vla, OpenVLA)
