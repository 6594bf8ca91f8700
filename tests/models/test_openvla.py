"""OpenVLA: the public implementation's numbers at toy size, the published counts, and what is refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from bomb.disk.files import FileError
from bomb.models import masks
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.bins import Bins
from bomb.models.codecs.normalising import Normalisation, Normaliser
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.lora import LoRA, add_lora, lora_targets
from bomb.models.openvla.config import PrismaticConfig, published
from bomb.models.openvla.family import PROMPTS, STOP, OpenVLA
from bomb.models.openvla.network import Prismatic
from bomb.models.openvla.seeing import prepare, process
from bomb.models.openvla.towers import Tower
from bomb.models.pictures import centre_crop, jpeg, lanczos_tf
from bomb.models.sequences import Patches, assemble, gather
from bomb.models.testing import check_vla, tiny, toy_actions, toy_requests
from bomb.models.tokens import decode, forced, token_losses, token_scores
from bomb.models.vla import Batch
from bomb.models.weights import SAFE, SAFE_INDEX, empty, load_weights, save_weights
from bomb.models.words import Tokens
from core.errors import ConventionError, OptionError, PolicyOutputError
from tests.models.conftest import close

SPACE = 201


@pytest.fixture(scope="session")
def public(reference) -> Prismatic:
    """The network with the weights of the reference."""
    values = reference.json("openvla_tiny_config")
    network = empty(lambda: Prismatic(config(values)))
    load_weights(network, [reference.weights("openvla_tiny")], dtype=torch.float32)
    return network.eval()


def config(values: dict) -> PrismaticConfig:
    """The reference's configuration, with the sizes of its towers where BOMB looks for them."""
    dino, siglip = values["_tiny"]["dino"], values["_tiny"]["siglip"]
    towers = [
        {"width": dino["embed_dim"], "depth": dino["depth"], "heads": dino["num_heads"],
         "mlp": int(dino["embed_dim"] * dino["mlp_ratio"]), "registers": dino["reg_tokens"],
         "class_token": True, "layer_scale": True},
        {"width": siglip["embed_dim"], "depth": siglip["depth"], "heads": siglip["num_heads"],
         "mlp": siglip["mlp_hidden"], "pool": True},
    ]  # fmt: skip
    return PrismaticConfig.from_dict({**values, "bomb_towers": towers})


@pytest.fixture(scope="session")
def values(reference) -> dict[str, np.ndarray]:
    return reference.arrays("openvla_tiny")


def question(values: dict, ids: list[np.ndarray], rows: list[int]) -> Batch:
    """Prompts of the reference about its pictures."""
    samples = [
        [Tokens.of(*one[:1].tolist()), Patches(camera="head", rows=4, cols=4), Tokens.of(*one[1:].tolist())]
        for one in ids
    ]
    made = assemble(samples, pad=512)
    pixels = torch.from_numpy(values["pixel_values"][rows].astype(np.float32))
    return Batch(
        inputs={**made.inputs, "pixels": pixels},
        attention_mask=made.mask,
        position_ids=made.positions,
        layouts=made.layouts,
    )


def embed(network: Prismatic, batch: Batch) -> torch.Tensor:
    inputs = batch.inputs
    return gather(inputs["slots"], network.words(inputs["ids"]), network.patches(inputs["pixels"]))


def taught(values: dict) -> Batch:
    """The training batch of the reference, without its padding on the right."""
    ids = [values["input_ids"][k][values["attention_mask"][k] > 0] for k in range(2)]
    return question(values, ids, [0, 1])


def hidden(network: Prismatic, batch: Batch) -> torch.Tensor:
    embeddings = embed(network, batch)
    mask = masks.additive(masks.causal(batch.attention_mask), embeddings.dtype)
    return network.hidden(embeddings, mask, batch.position_ids)


@torch.no_grad()
def test_towers_and_projector(public, values):
    pixels = torch.from_numpy(values["pixel_values"].astype(np.float32))
    towers = public.vision_backbone.towers
    close(towers[0](pixels[:, :3]), values["dino_features"], 2e-5)
    close(towers[1](pixels[:, 3:]), values["siglip_features"], 2e-5)
    close(public.patches(pixels), values["projector_features"], 2e-5)


@torch.no_grad()
def test_hidden_states_and_logits_are_the_same_padded_on_the_left(public, values):
    batch = taught(values)
    states = hidden(public, batch)
    logits = public.logits(states)
    for k in range(2):
        there, real = batch.attention_mask[k], np.flatnonzero(values["attention_mask"][k])
        # The reference has the patches after its first token, and padding at the end.
        places = np.concatenate([[0], np.arange(1, 17), 16 + real[1:]])
        close(states[k][there], values["last_hidden"][k][places], 2e-5)
        close(logits[k][there], values["logits"][k][places], 2e-5)


def test_the_loss_is_the_public_one_and_a_hand_formula(public, values, reference):
    public.zero_grad(set_to_none=True)
    batch = taught(values)
    logits = public.logits(hidden(public, batch)[:, -6:-1])
    labels = torch.from_numpy(np.stack([row[row != -100][-5:] for row in values["labels"]]))
    bins = Bins(vocabulary=512)
    actions = torch.from_numpy(bins.decode(labels[:, :4].numpy()))[:, None].float()
    groups = {"xy": (0, 1), "z": (2,), "gripper": (3,)}
    losses = token_losses(
        logits, labels, actions, torch.ones(2, 1, dtype=torch.bool), bins=bins, groups=groups
    )
    close(losses.total, values["loss"], 2e-5)
    by_hand = -logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
    close(losses.total, by_hand.mean(), 1e-6)
    close(losses.groups["z"], by_hand[:, 2].mean(), 1e-6)
    close(losses.offsets, by_hand[:, :4].mean()[None], 1e-6)

    losses.total.backward()
    found = reference.arrays("openvla_tiny_grads")
    named = dict(public.named_parameters())
    for name in found.keys() - {"grad_norm", "no_grad_names", "adamw_losses"}:
        close(named[name].grad, found[name], 1e-6, 1e-4)
    squares = sum(float((w.grad.double() ** 2).sum()) for w in named.values() if w.grad is not None)
    close(squares**0.5, found["grad_norm"], 0, 1e-4)
    without = {name for name, weight in named.items() if weight.grad is None}
    assert without == set(found["no_grad_names"].tolist())
    public.zero_grad(set_to_none=True)


@torch.no_grad()
def test_forced_log_probabilities(public, values):
    prompts = [values[f"prompt{k}"] for k in range(2)]
    labels = torch.from_numpy(np.stack([row[row != -100][-5:] for row in values["labels"]]))
    batch = question(values, prompts, [0, 1])
    logits = forced(public, embed(public, batch), batch, labels)
    scores = logits.log_softmax(-1).gather(-1, labels[..., None])[..., 0]
    close(scores, values["forced_logprob"], 5e-5)


@pytest.mark.parametrize("name", ["bomb4", "seven"])
def test_decoding_a_batch_gives_the_public_ids_and_actions(public, values, reference, name):
    prompts = [values[f"prompt{k}"] for k in range(2)]
    batch = question(values, prompts, [0, 1])
    wanted = np.stack([values[f"ids_{name}_{k}"] for k in range(2)])
    ids = decode(public, embed(public, batch), batch, wanted.shape[1]).numpy()
    np.testing.assert_array_equal(ids, wanted)
    entry = reference.json("openvla_tiny_config")["norm_stats"][name]
    statistics = DatasetStatistics.from_dict(entry).action
    actions = Normaliser(statistics, Normalisation(constant="zero")).backward(
        Bins(vocabulary=512).decode(ids)
    )
    close(actions, np.stack([values[f"actions_{name}_{k}"] for k in range(2)]), 1e-12)


@torch.no_grad()
def test_decoding_is_that_of_generate_and_its_logits_are_the_forced_ones(public, values):
    batch = question(values, [values["prompt0"]], [0])
    embeddings = embed(public, batch)
    found = public.language_model.generate(
        inputs_embeds=embeddings, max_new_tokens=4, min_new_tokens=4, do_sample=False, pad_token_id=512,
        output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    ids = decode(public, embeddings, batch, 4)
    np.testing.assert_array_equal(found.sequences, ids)
    logits = forced(public, embeddings, batch, ids)
    close(logits, torch.stack(found.logits, dim=1), 1e-5)
    groups = {"xy": (0, 1), "z": (2,), "gripper": (3,)}
    scores = token_scores(logits, ids, 1, groups)
    by_hand = torch.stack(found.logits, dim=1).log_softmax(-1).gather(-1, ids[..., None])[..., 0]
    close(scores.total, by_hand.sum(1), 1e-5)
    close(scores.groups["xy"], by_hand[:, :2].sum(1), 1e-5)


def test_pictures_are_processed_as_in_public(reference):
    found = reference.arrays("openvla_image_processor")
    plain = replace(published(), strategy="resize-naive")
    made = process(found["image"], plain)
    close(np.rint((made[3:] * 0.5 + 0.5) * 255).astype(np.uint8), found["pixel_values_naive_u8"], 0)
    close(made[:, ::8], found["pixel_values_naive_f16_rows"], 2e-3)
    big = process(found["image_big"], plain)
    close(np.rint((big[3:, ::4] * 0.5 + 0.5) * 255).astype(np.uint8), found["big_u8_rows"], 0)
    for strategy, name in (("letterbox", "letterbox_f16_rows"), ("resize-crop", "crop_f16_rows")):
        made = process(found["image"], replace(plain, strategy=strategy))
        close(made[:, ::8], found[name], 2e-3)


def test_cropping_and_resizing_are_tensorflows(reference):
    found = reference.arrays("openvla_tf_image")
    image, big = found["image224"], reference.arrays("openvla_image_processor")["image_big"]
    away = abs(centre_crop(image, 0.9).astype(int) - found["center_crop"])
    assert away.max() <= 1 and (away > 0).mean() < 1e-3
    away = abs(lanczos_tf(big, 224, 224)[::4].astype(int) - found["lanczos_rows"])
    assert away.max() <= 1 and (away > 0).mean() < 1e-3
    away, without = (abs(p[::8].astype(int) - found["jpeg_decoded_rows"]).mean() for p in (jpeg(big), big))
    assert away < 2 < 12 < without
    away = abs(centre_crop(big, 0.9, (224, 224))[::4].astype(int) - found["center_crop_big_rows"])
    assert away.max() <= 1 and (away > 0).mean() < 1e-3
    away = abs(
        prepare(big, 224, resizing="lanczos_tf_jpeg", crop=None)[::4].astype(int)
        - found["policy_resize_jpeg_rows"]
    )
    assert away.mean() < 2


def test_towers_are_those_of_transformers():
    """An independent implementation of both towers, with other names of the same weights."""
    from transformers import SiglipVisionConfig, SiglipVisionModel

    from bomb.models.openvla.building import SMALL_TOWERS

    torch.manual_seed(0)
    sizes = SMALL_TOWERS[1]
    ours = Tower(sizes, 56).eval()
    torch.nn.init.normal_(ours.pos_embed)
    theirs = SiglipVisionModel(
        SiglipVisionConfig(hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3,
                           image_size=56, patch_size=14, hidden_act="gelu", vision_use_head=False)
    ).eval()  # fmt: skip
    state = {}
    for key, value in ours.state_dict().items():
        if key.startswith(("attn_pool", "norm")):
            continue
        key = key.replace("patch_embed.proj", "embeddings.patch_embedding").replace(
            "blocks.", "encoder.layers."
        )
        key = (
            key.replace("norm1", "layer_norm1")
            .replace("norm2", "layer_norm2")
            .replace("attn.proj", "self_attn.out_proj")
        )
        if "attn.qkv" in key:
            for part, name in zip(value.chunk(3), "qkv", strict=True):
                state[key.replace("attn.qkv", f"self_attn.{name}_proj")] = part
        elif key == "pos_embed":
            state["embeddings.position_embedding.weight"] = value[0]
        else:
            state[key] = value
    prefix = next(iter(theirs.state_dict())).partition("embeddings")[0]
    missing = theirs.load_state_dict({prefix + key: value for key, value in state.items()}, strict=False)
    assert not missing.unexpected_keys and all("post_layernorm" in key for key in missing.missing_keys)
    pictures = torch.randn(2, 3, 56, 56)
    with torch.no_grad():
        wanted = theirs(pictures, output_hidden_states=True).hidden_states[2]
        close(ours(pictures), wanted, 2e-5)


def test_published_counts():
    network = with_meta(published())
    count = sum(weight.numel() for weight in network.parameters())
    parts = {name: sum(w.numel() for w in part.parameters()) for name, part in network.named_children()}
    assert parts["language_model"] == 6_738_939_904
    assert parts["projector"] == 71_385_600
    dino, siglip = network.vision_backbone.towers
    assert sum(w.numel() for w in dino.parameters()) == 303_230_976
    assert sum(w.numel() for w in siglip.parameters()) == 427_680_704
    assert count == 7_541_237_184
    llama = lora_targets(network, LoRA(within=("language_model.model.",)))
    adapted = [network.get_submodule(name) for name in llama]
    assert sum(32 * (part.in_features + part.out_features) for part in adapted) == 79_953_920
    add_lora(network, LoRA(rank=32, alpha=16))
    weights = list(network.parameters())
    assert sum(w.numel() for w in weights if w.requires_grad) == 110_828_288
    assert sum(w.numel() for w in weights) == 7_652_065_472


def with_meta(config: PrismaticConfig) -> Prismatic:
    with torch.device("meta"):
        return Prismatic(config)


def test_the_laws(tmp_path):
    check_vla(tiny("openvla"), tmp_path)


def test_the_laws_with_two_cameras_a_crop_and_a_chunk(tmp_path):
    vla = tiny("openvla", cameras=("head", "wrist"), chunk=2, options={"crop": 0.9, "prompt": "vicuna"})
    assert vla.anatomy.grids["wrist"].box[0] == pytest.approx((1 - 0.9**0.5) / 2)
    check_vla(vla, tmp_path)


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


@pytest.fixture
def saved(tmp_path):
    Checkpoint(vla=tiny("openvla")).save(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_shards_in_bfloat16_and_pickles_are_read(saved, tmp_path):
    vla = Checkpoint.load(saved, device="cpu").vla
    half = vla.network.to(torch.bfloat16)
    (saved / SAFE).unlink()
    save_weights(half, saved, shard_mb=0.1)
    assert (saved / SAFE_INDEX).is_file() and len(list(saved.glob("model-*.safetensors"))) > 2
    again = Checkpoint.load(saved, device="cpu", dtype="float32").vla
    assert again.dtype == torch.float32
    for key, value in half.state_dict().items():
        assert torch.equal(value.float(), again.network.state_dict()[key])
    for file in saved.glob("model*"):
        file.unlink()
    torch.save(half.state_dict(), saved / "pytorch_model.bin")
    assert Checkpoint.load(saved, device="cpu").vla.dtype == torch.bfloat16


class Harmful:
    def __reduce__(self):
        return (print, ("code from a checkpoint ran",))


def test_no_code_of_a_checkpoint_is_run(saved, capsys):
    (saved / SAFE).unlink()
    torch.save({"weight": Harmful()}, saved / "pytorch_model.bin")
    (saved / "modeling_prismatic.py").write_text("raise SystemExit('code from a checkpoint ran')")
    with pytest.raises(FileError, match="no code of it is run"):
        Checkpoint.load(saved, device="cpu")
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", r"lack: network|lack: projector\.fc1\.bias"),
        ("extra", "unknown keys: surplus"),
        ("shape", r"projector\.fc1\.bias has shape \[3\], the model wants \[160\]"),
        ("torn", "cannot be read"),
        ("none", "has no weights"),
        ("shard", "names the shard"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(saved, damage, message):
    from safetensors.torch import load_file, save_file

    file = saved / SAFE
    weights = load_file(file)
    if damage == "missing":
        del weights["projector.fc1.bias"]
    if damage == "extra":
        weights["surplus"] = torch.zeros(1)
    if damage == "shape":
        weights["projector.fc1.bias"] = torch.zeros(3)
    save_file(weights, file)
    if damage == "torn":
        file.write_bytes(file.read_bytes()[:1000])
    if damage in ("none", "shard"):
        file.unlink()
    if damage == "shard":
        (saved / SAFE_INDEX).write_text(json.dumps({"weight_map": {"a": "model-1.safetensors"}}))
    with pytest.raises(FileError, match=message):
        Checkpoint.load(saved, device="cpu")


def change(folder, name, **entries):
    file = folder / name
    file.write_text(json.dumps({**json.loads(file.read_text()), **entries}))


@pytest.mark.parametrize(
    ("name", "entries", "message"),
    [
        ("bomb.json", {"family": "openvia"}, "unknown model family 'openvia'"),
        ("bomb.json", {"options": {"prompts": "x"}}, "no options prompts; valid: crop"),
        ("bomb.json", {"options": {"prompt": "x"}}, "unknown prompt 'x'; valid: openvla, vicuna"),
        ("bomb.json", {"options": {"space": 3, "crop": 1.5}}, "share of a picture"),
        ("bomb.json", {"options": {"space": 77}}, "tokenizer .* does not fit the model: id 77"),
        ("bomb.json", {"dataset": "bridge"}, "unknown dataset .*'bridge'; valid: bomb"),
        ("bomb.json", {"convention": {"rotation": "zero"}}, "4 numbers of an action"),
        ("bomb.json", {"cameras": ["side"]}, "unknown camera 'side'"),
        ("bomb.json", {"chunk": 0}, "chunk must be a positive integer"),
        ("config.json", {"model_type": "llava"}, "model_type must be 'openvla'"),
        ("config.json", {"image_sizes": [56, 28]}, "one size"),
        ("config.json", {"bomb_towers": None, "timm_model_ids": ["giant"]}, "unknown vision tower 'giant'"),
        ("config.json", {"timm_override_act_layers": ["quick_gelu", None]}, "exact GELU"),
        ("dataset_statistics.json", {"bomb": {"action": {"mean": [0]}}}, "lack std"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused_by_name(saved, name, entries, message):
    change(saved, name, **entries)
    with pytest.raises(FileError, match=message):
        Checkpoint.load(saved, device="cpu")


def test_folders_that_are_no_checkpoints(saved, tmp_path):
    (saved / "tokenizer.json").unlink()
    with pytest.raises(FileError, match=r"has no tokenizer\.json"):
        Checkpoint.load(saved, device="cpu")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("")
    with pytest.raises(FileError, match=r"has no bomb\.json"):
        Checkpoint.load(tmp_path / "thesis")
    with pytest.raises(FileError, match="something else than a checkpoint"):
        Checkpoint(vla=tiny("openvla")).save(tmp_path / "thesis")
    shutil.rmtree(saved)


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
