"""VLM4VLA: the public head at toy size, the paper's sizes, backbones against transformers, and the laws."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bomb.disk.files import FileError
from bomb.models.backbones.base import Backbone
from bomb.models.backbones.building import tiny_backbone
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.statistics import Statistics
from bomb.models.continuous import ACTION_FILE
from bomb.models.heads.regression import FCDecoder, regression_losses, regression_scores
from bomb.models.registry import BACKBONES
from bomb.models.sequences import Learned, Patches, assemble
from bomb.models.testing import tiny, toy_requests, toy_settings, toy_statistics
from bomb.models.testing.questions import TEXTS
from bomb.models.vla import Batch
from bomb.models.vlm4vla import VLM4VLA
from bomb.models.words import Tokens
from core.errors import OptionError, PolicyOutputError
from tests.models.conftest import close

SEVEN = {"xy": (0, 1), "z": (2,), "rotation": (3, 4, 5), "gripper": (6,)}


def loss_arguments(found: dict) -> dict:
    arm, bits = (torch.from_numpy(found[name])[:, 0] for name in ("label_arm", "label_gripper"))
    return {
        "actions": torch.cat([arm, bits[..., None]], dim=-1),
        "bits": bits,
        "valid": torch.from_numpy(found["mask"])[:, 0] > 0,
    }


def test_the_head_and_its_loss_are_the_public_ones(reference):
    found, sizes = reference.arrays("vlm4vla_head"), reference.json("vlm4vla_head_config")
    head = FCDecoder(sizes["in_features"], chunk=10, dims=7, hidden=sizes["hidden_size"], sizes=(32, 16, 8))
    head.load_state_dict(load_file(reference.weights("vlm4vla_head_fc")))
    head = head.float()
    with torch.no_grad():
        arm, gripper = head(torch.from_numpy(found["bl_x"])[:, 0, 0])
    close(arm, found["bl_actions"][:, 0], 2e-6)
    close(gripper, found["bl_gripper"][:, 0, :, 0], 2e-6)
    given = loss_arguments(found)
    losses = regression_losses(arm, gripper, groups=SEVEN, **given)
    close(losses.total, found["total"], 2e-6)
    only = regression_losses(arm, gripper, groups=SEVEN, weights={"gripper": 0.0}, **given)
    close(only.total, found["loss_arm"], 2e-6)
    close(losses.groups["gripper"], found["loss_gripper"], 2e-6)
    close(losses.metrics["gripper_accuracy"], found["acc_gripper"], 2e-6)


def test_the_loss_is_a_hand_formula():
    draw = torch.Generator().manual_seed(0)
    arm, actions = torch.rand(2, 3, 3, generator=draw) * 4 - 2, torch.rand(2, 3, 4, generator=draw) * 2 - 1
    gripper, bits = torch.randn(2, 3, generator=draw), torch.tensor([[0.0, 1, 1], [1, 0, 0]])
    valid = torch.tensor([[True, True, False], [True, True, True]])
    losses = regression_losses(
        arm, gripper, actions, bits, valid, {"xy": (0, 1), "z": (2,), "gripper": (3,)}, ratio=0.5
    )
    away = (arm - actions[..., :3]).abs()
    huber = torch.where(away < 1, 0.5 * away**2, away - 0.5)[valid].mean()
    p = torch.sigmoid(gripper)
    cross = -(bits * p.log() + (1 - bits) * (1 - p).log())[valid].mean()
    close(losses.total, huber + 0.5 * cross, 1e-6)
    scores = regression_scores(
        arm, gripper, arm + torch.tensor([3.0, 4.0, 1.0]), bits, {"xy": (0, 1), "z": (2,), "gripper": (3,)}
    )
    close(scores.groups["xy"], torch.full((2,), -5.0), 1e-6)
    close(scores.groups["z"], torch.full((2,), -1.0), 1e-6)


def test_heads_have_the_papers_sizes(reference):
    counts = reference.json("vlm4vla_head_config")["full_size_param_counts_chunk10_hidden1024"]
    with torch.device("meta"):
        for width, count in counts.items():
            head = FCDecoder(int(width), chunk=10, dims=7)
            assert sum(weight.numel() for weight in head.parameters()) == count


@pytest.fixture(scope="session")
def backbones() -> dict[str, Backbone]:
    made = {}
    for name in BACKBONES.names():
        torch.manual_seed(1)
        made[name] = tiny_backbone(BACKBONES.load(name), TEXTS)
    return made


QWEN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "<|vision_start|><img><|vision_end|>What action should the robotic arm take to {instruction}<|im_end|>\n"
    "<|im_start|>assistant\n"
)


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("paligemma", "<img><bos>{instruction}\n"),
        ("paligemma2", "<img><bos>{instruction}\n"),
        ("kosmos2", "<s><image><img></image><p>{instruction}\n</p>"),
        ("qwen2_5_vl", QWEN),
        ("qwen3_vl", QWEN),
    ],
)
def test_prompts_are_the_papers(name, prompt):
    """Each backbone has its own; the action query follows."""
    kind = BACKBONES.load(name)
    assert kind.template.replace("{pictures}", f"{kind.before}<img>{kind.after}") == prompt


def native_inputs(backbone: Backbone, pieces: list, pixels: torch.Tensor) -> dict:
    """The same question as transformers wants it: one row of ids, with image tokens where patches are."""
    image = backbone.image_token
    ids = [
        piece.ids if isinstance(piece, Tokens) else np.full(len(piece), image)
        for piece in pieces
        if isinstance(piece, Tokens | Patches)
    ]
    return backbone.native(torch.from_numpy(np.concatenate(ids))[None], pixels)


@torch.no_grad()
@pytest.mark.parametrize("name", BACKBONES.names())
def test_hidden_states_are_those_of_transformers(backbones, name):
    backbone = backbones[name]
    request = toy_requests(toy_settings("vlm4vla"), 1)[0]
    pieces = backbone.prompt(request.instruction, ["head"])
    sequences = assemble([pieces], pad=backbone.pad)
    pixels = torch.from_numpy(backbone.pixels([request.pictures["head"]]))
    batch = Batch(
        inputs={**sequences.inputs, "pixels": pixels[None]},
        attention_mask=sequences.mask,
        position_ids=backbone.positions(sequences),
        layouts=sequences.layouts,
    )
    ours = backbone(batch, torch.zeros(1, 0, backbone.width))
    given = native_inputs(backbone, pieces, pixels)
    if backbone.chained:
        theirs = backbone.model(**given, output_hidden_states=True).hidden_states[-1]
        return close(ours, theirs, 1e-4, 1e-4)
    query = torch.randn(1, 2, backbone.width, generator=torch.Generator().manual_seed(0))
    read = backbone.model(**given).encoder_last_hidden_state
    close(ours, read, 1e-4, 1e-4)
    theirs = backbone.language.decoder(inputs_embeds=query, encoder_hidden_states=read).last_hidden_state
    asked = assemble([[*pieces, Learned(count=2)]], pad=backbone.pad)
    whole = replace(batch, inputs={**batch.inputs, **asked.inputs}, attention_mask=asked.mask,
                    position_ids=asked.positions)  # fmt: skip
    close(backbone(whole, query)[:, -2:], theirs, 1e-4, 1e-4)


def test_the_query_is_the_last_position_and_starts_at_zero():
    torch.manual_seed(0)
    vla = tiny("vlm4vla")
    fresh = VLM4VLA(vla.settings, vla.statistics, vla.backbone)
    assert not fresh.network.query.any()
    batch = vla.encode(toy_requests(vla.settings, 2))
    assert [layout.actions.tolist() for layout in batch.layouts] == [[batch.attention_mask.shape[1] - 1]] * 2


def test_a_vlm_as_it_is_published_can_be_begun_with(tmp_path):
    vla = tiny("vlm4vla")
    vla.backbone.save(tmp_path)
    fresh = VLM4VLA.from_vlm(tmp_path, vla.settings, vla.statistics)
    for key, value in vla.backbone.state_dict().items():
        assert torch.equal(value, fresh.backbone.state_dict()[key])
    with pytest.raises(FileError, match="does not exist"):
        VLM4VLA.load(tmp_path, vla.settings)


def test_what_does_not_fit_is_refused(tmp_path):
    vla = tiny("vlm4vla")
    Checkpoint(vla=vla).save(tmp_path / "good")
    settings = json.loads((tmp_path / "good" / "bomb.json").read_text())

    def load(**options):
        changed = {**settings, "options": {**settings["options"], **options}}
        (tmp_path / "good" / "bomb.json").write_text(json.dumps(changed))
        return Checkpoint.load(tmp_path / "good", device="cpu")

    with pytest.raises(FileError, match="unknown backbone 'clip'; valid: "):
        load(backbone="clip")
    with pytest.raises(FileError, match=r"weight has shape \[32, 16\], the model wants \[32, 8\]"):
        load(hidden=8)
    load()
    (tmp_path / "good" / ACTION_FILE).unlink()
    with pytest.raises(FileError, match=f"{ACTION_FILE} does not exist"):
        load()

    every = Statistics.of(np.random.default_rng(0).uniform(-1, 1, (100, 4)))
    statistics = toy_statistics()
    object.__setattr__(statistics, "action", every)
    with pytest.raises(OptionError, match="last entry of the statistics' mask must be false"):
        VLM4VLA(vla.settings, statistics, vla.backbone)
    vla.network.head.mlp[0].weight.data[:] = np.nan
    with pytest.raises(PolicyOutputError, match="not finite"):
        vla.decide(vla.encode(toy_requests(vla.settings, 1)), seeds=[(0, 0)])


def test_a_tokenizer_without_the_needed_tokens_is_refused(tmp_path):
    vla = tiny("vlm4vla")
    Checkpoint(vla=vla).save(tmp_path / "good")
    file = tmp_path / "good" / "tokenizer.json"
    file.write_text(file.read_text().replace("<global-img>", "<globe>"))
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (tmp_path / "good" / name).is_file():
            text = (tmp_path / "good" / name).read_text()
            (tmp_path / "good" / name).write_text(text.replace("<global-img>", "<globe>"))
    with pytest.raises(FileError, match="lacks <global-img>, which smolvlm needs"):
        Checkpoint.load(tmp_path / "good", device="cpu")


def test_sequences_of_learned_vectors_only_differ_where_they_are():
    sequences = assemble(
        [[Tokens.of(1, 2), Learned(count=2, acts=True)], [Tokens.of(3), Learned(count=2, acts=True)]], pad=0
    )
    assert sequences.slots.tolist() == [[0, 1, 2, 3], [0, 0, 2, 3]]
    assert sequences.mask.tolist() == [[True] * 4, [False, True, True, True]]
    assert [layout.actions.tolist() for layout in sequences.layouts] == [[2, 3], [2, 3]]
