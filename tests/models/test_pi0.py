"""pi0 under the contract: openpi's numbers and key names at toy size, transformers' own pass, the laws."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from bomb.disk.files import FileError
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.normalising import Normalisation
from bomb.models.pi0.family import Pi0
from bomb.models.pictures import resize_with_pad
from bomb.models.sequences import Patches, assemble
from bomb.models.testing import check_vla, tiny, toy_actions, toy_requests, toy_settings, toy_statistics
from bomb.models.vla import Batch
from bomb.models.words import Tokens, small_tokenizer
from core.errors import OptionError
from tests.models.conftest import close

CAMERAS = ("base", "left", "right")


@pytest.fixture(scope="module")
def given(reference) -> dict:
    return reference.arrays("pi0_openpi")


@pytest.fixture(scope="module")
def public(reference, tmp_path_factory) -> Pi0:
    """openpi's weights, read by ``from_pretrained`` under openpi's names."""
    from transformers import PI0Config, PI0ForConditionalGeneration

    about, folder = reference.json("pi0_openpi_config"), tmp_path_factory.mktemp("openpi")

    def gemma(sizes: dict) -> dict:
        return {"model_type": "gemma", "hidden_size": sizes["width"], "intermediate_size": sizes["mlp_dim"],
                "num_hidden_layers": sizes["depth"], "num_attention_heads": sizes["num_heads"],
                "num_key_value_heads": sizes["num_kv_heads"], "head_dim": sizes["head_dim"],
                "vocab_size": about["vocab_size"]}  # fmt: skip

    PI0Config(
        vlm_config={"model_type": "paligemma", "text_config": gemma(about["vlm"]), "image_token_id": 299,
                    "vision_config": {"model_type": "siglip_vision_model", "vision_use_head": False,
                                      **about["vision"]},
                    "hidden_size": about["vlm"]["width"], "projection_dim": about["projection_dim"]},
        dit_config=gemma(about["expert"]), chunk_size=about["action_horizon"],
        max_state_dim=about["action_dim"], max_action_dim=about["action_dim"],
    ).save_pretrained(folder)  # fmt: skip
    shutil.copy(reference.weights("pi0_openpi"), folder / "model.safetensors")
    network, found = PI0ForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    assert not found["missing_keys"] and not found["unexpected_keys"]
    settings = toy_settings("pi0", chunk=5, normalisation=Normalisation(kind="z"))
    tokenizer = small_tokenizer([], size=299, begin=None)
    return Pi0(settings, toy_statistics(), network.eval(), tokenizer).eval()


@pytest.fixture(scope="module")
def batch(given) -> Batch:
    """The reference's question: three pictures, some of which are not there, words padded on the right."""
    samples = [
        [*(Patches(camera=name, rows=4, cols=4) for name in CAMERAS), Tokens.of(*row.tolist())]
        for row in given["prompt"]
    ]
    made = assemble(samples, pad=0)
    there = [np.repeat(given[f"mask_{name}"][:, None], 16, axis=1) for name in CAMERAS]
    mask = torch.from_numpy(np.concatenate([*there, given["prompt_mask"]], axis=1))
    pixels = np.stack([given[f"image_{name}"] for name in CAMERAS], axis=1).astype(np.float32)
    return Batch(
        inputs={
            **made.inputs,
            "pixels": torch.from_numpy(pixels),
            "states": torch.from_numpy(given["state"]),
        },
        attention_mask=mask,
        position_ids=torch.from_numpy(given["position_ids"][:, : mask.shape[1]]),
        layouts=made.layouts,
    )


@torch.no_grad()
def test_velocity_loss_and_actions_are_openpis(public, batch, given):
    noise, times, actions = (torch.from_numpy(given[name]) for name in ("noise", "time", "actions"))
    cache = public.read(batch)
    close(public.prefix.embed(batch), given["prefix_embs"], 2e-5)
    close(public.velocity(batch, cache, torch.from_numpy(given["x_t"]), times), given["velocity"], 1e-4)
    errors = public.errors(batch, cache, actions[..., :4], noise, times)
    whole = given["loss_elementwise"][..., :4]
    close(errors, whole, 1e-3, 1e-3)
    close(errors.mean(), given["loss_mean_first4"], 1e-4, 1e-4)
    public.options = replace(public.options, steps=10)
    close(public.flow(batch, cache, noise), given["sampled_actions"][..., :4], 3e-4)


@torch.no_grad()
def test_transformers_own_pass_agrees():
    vla = tiny("pi0", chunk=5)
    batch = vla.encode(toy_requests(vla.settings, 1))
    image = vla.network.config.vlm_config.image_token_id
    ids = torch.cat([torch.full((1, 16), image), batch.inputs["ids"]], dim=1)
    noise = torch.randn(1, *vla.shape, generator=torch.Generator().manual_seed(0))
    theirs = vla.network.sample_actions(
        state=batch.inputs["states"], input_ids=ids, pixel_values=batch.inputs["pixels"], noise=noise,
        attention_mask=torch.ones_like(ids), pixel_attention_mask=torch.ones(1, 1, dtype=torch.bool),
        num_steps=vla.options.steps,
    )  # fmt: skip
    close(vla.flow(batch, vla.read(batch), noise), theirs[..., :4], 1e-4)


def test_pictures_are_padded_as_openpis(reference):
    found = reference.arrays("pi0_resize_with_pad")
    away = abs(resize_with_pad(found["image"][0], 56).astype(int) - found["out_u8"])
    assert away.max() <= 1


def test_the_laws(tmp_path):
    check_vla(tiny("pi0", chunk=5, cameras=("head", "wrist")), tmp_path)


@torch.no_grad()
def test_samples_are_different_and_depend_on_seed_step_and_sample_alone():
    vla = tiny("pi0", chunk=3)
    batch = vla.encode(toy_requests(vla.settings, 2))
    found = vla.act(batch, seeds=[(1, 0), (2, 0)], samples=3)
    assert abs(np.diff(found, axis=1)).max() > 1e-2
    close(vla.act(batch.select([1]), seeds=[(2, 0)], samples=3), found[1:], 1e-5)
    assert abs(vla.act(batch, seeds=[(1, 5), (2, 5)], samples=3) - found).max() > 1e-2


@torch.no_grad()
def test_hiding_words_moves_nothing_else():
    vla = tiny("pi0", chunk=3)
    request = toy_requests(vla.settings, 1)[0]
    batch = vla.encode([request])
    reference = vla.decide(batch, seeds=[(0, 0)])
    clean = vla.score(batch, reference)
    close(clean.total, torch.zeros(1), 1e-6)
    hide = torch.zeros_like(batch.attention_mask)
    hide[0, torch.from_numpy(batch.layouts[0].words(0, 9))] = True
    masked = vla.score(batch.hide(hide), reference)
    assert masked.total < -1e-3 and (masked.others["flow_loss"] != clean.others["flow_loss"]).all()


def test_padded_numbers_do_not_count():
    vla = tiny("pi0", chunk=3)
    requests = toy_requests(vla.settings, 2)
    losses = vla.loss(vla.encode(requests, toy_actions(vla.settings, 2)), seeds=[(0, 0), (1, 0)])
    losses.total.backward()
    rows = vla.network.action_out_proj.weight.grad.abs().sum(1)
    assert (rows[:4] > 0).all() and not rows[4:].any()


def test_what_does_not_fit_is_refused(tmp_path):
    vla = tiny("pi0", chunk=3)
    with pytest.raises(OptionError, match="chunk is 4, the model makes 3"):
        Pi0(replace(vla.settings, chunk=4), vla.statistics, vla.network, vla.tokenizer)
    with pytest.raises(OptionError, match="no entry 'proprio'"):
        Pi0(vla.settings, replace(vla.statistics, proprio=None), vla.network, vla.tokenizer)
    Checkpoint(vla=vla).save(tmp_path / "good")
    file = tmp_path / "good" / "bomb.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "options": {"steps": 0}}))
    with pytest.raises(FileError, match="steps must be a positive integer"):
        Checkpoint.load(tmp_path / "good", device="cpu")
