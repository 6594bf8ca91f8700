"""pi0 under the contract: openpi's numbers and key names at toy size, transformers' own pass, the laws."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bomb.disk.files import FileError, write_json
from bomb.models.backbones.paligemma import TINY_TEXT, TINY_VISION
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.normalising import Normalisation
from bomb.models.lora import LoRA, add_lora
from bomb.models.pi0.config import GEMMA, HEADS, config_values, read_config, sized
from bomb.models.pi0.family import Pi0
from bomb.models.pi0.names import ours
from bomb.models.pi0.names import public as public_name
from bomb.models.pi0.pi05 import Pi05
from bomb.models.pi0.prefix import Pi0Prefix
from bomb.models.pictures import resize_with_pad
from bomb.models.sequences import Patches, assemble
from bomb.models.testing import tiny, toy_actions, toy_requests, toy_settings, toy_statistics
from bomb.models.vla import Batch
from bomb.models.words import Tokens, small_tokenizer
from bomb.training.learner import checkpoint_layers
from core.errors import OptionError
from tests.models.conftest import close

CAMERAS = ("base", "left", "right")


FAMILY = {"pi0": Pi0, "pi05": Pi05}


@pytest.fixture(scope="module", params=FAMILY)
def family(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def given(reference, family) -> dict:
    return reference.arrays(f"{family}_openpi")


@pytest.fixture(scope="module")
def public(reference, family, tmp_path_factory) -> Pi0:
    """openpi's weights, read under openpi's names."""
    about, folder = reference.json(f"{family}_openpi_config"), tmp_path_factory.mktemp("openpi")

    def gemma(sizes: dict) -> dict:
        return {"hidden_size": sizes["width"], "intermediate_size": sizes["mlp_dim"],
                "num_hidden_layers": sizes["depth"], "num_attention_heads": sizes["num_heads"],
                "num_key_value_heads": sizes["num_kv_heads"], "head_dim": sizes["head_dim"]}  # fmt: skip

    config = sized(
        {"vision_use_head": False, **about["vision"]}, gemma(about["vlm"]), gemma(about["expert"]),
        about["vocab_size"], chunk_size=about["action_horizon"], max_state_dim=about["action_dim"],
        max_action_dim=about["action_dim"],
    )  # fmt: skip
    write_json(folder / "config.json", config_values(config, family, "transformers"))
    shutil.copy(reference.weights(f"{family}_openpi"), folder / "model.safetensors")
    small_tokenizer([], special=Pi0Prefix.special, size=299, begin=None).save_pretrained(folder)
    stored.write(folder, {"bomb": toy_statistics()})
    settings = toy_settings(family, chunk=5, normalisation=Normalisation(kind="z"))
    return FAMILY[family].load(folder, settings, dtype=torch.float32).eval()


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


def test_gradients_are_openpis(public, batch, given, reference, family):
    """Of openpi's loss, the mean over padded numbers, too; the same parameters have none."""
    found = reference.arrays(f"{family}_openpi_grads")
    noise, times, actions = (torch.from_numpy(given[name]) for name in ("noise", "time", "actions"))
    public.zero_grad(set_to_none=True)
    made = public.velocity(batch, public.read(batch), torch.from_numpy(given["x_t"]), times)
    (made - (noise - actions)).square().mean().backward()
    gradients = {name: weight.grad for name, weight in public.network.named_parameters()}
    public.zero_grad(set_to_none=True)
    here = {name: ours(name, family == "pi0") for name in found if name not in ("grad_norm", "no_grad_names")}
    for name, key in here.items():
        close(gradients[key], found[name], 1e-4 * abs(found[name]).max())
    learned = [gradient for gradient in gradients.values() if gradient is not None]
    norm = torch.stack([gradient.norm() for gradient in learned]).norm()
    assert norm.item() == pytest.approx(float(found["grad_norm"]), rel=1e-4)
    still = {name for name, gradient in gradients.items() if gradient is None or not gradient.any()}
    # The last queries of the question are made and never looked with: zero there, not made here.
    unused = "model.vlm.language_model.layers.2.self_attn.q_proj.weight"
    assert still == {unused, *(ours(name, family == "pi0") for name in found["no_grad_names"].tolist())}


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


@pytest.mark.parametrize("layout", ["openpi", "lerobot"])
def test_names_go_both_ways(family, public, reference, layout):
    """Every key of openpi's file is written under its own name, and lerobot's with one word more."""
    written = {public_name(key, layout) for key in public.network.state_dict()}
    in_file = set(load_file(reference.weights(f"{family}_openpi")))
    if layout == "lerobot":
        in_file = {f"model.{key}" for key in in_file}
    # The head is tied to the embeddings, and files may have either name or both.
    in_file = {
        key for key in in_file if not key.endswith("paligemma.model.language_model.embed_tokens.weight")
    }
    assert written == in_file
    embedded = family == "pi0"
    assert {ours(key, embedded) for key in written} == public.network.state_dict().keys()


@pytest.mark.parametrize("layout", ["openpi", "lerobot"])
def test_configurations_go_both_ways(family, tmp_path, layout):
    sizes = [{**GEMMA[name], **HEADS} for name in ("gemma_2b", "gemma_300m")]
    config = sized({"image_size": 224}, *sizes, 257152, chunk_size=7)
    write_json(tmp_path / "config.json", config_values(config, family, layout))
    again = read_config(tmp_path)
    assert again.chunk_size == 7
    assert again.dit_config.hidden_size == 1024 and again.vlm_config.text_config.hidden_size == 2048
    with pytest.raises(OptionError, match="no name for a Gemma of width 64"):
        config_values(tiny(family).network.config, family, layout)
    write_json(
        tmp_path / "config.json", {"action_horizon": 3, "action_dim": 8, "paligemma_variant": "gemma_9b"}
    )
    with pytest.raises(FileError, match="unknown paligemma_variant 'gemma_9b'"):
        read_config(tmp_path)


@pytest.mark.parametrize("layout", ["openpi", "lerobot"])
def test_a_folder_of_another_layout_answers_alike(family, layout, tmp_path, monkeypatch):
    """Written and read whole, with small sizes under the public names of large ones."""
    plain = tiny(family, chunk=3)
    language = {name: TINY_TEXT[name] for name in GEMMA["gemma_2b"]}
    sizes = {"gemma_2b": language, "gemma_300m": {**language, "hidden_size": 24}}
    heads = {name: TINY_TEXT[name] for name in HEADS}
    vision = {**TINY_VISION, "image_size": 224, "patch_size": 56}
    small = {"GEMMA": sizes, "HEADS": heads, "SO400M": vision, "WORDS": len(plain.tokenizer)}
    for name, value in small.items():
        monkeypatch.setattr(f"bomb.models.pi0.config.{name}", value)
    config = sized(
        vision, *({**gemma, **heads} for gemma in sizes.values()), small["WORDS"],
        chunk_size=3, max_state_dim=8, max_action_dim=8,
    )  # fmt: skip
    torch.manual_seed(0)
    settings = replace(plain.settings, options={"layout": layout, "steps": 4})
    vla = FAMILY[family](settings, plain.statistics, FAMILY[family].make_network(config), plain.tokenizer)
    Checkpoint(vla=vla.eval()).save(tmp_path / "folder")
    keys = load_file(tmp_path / "folder" / "model.safetensors").keys()
    begin = "model." if layout == "lerobot" else ""
    assert f"{begin}action_out_proj.weight" in keys
    assert all(key.startswith(begin) and ".dit." not in key for key in keys)
    again = Checkpoint.load(tmp_path / "folder", device="cpu").vla
    requests = toy_requests(vla.settings, 2)
    with torch.no_grad():
        first, second = (one.act(one.encode(requests), seeds=[(0, 0), (1, 0)]) for one in (vla, again))
    np.testing.assert_array_equal(first, second)


def test_gradient_checkpointing_changes_nothing(family):
    vla = tiny(family, chunk=3)
    batch = vla.encode(toy_requests(vla.settings, 2), toy_actions(vla.settings, 2))
    vla.train()
    runs: dict[int, int] = {}

    def gradient():
        runs.clear()
        vla.zero_grad()
        loss = vla.loss(batch, seeds=[(0, 0), (1, 0)]).total
        loss.backward()
        return loss.item(), [w.grad.clone() for w in vla.parameters() if w.grad is not None]

    for k, layer in enumerate(vla.anatomy.layers):
        layer.mlp.register_forward_pre_hook(lambda *_, k=k: runs.update({k: runs.get(k, 0) + 1}))
    loss, plain = gradient()
    once = dict(runs)
    checkpoint_layers(vla)
    again, saved = gradient()
    assert loss == again and all(torch.equal(a, b) for a, b in zip(plain, saved, strict=True))
    # Every layer ran once more, but for the last that reads: only its keys and values are used.
    assert sum(runs[k] == 2 * once[k] for k in runs) >= len(runs) - 1


def test_adapters_learn(family):
    """As openpi has them: rank 16 where it reads, 32 in the expert."""
    vla = tiny(family, chunk=3)
    inside = ("network.model.vlm.language_model.", "network.model.dit.")
    names = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    lora = LoRA(rank=16, alpha=16, targets=names, within=inside, ranks={"network.model.dit.": 32})
    add_lora(vla, lora, learned=vla.parts["head"])
    ranks = {key.split(".")[2]: weight.shape[0] for key, weight in vla.named_parameters() if "lora_A" in key}
    assert ranks == {"vlm": 16, "dit": 32}
    batch = vla.encode(toy_requests(vla.settings, 2), toy_actions(vla.settings, 2))
    optimizer = torch.optim.AdamW([w for w in vla.parameters() if w.requires_grad], lr=1e-2)
    losses = []
    for _ in range(10):
        loss = vla.loss(batch, seeds=[(0, 0), (1, 0)]).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@torch.no_grad()
def test_the_state_is_told_in_words():
    vla = tiny("pi05", chunk=3)
    request = toy_requests(vla.settings, 1)[0]
    moved = replace(request, state=request.state + np.float32(0.1))
    first, second = (vla.encode([one]).inputs["ids"].tolist() for one in (request, moved))
    assert first != second
    unread = tiny("pi05", chunk=3, options={"state": False})
    first, second = (unread.encode([one]).inputs["ids"].tolist() for one in (request, moved))
    assert first == second


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
