"""pi0-FAST: public words, whose numbers they tell, files of lerobot, tokens that are fitted to data."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from bomb.disk.files import FileError, read_json, write_json
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.fast import Fast
from bomb.models.pi0_fast.family import FOLDER, Pi0Fast, any_chunks, held
from bomb.models.pi0_fast.prefix import Pi0FastPrefix, ours, public
from bomb.models.pi0_fast.words import FastWords
from bomb.models.testing import tiny, toy_actions, toy_requests, toy_settings
from bomb.models.weights import load_weights, save_weights, weight_files
from core.errors import OptionError
from tests.models.conftest import close

SAYABLE = [k for k in range(17) if k not in (12, 16)]  # see test_fast.py


class Gemma:
    """What of PaliGemma's tokenizer its words depend on: its length and two tokens."""

    unk_token_id, eos_token_id = 3, 1

    def __len__(self) -> int:
        return 257_152

    def __call__(self, text: str, **_: object) -> dict:
        return {"input_ids": {"|": [235_371], "Action: ": [4022, 235_292, 235_248]}[text]}


@pytest.fixture(scope="module")
def vla() -> Pi0Fast:
    return tiny("pi0-fast", chunk=5)


def test_words_are_the_public_ones(reference):
    given, about = reference.arrays("fast_tokenizer"), reference.json("fast_tokenizer_config")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(reference.weights("x").parent / "fast_bpe_tokenizer.json"))
    fast = Fast(tokenizer=tokenizer, least=about["min_token"], chunk=10, dims=4, scale=about["scale"])
    words = FastWords(fast=fast, tokenizer=Gemma(), skip=128)
    made = words.encode(given["test_chunks"])
    for k in SAYABLE:
        wanted = given["paligemma_ids"][k][given["ids"][k] >= 0]
        assert made[k] == [4022, 235_292, 235_248, *wanted, 235_371, 1]
    whole = np.full((17, max(map(len, made))), 1)
    for k, row in enumerate(made):
        whole[k, : len(row)] = row
    close(words.decode(whole)[SAYABLE], given["decoded"][SAYABLE], 1e-12)


def test_shares_are_of_the_characters_of_a_word(vla):
    words, chunks = vla.answers, np.random.default_rng(2).uniform(-1, 1, (6, 5, 4))
    for row in words.encode(chunks):
        shares = words.shares(row)
        close(shares.sum(1), np.ones(len(row)), 1e-12)
        tokens = [k for k, word in enumerate(row) if 0 <= words.first - word < words.fast.size]
        told = [len(words.fast.tokenizer.decode([words.first - row[k]])) for k in tokens]
        assert sum(told) == 20  # here all characters are one byte
        at = np.cumsum([0, *told])
        for k, first, last in zip(tokens, at, at[1:], strict=False):
            close(shares[k] * (last - first), np.bincount(np.arange(first, last) % 4, minlength=4), 1e-12)


def test_the_loss_is_a_hand_formula(vla):
    requests, actions = toy_requests(vla.settings, 2), toy_actions(vla.settings, 2)
    found = vla.loss(vla.encode(requests, actions))
    by_hand = []
    for request, action in zip(requests, actions, strict=True):
        batch = vla.encode([request])
        row = torch.tensor(vla.answers.encode(vla.codec.normalise(action[None])))
        every = torch.cat([vla.backbone.embed(batch), vla.backbone.words(row)], 1)
        size, asked = every.shape[1], batch.attention_mask.shape[1]
        allowed = torch.tril(torch.ones(size, size, dtype=torch.bool))
        allowed[:asked, :asked] = True
        hidden = vla.backbone.hidden(
            every, torch.where(allowed, 0.0, -1e9)[None, None], torch.arange(size)[None]
        )
        logits = vla.backbone.logits(hidden[:, asked - 1 : -1])
        by_hand.append(functional.cross_entropy(logits[0], row[0]).item())
    close(found.samples, np.array(by_hand), 1e-4)
    close(found.total, np.mean(by_hand), 1e-4)


def test_answers_are_chunks_whatever_the_model_says(vla):
    """Random weights: every answer is action tokens up to one bar, and no longer than a chunk."""
    batch = vla.encode(toy_requests(vla.settings, 3))
    tokens = vla.decide(batch, seeds=[(0, 0)] * 3).raw["tokens"].numpy()
    words = vla.answers
    for row in tokens:
        (ends,) = np.nonzero(row == words.bar)
        made = words.first - row[: ends[0]]
        assert len(ends) and (row[ends[0] :] == words.bar).all() and (made >= 0).all()
        assert (made < words.fast.size).all() and words.starts[made[:-1]].sum() < 20
    with torch.no_grad():
        vla.backbone.model.lm_head.weight.data[words.bar] *= 0  # never likeliest
        tokens = vla.decide(batch, seeds=[(0, 0)] * 3).raw["tokens"]
        assert tokens.shape[1] <= words.most and bool((tokens[:, -1] == words.bar).all())


def test_what_does_not_count_is_held():
    actions = torch.arange(10.0).reshape(1, 5, 2).repeat(2, 1, 1)
    valid = torch.tensor([[True, True, False, True, False], [False] * 5])
    assert held(actions, valid)[..., 0].tolist() == [[0, 2, 2, 6, 6], [0] * 5]


def test_a_sample_of_which_nothing_counts_has_no_loss():
    vla = tiny("pi0-fast", chunk=3)
    requests, actions = toy_requests(vla.settings, 2), toy_actions(vla.settings, 2)
    valid = np.array([[True] * 3, [False] * 3])
    found = vla.loss(vla.encode(requests, actions, valid=valid)).samples
    assert found[0] > 0 and found[1] == 0


def test_names_and_numbers_of_the_public_model(tmp_path):
    """lerobot's names; PaliGemma's published number without the 64 words that pi0-FAST lacks."""
    with torch.device("meta"):
        model = Pi0FastPrefix.kind()(Pi0FastPrefix.full_config())
    assert sum(w.numel() for w in model.parameters()) == 2_923_466_480 - 64 * 2048
    names = [public(key) for key in model.state_dict()]
    assert [ours(key) for key in names] == list(model.state_dict())
    inside = "model.paligemma_with_expert.paligemma.model"
    assert f"{inside}.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight" in names
    assert f"{inside}.language_model.layers.17.mlp.down_proj.weight" in names
    one, other = (tiny("pi0-fast", seed=k).backbone.model for k in range(2))
    save_weights(one, tmp_path, rename=public)
    load_weights(other, weight_files(tmp_path), rename=ours)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    with pytest.raises(OptionError, match="no name for a Gemma of width 32"):
        Checkpoint(vla=tiny("pi0-fast", options={"layout": "lerobot"})).save(tmp_path / "tiny")
    write_json(tmp_path / "config.json", {"type": "pi0_fast", "paligemma_variant": "gemma_9b"})
    with pytest.raises(FileError, match="unknown paligemma_variant 'gemma_9b'"):
        Pi0FastPrefix.load(tmp_path)


def test_tokens_are_fitted_to_data(vla):
    """Slow moves take fewer words with tokens of their own, and all others can still be said."""
    fitted = tiny("pi0-fast", chunk=5)
    draw = np.random.default_rng(0)
    moves = np.repeat(draw.uniform(-0.9, 0.9, (300, 1, 4)), 5, axis=1)
    moves[..., 3] = np.round(np.abs(moves[..., 3]))
    fitted.adapt(moves.astype(np.float32))
    chunks = fitted.codec.normalise(moves)
    before, after = (sum(map(len, one.answers.encode(chunks))) for one in (vla, fitted))
    assert after < 0.8 * before
    wild = draw.uniform(-1, 1, (50, 5, 4))
    assert np.abs(fitted.quantise(wild) - wild).max() <= 0.5 / 10 * np.sqrt(5) + 1e-9
    with pytest.raises(OptionError, match="pi0 has no action tokens that are fitted"):
        tiny("pi0", chunk=5).adapt(moves.astype(np.float32))


def test_a_published_vlm_is_a_start(tmp_path, vla):
    vla.backbone.save(tmp_path)
    new = Pi0Fast.from_vlm(tmp_path, vla.settings, vla.statistics, dtype=torch.float32)
    close(new.answers.fast.decode(new.answers.fast.encode(np.zeros((1, 5, 4)))), np.zeros((1, 5, 4)), 1e-12)


def test_what_does_not_fit_is_refused(tmp_path, vla):
    settings = toy_settings("pi0-fast", chunk=5)
    with pytest.raises(OptionError, match="of chunks of 3 x 4, the model's are of 5 x 4"):
        Pi0Fast(settings, vla.statistics, vla.backbone, any_chunks(replace(settings, chunk=3), 160))
    with pytest.raises(OptionError, match="no entry 'proprio'"):
        Pi0Fast(settings, replace(vla.statistics, proprio=None), vla.backbone, vla.answers.fast)
    with pytest.raises(OptionError, match="do not fit into a vocabulary"):
        FastWords(fast=any_chunks(settings, 500), tokenizer=vla.backbone.tokenizer, skip=128)
    with pytest.raises(OptionError, match="pi0-fast has no options steps"):
        tiny("pi0-fast", options={"steps": 3})
    Checkpoint(vla=vla).save(tmp_path / "good")
    about = tmp_path / "good" / FOLDER / "processor_config.json"
    write_json(about, {**read_json(about), "time_horizon": 7})
    with pytest.raises(FileError, match="time_horizon 7, the model has 5"):
        Checkpoint.load(tmp_path / "good", device="cpu")
