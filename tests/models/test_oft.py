"""OpenVLA-OFT: the public implementation's numbers at toy size, its run folders, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bomb.disk.files import FileError
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.normalising import Normalisation, Normaliser
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.heads.ddim import DDIM
from bomb.models.heads.resnet import L1Head, time_embedding
from bomb.models.oft.family import OpenVLAOFT
from bomb.models.oft.files import merged
from bomb.models.openvla.network import Prismatic
from bomb.models.sequences import Learned, Patches, assemble
from bomb.models.settings import VLASettings
from bomb.models.testing import tiny, toy_requests, toy_settings
from bomb.models.vla import Batch
from bomb.models.weights import empty, load_weights
from bomb.models.words import Tokens, small_tokenizer
from core.errors import OptionError
from tests.models.conftest import close
from tests.models.test_openvla_public import config

CHUNK, DIMS, STEPS = 5, 4, 10
LAX = Normalisation(constant="zero", exact=False)
SIDE_FILES = {"l1": "oft_action_head_l1", "diffusion": "oft_action_head_diffusion"}


@pytest.fixture(scope="module")
def values(reference) -> dict[str, np.ndarray]:
    return reference.arrays("oft")


@pytest.fixture(scope="module")
def public(reference):
    """Makes models with the weights of the reference."""
    about = reference.json("oft_config")
    about["_tiny"] = reference.json("openvla_tiny_config")["_tiny"]
    tokenizer = small_tokenizer([], size=512)
    statistics = DatasetStatistics.from_dict(about["norm_stats"]["bomb4"])

    def make(head: str, *, proprio: bool = True, film: bool = False) -> OpenVLAOFT:
        options = {"head": head, "proprio": proprio, "film": film, "steps": STEPS, "space": 3}
        settings = VLASettings(
            family="openvla-oft", cameras=("head", "wrist"), image_size=(56, 56), chunk=CHUNK,
            normalisation=LAX, options=options,
        )  # fmt: skip
        network = empty(lambda: Prismatic(config(about)))
        load_weights(network, [reference.weights("oft_base")], dtype=torch.float32)
        vla = OpenVLAOFT(settings, statistics, config(about), tokenizer, network)
        for name, module in vla.small.items():
            file = SIDE_FILES.get(head) if name == "action_head" else f"oft_{name}"
            load_weights(module, [reference.weights(file)], dtype=torch.float32)
        if film:
            load_weights(
                vla.network.vision_backbone, [reference.weights("oft_vision_backbone_film")],
                dtype=torch.float32, rename=lambda key: key.removeprefix("vision_backbone."),
            )  # fmt: skip
        return vla.eval()

    return make


def question(vla: OpenVLAOFT, values: dict, rows: list[int], **more) -> Batch:
    """Prompts of the reference about its pictures and states."""
    extra = [Learned()] * (vla.options.proprio + vla.answer.timed)
    samples = []
    for k in rows:
        ids = values[f"prompt{k}"].tolist()
        pictures = [Patches(camera=name, rows=4, cols=4) for name in vla.settings.cameras]
        places = Learned(count=CHUNK * DIMS, acts=True)
        samples.append([Tokens.of(ids[0]), *pictures, *extra, Tokens.of(*ids[1:]), places, Tokens.of(2)])
    made = assemble(samples, pad=512)
    inputs = {
        **made.inputs,
        "pixels": torch.from_numpy(values["pixel_values"][rows].astype(np.float32)),
        "state": torch.from_numpy(values["proprio_norm"][rows].astype(np.float32)),
    }
    return Batch(
        inputs=inputs, attention_mask=made.mask, position_ids=made.positions, layouts=made.layouts, **more
    )


def actions_of(values: dict, name: str) -> np.ndarray:
    return np.stack([values[f"{name}_actions_{k}"] for k in range(2)])


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "head", "options"),
    [
        ("l1", "l1", {}),
        ("l1_noproprio", "l1", {"proprio": False}),
        ("film", "l1", {"film": True}),
        ("discrete", "discrete", {}),
    ],
)
def test_a_chunk_is_the_public_one_in_a_batch_of_different_prompts(public, values, name, head, options):
    vla = public(head, **options)
    batch = question(vla, values, [0, 1])
    hidden = vla.hidden(batch, vla.see(batch))[:, :-1]
    wanted = np.concatenate([values[f"{name}_hidden_{k}"] for k in range(2)])
    close(hidden, wanted, 2e-5)
    raw = vla.answer.decide(vla, batch, [(0, 0, 0)] * 2).raw
    made = (
        vla.bins.decode(raw["tokens"].numpy()).reshape(2, CHUNK, DIMS) if "tokens" in raw else raw["values"]
    )
    found = Normaliser(vla.statistics.action, LAX).backward(np.asarray(made))
    close(found, actions_of(values, name), 0 if head == "discrete" else 2e-5)
    if name == "l1":
        close(raw["values"], np.concatenate([values[f"l1_normalized_{k}"] for k in range(2)]), 2e-5)


@torch.no_grad()
def test_diffusion_is_the_public_one(public, values):
    vla = public("diffusion")
    schedule = vla.options.schedule
    assert schedule.times == values["diffusion_timesteps"].tolist()
    close(schedule.alphas, values["diffusion_alphas_cumprod"], 1e-6)
    close(time_embedding(torch.from_numpy(values["time_ids"]), 32), values["time_embedding"], 1e-5)
    given = [torch.from_numpy(values[f"ddim_{name}"]) for name in ("actions", "noise", "t")]
    close(schedule.add_noise(*given), values["ddim_noisy"], 1e-6)
    noisy = vla.small["noisy_action_projector"](
        torch.from_numpy(values["ddim_actions"]).flatten(1)[..., None]
    )
    close(noisy, values["noisy_proj"], 1e-5)
    batch = question(vla, values, [0, 1])
    begin = torch.from_numpy(values["diffusion_noise"])
    made = vla.answer.end(vla, batch, begin)
    found = Normaliser(vla.statistics.action, LAX).backward(made.numpy())
    close(found, actions_of(values, "diffusion"), 1e-4)


def test_the_losses_are_the_public_ones(public, values):
    actions = torch.from_numpy(values["train_actions"])
    valid = torch.ones(2, CHUNK, dtype=torch.bool)
    for head in ("l1", "discrete", "diffusion"):
        vla = public(head)
        batch = question(vla, values, [0, 1], actions=actions, valid=valid)
        seen = vla.see(batch)
        if head == "diffusion":
            noise, times = (torch.from_numpy(values[name]) for name in ("ddim_noise", "ddim_t"))
            noisy = torch.from_numpy(values["ddim_noisy"])
            made = vla.answer.predict(vla, batch, seen, noisy, times)
            close(made, values["train_noise_pred"], 2e-5)
            close(((made - noise) ** 2).mean(), values["train_diffusion_mse"], 2e-5)
            continue
        close(vla.hidden(batch, seen)[:, :-1], values["train_hidden"], 2e-5)
        losses = vla.loss(batch)
        close(losses.total, values["train_l1" if head == "l1" else "train_ce"], 2e-5)
        if head == "l1":
            made = vla.answer.predict(vla, batch)
            close(made, values["train_pred"], 2e-5)
            close(losses.groups["z"], (made - actions)[..., 2].abs().mean(), 1e-6)


@torch.no_grad()
def test_film_and_the_state_are_the_public_ones(public, values):
    vla = public("l1", film=True)
    block = vla.network.vision_backbone.featurizer.blocks[1]
    given = [torch.from_numpy(values[f"film_block_{name}"]) for name in ("x", "lang")]
    close(block(*given), values["film_block_y"], 2e-5)
    made = vla.state_codec.forward(values["proprio_raw"])
    close(made[:, :3], values["proprio_norm"][:, :3], 1e-12)
    token = vla.small["proprio_projector"](torch.from_numpy(values["proprio_norm"].astype(np.float32)))
    close(token, values["proprio_token"], 1e-5)


def test_samples_of_diffusion_differ_and_depend_on_seed_step_and_sample_alone():
    vla = tiny("openvla-oft", options={"head": "diffusion", "steps": 3}, chunk=2)
    batch = vla.encode(toy_requests(vla.settings, 2))
    found = vla.act(batch, seeds=[(1, 0), (2, 5)], samples=3)
    close(found[1:], vla.act(batch.select([1]), seeds=[(2, 5)], samples=3), 1e-5)
    assert abs(found[:, 1:] - found[:, :1]).max() > 1e-3


@torch.no_grad()
def test_hiding_words_hides_them_from_film_too():
    vla = tiny("openvla-oft", options={"film": True})
    request = toy_requests(vla.settings, 1)[0]
    batch = vla.encode([request])
    hide = torch.zeros_like(batch.attention_mask)
    hide[0, torch.from_numpy(batch.layouts[0].words(0, len(request.instruction)))] = True
    ids = batch.inputs["ids"].clone()
    ids[0, batch.inputs["slots"][hide]] += 1
    other = replace(batch, inputs={**batch.inputs, "ids": ids})
    told, told_other = (vla.see(one).patches for one in (batch, other))
    hidden, hidden_other = (vla.see(one.hide(hide)).patches for one in (batch, other))
    assert abs(told - told_other).max() > 1e-3
    close(hidden, hidden_other, 0)


# ---- files -----------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    Checkpoint(vla=tiny("openvla-oft", options={"film": True})).save(tmp_path / "run")
    return tmp_path / "run"


def test_a_run_folder_has_the_public_files_and_openvlas_keys(saved):
    from safetensors.torch import load_file

    names = {file.name for file in saved.glob("*--*")}
    parts = ("action_head", "proprio_projector", "vision_backbone")
    assert names == {f"{part}--latest_checkpoint.pt" for part in parts}
    assert (
        load_file(saved / "model.safetensors").keys() == Prismatic(tiny("openvla").config).state_dict().keys()
    )
    head = torch.load(saved / "action_head--latest_checkpoint.pt", weights_only=True)
    assert "model.mlp_resnet_blocks.1.ffn.1.weight" in head
    towers = torch.load(saved / "vision_backbone--latest_checkpoint.pt", weights_only=True)
    assert "vision_backbone.fused_featurizer.blocks.2.block.attn.qkv.weight" in towers


def test_files_of_a_step_with_module_in_front_and_lora_beside_are_read(saved):
    before = Checkpoint.load(saved, device="cpu").vla
    head = saved / "action_head--latest_checkpoint.pt"
    torch.save(
        {f"module.{k}": v for k, v in torch.load(head).items()}, saved / "action_head--150000_checkpoint.pt"
    )
    head.unlink()
    towers = saved / "vision_backbone--latest_checkpoint.pt"
    tensors = torch.load(towers)
    layer = "vision_backbone.featurizer.blocks.0.block.attn.qkv"
    weight = tensors.pop(f"{layer}.weight")
    first, second = torch.randn(32, weight.shape[1]), torch.randn(weight.shape[0], 32)
    tensors |= {
        f"{layer}.base_layer.weight": weight,
        f"{layer}.lora_A.default.weight": first,
        f"{layer}.lora_B.default.weight": second,
    }
    torch.save(tensors, towers)
    after = Checkpoint.load(saved, device="cpu").vla
    found = after.network.state_dict()[f"{layer}.weight"]
    close(found, weight + 0.5 * second @ first, 1e-5)
    for key, value in before.small.state_dict().items():
        assert torch.equal(value, after.small.state_dict()[key])
    with pytest.raises(FileError, match="no other half"):
        merged({f"{layer}.lora_A.default.weight": first}, towers)


def test_openvlas_weights_alone_begin_a_new_model(tmp_path):
    openvla = tiny("openvla")
    Checkpoint(vla=openvla).save(tmp_path / "openvla")
    settings = toy_settings("openvla-oft", chunk=4, options={**openvla.settings.options, "film": True})
    vla = OpenVLAOFT.from_openvla(tmp_path / "openvla", settings)
    assert torch.equal(vla.network.projector.fc1.weight, openvla.network.projector.fc1.weight)
    assert vla.act(vla.encode(toy_requests(settings, 1)), seeds=[(0, 0)]).shape == (1, 1, 4, 4)


def test_the_public_size_of_the_small_networks():
    with torch.device("meta"):
        assert L1Head(4096, 7).model.fc1.weight.shape == (4096, 7 * 4096)


class Harmful:
    def __reduce__(self):
        return (print, ("code from a checkpoint ran",))


def test_side_files_that_do_not_fit_are_refused_by_name(saved, capsys):
    head = saved / "action_head--latest_checkpoint.pt"
    tensors = torch.load(head)
    torch.save({"weight": Harmful()}, head)
    with pytest.raises(FileError, match="no code of it is run"):
        Checkpoint.load(saved, device="cpu")
    assert "ran" not in capsys.readouterr().out
    torch.save({**tensors, "surplus": torch.zeros(1)}, head)
    with pytest.raises(FileError, match="unknown keys: surplus"):
        Checkpoint.load(saved, device="cpu")
    torch.save(tensors, saved / "action_head--5_checkpoint.pt")
    with pytest.raises(FileError, match=r"one file action_head--.*has action_head--5_checkpoint\.pt, action"):
        Checkpoint.load(saved, device="cpu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "flow"}, "unknown head 'flow'; valid: diffusion, discrete, l1"),
        ({"temperature": 1.0}, "temperature must be 0"),
        ({"film": 1}, "film must be true or false"),
        ({"steps": 60}, "steps must be at most train_steps = 50"),
        ({"diffusion": True}, "openvla-oft has no options diffusion"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises((OptionError, LookupError), match=message):
        tiny("openvla-oft", options=options)
    with pytest.raises(OptionError, match="proprio of 4 numbers"):
        vla = tiny("openvla")
        statistics = replace(vla.statistics, proprio=None)
        OpenVLAOFT(replace(vla.settings, family="openvla-oft"), statistics, vla.config, vla.tokenizer)


def test_a_schedule_ends_without_noise():
    schedule = DDIM(train_steps=20, steps=4)
    target = torch.linspace(-0.9, 0.9, 8).reshape(1, 2, 4)

    def oracle(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        left = schedule.alphas[times][:, None, None]
        return (noisy - left.sqrt() * target) / (1 - left).sqrt()

    close(schedule.walk(torch.randn(1, 2, 4), oracle), target, 1e-4)
